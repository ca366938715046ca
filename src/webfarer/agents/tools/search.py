"""`search`: several queries at once."""

from typing import ClassVar

from webfarer.agents.dance import Desk, Observation, together
from webfarer.agents.decisions import Failure
from webfarer.core.errors import BudgetExceeded, SearchError
from webfarer.core.types import Hit
from webfarer.models.base import Tool, ToolCall

_MOST = 5


class Search:
    """Asks the search engines."""

    spec: ClassVar[Tool] = Tool(
        "search",
        "Search the web. Gives titles, addresses and snippets; a snippet is no evidence, visit the page for that.",
        {
            "type": "object",
            "properties": {
                "query": {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "description": f"Up to {_MOST} queries, asked at once; few, telling words each.",
                }
            },
            "required": ["query"],
        },
    )
    alone: ClassVar[bool] = False

    async def use(self, call: ToolCall, desk: Desk) -> Observation:
        """Ask every query; one that fails is a problem, the others still count."""
        queries = [query for query in dict.fromkeys(map(str.strip, call.arguments["query"])) if query][:_MOST]
        asked = await together(*(self._ask(query, desk) for query in queries))
        return Observation(
            call,
            results=tuple((query, hits) for query, hits in zip(queries, asked, strict=True) if isinstance(hits, tuple)),
            problems=tuple(problem for problem in asked if isinstance(problem, Failure)),
        )

    async def _ask(self, query: str, desk: Desk) -> tuple[Hit, ...] | Failure:
        try:
            return tuple(await desk.search.find(desk.run, query, sites=desk.sites))
        except (SearchError, BudgetExceeded) as error:
            return Failure(query, type(error).__name__, error.message)


tool = Search()
