"""SearXNG, a metasearch engine anybody can run; its JSON interface is off until its settings.yml says otherwise.

Source: docs.searxng.org, "Search API". Not for public instances: they keep JSON off.
"""

from typing import Any, ClassVar

from webfarer.core.config import Settings
from webfarer.core.errors import SearchBlocked, SearchError, SearchUnavailable
from webfarer.core.types import Hit
from webfarer.web.searchers._replies import Row, hits, json_object, list_in
from webfarer.web.searching import ApiReply, ApiRequest, Query, base_of, with_operators

_MEND_JSON = "enable `json` under search.formats in its settings.yml"
_MEND_LIMITER = "let this machine through its limiter (limiter.toml, pass_ip), or turn the limiter off"
_BLOCKS = ("captcha", "denied", "suspended", "too many")


class SearXNG:
    """The engine."""

    needs: ClassVar[str] = "searxng_url"
    longest: ClassVar[int] = 1000

    def request(self, query: Query, settings: Settings) -> ApiRequest:
        """Ask for results as JSON."""
        base = base_of("searxng", settings.searxng_url, settings).removesuffix("/search")
        params = {"q": with_operators(query, self.longest, paths=True), "format": "json"}
        if query.language:
            params["language"] = query.language
        return ApiRequest(f"{base}/search", params=params)

    def parse(self, reply: ApiReply) -> list[Hit]:
        """Read `results`; none at all while the engines behind it failed is a failure."""
        answer = json_object(reply)
        rows = list_in(answer, "results")
        if not rows and (failed := _unresponsive(answer)):
            message = f"the engines behind SearXNG failed: {', '.join(failed)}"
            blocked = any(block in reason.lower() for reason in failed for block in _BLOCKS)
            raise (SearchBlocked if blocked else SearchUnavailable)(message, mend="enable other engines in SearXNG")
        return hits(Row(row.get("url"), row.get("title"), row.get("content"), row.get("publishedDate")) for row in rows)

    def refusal(self, reply: ApiReply) -> SearchError | None:
        """Tell the two settings that keep a program out."""
        if reply.status == 403:
            return SearchBlocked(
                "SearXNG answers 403, as it does while its JSON format is off", status=403, mend=_MEND_JSON
            )
        if reply.status == 429 and "retry-after" not in reply.headers:
            return SearchBlocked("SearXNG answers 429: its limiter keeps us out", status=429, mend=_MEND_LIMITER)
        return None


def _unresponsive(answer: dict[str, Any]) -> list[str]:
    """Return "engine: reason" for the first few that failed."""
    pairs = answer.get("unresponsive_engines")
    listed = [pair for pair in pairs if isinstance(pair, list)] if isinstance(pairs, list) else []
    return [": ".join(map(str, pair))[:100] for pair in listed[:5]]


engine = SearXNG()
