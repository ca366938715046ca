"""Tavily, search made for agents. Source: docs.tavily.com, "Search" (20 results; statuses 432 and 433 of the plan)."""

from typing import Any, ClassVar

from webfarer.core.config import Settings
from webfarer.core.errors import SearchError, SearchRateLimited
from webfarer.core.types import Hit
from webfarer.web.searchers._replies import Row, hits, json_object, list_in, said_in
from webfarer.web.searching import ApiReply, ApiRequest, Query, base_of

_MOST = 20


class Tavily:
    """The engine."""

    needs: ClassVar[str] = "tavily_api_key"
    longest: ClassVar[int] = 400

    def request(self, query: Query, settings: Settings) -> ApiRequest:
        """Ask for the cheapest kind of search."""
        base = base_of("tavily", "https://api.tavily.com", settings)
        body: dict[str, Any] = {"query": query.text[: self.longest], "max_results": min(query.results, _MOST)}
        if query.sites:
            body["include_domains"] = list(dict.fromkeys(site.partition("/")[0] for site in query.sites))
        if query.since:
            body["start_date"] = f"{query.since}-01-01"
        key = settings.tavily_api_key.get_secret_value().strip()
        return ApiRequest(f"{base}/search", "POST", json=body, secret={"Authorization": f"Bearer {key}"})

    def parse(self, reply: ApiReply) -> list[Hit]:
        """Read `results`."""
        rows = list_in(json_object(reply), "results")
        return hits(
            Row(row.get("url"), row.get("title"), row.get("content"), row.get("published_date")) for row in rows
        )

    def refusal(self, reply: ApiReply) -> SearchError | None:
        """Two statuses of its own say that the plan is used up."""
        if reply.status in (432, 433):
            message = f"Tavily: the plan is used up{said_in(reply)}"
            return SearchRateLimited(message, status=reply.status, mend="raise the plan's limit")
        return None


engine = Tavily()
