"""What the tests of systems share: cases on a served site with a search engine, and runs of a system on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ask_kit import Asked, Place, place
from walk_kit import LIBRARY, QUESTION, TRUTH, Served

from webfarer.agents.runs import Options, play
from webfarer.agents.system import SYSTEMS, Case, Setting, System
from webfarer.core.fare import Budget
from webfarer.core.trace import Event
from webfarer.models.base import ChatModel, Message, Reply, Sampling
from webfarer.models.ruled import Ruled
from webfarer.web.extract import read_page
from webfarer.worlds.types import WorldSpec
from webfarer.worlds.world import generate

RULED = "ruled:overlap"


@dataclass(frozen=True)
class Asking:
    """A question about what is served; `gold` are paths."""

    question: str = QUESTION
    answer: str = TRUTH
    gold: tuple[str, ...] = ("visit/reading-room",)

    def case(self, system: str, setting: Setting, there: Place, **changes: Any) -> Case:
        """Return the case as a system may have it."""
        told = {"answer": self.answer, "gold": tuple(map(there.url, self.gold))} if kind(system).told else {}
        root = there.url() if setting in ("click", "both") else ""
        return Case(self.question, setting, **{"root": root, **told, **changes})


def kind(system: str) -> type[System]:
    found: type[System] = SYSTEMS.load(system)
    return found


def world() -> tuple[dict[str, Served], dict[str, str], Asking]:
    """Return a small generated site, what a search engine knows of it, and a question about two of its pages."""
    made = generate(WorldSpec("conference", 3, size=20, depth=2))
    pages: dict[str, Served] = {path: page.html.decode() for path, page in made.pages.items() if page.html}
    texts = {
        path: read_page(page.html, url="http://a.test" + path, content_type="text/html").markdown
        for path, page in made.pages.items()
        if page.html
    }
    question = next(each for each in made.questions if len(each.gold) > 1)
    return pages, texts, Asking(question.text, question.answer, tuple(path.lstrip("/") for path in question.gold))


def library(home: Path, pages: Mapping[str, Served] = LIBRARY, known: Mapping[str, str] = {}) -> Any:
    """Serve the library; the engine knows its reading room and what is in `known` besides, by path."""
    texts = {"/visit/reading-room": TRUTH, "/people": "people who open the room", **known}
    return place(home, pages, texts)


async def played(
    there: Place,
    system: str,
    setting: Setting | None = None,
    model: str | ChatModel | None = None,
    *,
    budget: Budget = Budget(steps=8),
    asking: Asking = Asking(),
    case: Mapping[str, Any] = {},
    **options: Any,
) -> Asked:
    """Let a system answer; the run is not recorded unless an id is given."""
    events: list[Event] = []
    made = {"settings": there.settings(), "record": "run_id" in options, "on_event": events.append, **options}
    chosen = asking.case(system, setting or kind(system).settings[0], there, **case)
    answer = await play(system, chosen, model=model, budget=budget, options=Options(**made))
    return Asked(answer, events, model)


class Listening:
    """A ruled model that remembers what it was asked."""

    def __init__(self) -> None:
        self._ruled = Ruled("overlap")
        self.name, self.context, self.count = self._ruled.name, self._ruled.context, self._ruled.count
        self.asked: list[list[Message]] = []

    async def complete(
        self, messages: Any, tools: Any = (), sampling: Sampling = Sampling(), call: Any = None
    ) -> Reply:
        self.asked.append(list(messages))
        return await self._ruled.complete(messages, tools, sampling, call)

    async def close(self) -> None:
        """Do nothing."""
