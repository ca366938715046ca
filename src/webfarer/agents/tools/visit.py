"""`visit`: open several pages and read each for one goal."""

from typing import ClassVar

from webfarer.agents.dance import Desk, Observation, Reading, together
from webfarer.agents.decisions import Failure
from webfarer.agents.provenance import key_of
from webfarer.agents.walker import WHY_NOT
from webfarer.core.errors import BudgetExceeded, FetchError, Refused
from webfarer.core.types import PageKind
from webfarer.models.base import Tool, ToolCall

_MOST = 5


class Visit:
    """Opens pages; what the mind reads in them comes back, never the pages themselves."""

    spec: ClassVar[Tool] = Tool(
        "visit",
        "Open pages (HTML, PDF, office documents); gives the passages that serve a goal, word for word, and a summary.",
        {
            "type": "object",
            "properties": {
                "url": {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "description": f"Up to {_MOST} addresses, from the question, search results or pages read.",
                },
                "goal": {"type": "string", "description": "What to look for on these pages."},
            },
            "required": ["url", "goal"],
        },
    )
    alone: ClassVar[bool] = False

    async def use(self, call: ToolCall, desk: Desk) -> Observation:
        """Open and read every page; one that fails is a problem, and one that was read before is not fetched again."""
        urls = list({key_of(url) or url: url for url in call.arguments["url"]}.values())[:_MOST]
        came = await together(*(self._visit(url, str(call.arguments["goal"]), desk) for url in urls))
        return Observation(
            call,
            readings=tuple(reading for reading in came if isinstance(reading, Reading)),
            problems=tuple(problem for problem in came if isinstance(problem, Failure)),
        )

    async def _visit(self, url: str, goal: str, desk: Desk) -> Reading | Failure:
        try:
            address = await desk.admit(url)
            page = desk.dance.page_at(address) or await desk.web.open(desk.run, address)
            if not desk.provenance.inside(page.url):
                raise Refused(f"it leads out of the chosen sites, to {page.url}")
        except (FetchError, BudgetExceeded) as error:
            return Failure(url, type(error).__name__, error.message)
        if page.kind is not PageKind.CONTENT and not page.links:
            return Failure(url, str(page.kind), WHY_NOT[page.kind])
        try:
            return await desk.mind.read(page, goal)
        except BudgetExceeded:
            return Reading(page, goal)  # it is paid for, and its links may be of use


tool = Visit()
