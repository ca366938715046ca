"""`walk`: hand a site to the walker, which clicks through it for one goal."""

from typing import ClassVar
from urllib.parse import urlsplit

from webfarer.agents.dance import Desk, Observation
from webfarer.agents.decisions import Failure
from webfarer.agents.walker import Walker
from webfarer.core.errors import FetchError
from webfarer.core.fare import Budget
from webfarer.models.base import Tool, ToolCall
from webfarer.web.guard import with_scheme
from webfarer.web.scope import Scope


class Walk:
    """Runs a walk inside this run, below its limits."""

    spec: ClassVar[Tool] = Tool(
        "walk",
        "Search one website from the inside by following its links, for what no search engine shows. It costs up to "
        "a dozen pages: use it when the site is the right one and the page is not known.",
        {
            "type": "object",
            "properties": {
                "url": {"type": "string", "description": "Where to start: the site's home page, or a page of it."},
                "goal": {"type": "string", "description": "What to find, as a full question."},
            },
            "required": ["url", "goal"],
        },
    )
    alone: ClassVar[bool] = True  # it records clicks between its calls

    async def use(self, call: ToolCall, desk: Desk) -> Observation:
        """Walk the site of the URL; a walk that finds nothing says so in its answer."""
        url, goal = str(call.arguments["url"]), str(call.arguments["goal"])
        try:
            url = await desk.admit(url)
        except FetchError as error:
            return Observation(call, problems=(Failure(url, type(error).__name__, error.message),))
        inner = desk.run.nested(Budget(steps=desk.walk_steps))
        walker = Walker(inner, desk.web, desk.policy(inner))
        answer = await walker.walk(url, goal, _scope(url, desk), tuple(desk.dance.pages.values()))
        return Observation(call, walked=(answer, tuple(walker.pages)))


def _scope(url: str, desk: Desk) -> Scope:
    """Return the chosen site that holds `url`, else its whole host."""
    for site in desk.sites:
        scope = Scope(with_scheme(site))
        if scope.holds(url):
            return scope
    parts = urlsplit(url)
    return Scope(f"{parts.scheme}://{parts.netloc}/")


tool = Walk()
