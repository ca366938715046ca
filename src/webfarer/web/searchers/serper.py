"""Serper, Google's results as an API. Source: serper.dev, playground and documentation."""

from typing import Any, ClassVar

from webfarer.core.config import Settings
from webfarer.core.errors import SearchError, SearchRateLimited
from webfarer.core.types import Hit
from webfarer.web.searchers._replies import Row, hits, json_object, list_in, said_in
from webfarer.web.searching import ApiReply, ApiRequest, Query, base_of, with_operators


class Serper:
    """The engine."""

    needs: ClassVar[str] = "serper_api_key"
    longest: ClassVar[int] = 2000

    def request(self, query: Query, settings: Settings) -> ApiRequest:
        """Ask for the organic results."""
        base = base_of("serper", settings.serper_base_url or "https://google.serper.dev", settings)
        body: dict[str, Any] = {"q": with_operators(query, self.longest, paths=True), "num": query.results}
        if query.language:
            body["hl"] = "zh-cn" if query.language == "zh" else query.language
        if query.since:
            body["tbs"] = f"cdr:1,cd_min:1/1/{query.since}"
        key = settings.serper_api_key.get_secret_value().strip()
        return ApiRequest(f"{base}/search", "POST", json=body, secret={"X-API-KEY": key})

    def parse(self, reply: ApiReply) -> list[Hit]:
        """Read `organic`."""
        rows = list_in(json_object(reply), "organic")
        return hits(Row(row.get("link"), row.get("title"), row.get("snippet"), row.get("date")) for row in rows)

    def refusal(self, reply: ApiReply) -> SearchError | None:
        """A plan that is used up answers 400."""
        if reply.status == 400 and "credit" in said_in(reply).lower():
            return SearchRateLimited("Serper: the plan's credits are used up", status=400, mend="buy credits")
        return None


engine = Serper()
