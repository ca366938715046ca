"""Brave Search, an index of its own. Source: api-dashboard.search.brave.com, "Web search" (400 characters, 50 words).

The engine's own limit by date wants an end as well, which a pure request does not know; the client drops old hits.
"""

from typing import ClassVar

from webfarer.core.config import Settings
from webfarer.core.errors import SearchAuth, SearchError
from webfarer.core.types import Hit
from webfarer.web.searchers._replies import Row, hits, json_object, list_in, said_in
from webfarer.web.searching import ApiReply, ApiRequest, Query, base_of, with_operators

_MOST, _WORDS, _OPERATORS = 20, 50, 10
_LANGUAGES = {"zh": "zh-hans", "ja": "jp", **{code: code for code in "de en es fr it ko nl pl ru".split()}}


class Brave:
    """The engine."""

    needs: ClassVar[str] = "brave_api_key"
    longest: ClassVar[int] = 400

    def request(self, query: Query, settings: Settings) -> ApiRequest:
        """Ask for web results."""
        base = base_of("brave", "https://api.search.brave.com", settings)
        words = " ".join(query.text.split()[: _WORDS - _OPERATORS])
        narrowed = Query(words, sites=query.sites[: _OPERATORS // 2])  # each site costs a word, and "OR" another
        params = {"q": with_operators(narrowed, self.longest), "count": str(min(query.results, _MOST))}
        if query.language in _LANGUAGES:  # any other is answered with 422
            params["search_lang"] = _LANGUAGES[query.language]
        key = settings.brave_api_key.get_secret_value().strip()
        return ApiRequest(f"{base}/res/v1/web/search", params=params, secret={"X-Subscription-Token": key})

    def parse(self, reply: ApiReply) -> list[Hit]:
        """Read `web.results`, which is missing when nothing was found."""
        answer = json_object(reply)
        if answer.get("type") == "search" and "web" not in answer:
            return []
        rows = list_in(answer, "web", "results")
        return hits(Row(row.get("url"), row.get("title"), row.get("description"), row.get("page_age")) for row in rows)

    def refusal(self, reply: ApiReply) -> SearchError | None:
        """A wrong key answers 422."""
        if reply.status == 422 and "token" in reply.body.lower():
            return SearchAuth(f"Brave refuses the key{said_in(reply)}", status=422)
        return None


engine = Brave()
