"""Research for one question after another that share what was read: pages, results, evidence, known addresses.

Each question gets a searching agent of its own (mind, conversation, limits); what the earlier ones read is open to it,
and their evidence that fits its question is evidence for it too. One after another, never side by side, so that a
resumed run numbers evidence as it did.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from webfarer.agents.asking import Gear
from webfarer.agents.dance import MINDS, TOOLS, Dance, Desk, Setting, ToolPlugin
from webfarer.agents.dancer import Dancer
from webfarer.agents.excerpts import scores
from webfarer.agents.provenance import Provenance
from webfarer.core.run import Run
from webfarer.core.types import Answer, Hit, Page, Quote
from webfarer.web.search import Search

_SHARED = 12  # quotes of earlier questions that a later one starts with


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of one question: the agent's own answer, and everything it may be written from."""

    answer: Answer
    dance: Dance


class Research:
    """Finds answers; use as an asynchronous context manager.

    Args:
        gear: what it is made with.
        where: how and where to look, from :func:`webfarer.agents.asking.described`.

    Attributes:
        pages: pages read so far, by archive id.

    Raises:
        ConfigError: a setting cannot work.
    """

    def __init__(self, gear: Gear, where: Mapping[str, Any]) -> None:
        self._gear, self._where = gear, where
        self._tools: dict[str, ToolPlugin] = {name: TOOLS.load(name) for name in where["tools"]}
        engines = gear.settings.search.model_copy(update={"engines": tuple(where["engines"])})
        settings = gear.settings.model_copy(update={"search": engines})
        self._search = Search(settings, gear.web.archive)
        self._provenance = Provenance("", where["start"], where["sites"])
        self._evidence: list[Quote] = []
        self._hits: dict[str, Hit] = {}
        self.pages: dict[str, Page] = {}
        self._desk("", gear.run)  # before the first event: a setting may not work

    async def __aenter__(self) -> Self:
        await self._search.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._search.__aexit__(kind, error, trace)

    def hear(self, said: str) -> None:
        """Let every URL in `said` be opened, which the user said before the first question."""
        self._provenance = Provenance(said, self._where["start"], self._where["sites"])

    async def find(self, question: str, run: Run) -> Findings:
        """Search for the answer to `question` within the limits of `run`."""
        desk = self._desk(question, run)
        answer = await Dancer(desk, self._tools).dance()
        dance = desk.dance
        self.pages.update(dance.pages)
        self._hits.update(dance.hits)
        self._evidence += [quote for quote in dance.evidence if quote not in self._evidence]
        return Findings(answer, dance)

    def _desk(self, question: str, run: Run) -> Desk:
        gear, where, settings, ask = (
            replace(self._gear, run=run),
            self._where,
            self._gear.settings,
            self._gear.settings.ask,
        )
        setting = Setting(
            run,
            gear.metered(run),
            dialect=ask.dialect,
            context=ask.context,
            seed=settings.seed,
            temperature=settings.temperature,
            top_p=settings.top_p,
            thoughts=ask.thoughts,
        )
        specs = {name: tool.spec for name, tool in self._tools.items()}
        return Desk(
            run=run,
            web=gear.web,
            search=self._search,
            mind=MINDS.load(ask.mind or ("chat" if gear.model else "lexical"))(setting),
            dance=Dance(
                question,
                specs,
                tuple(where["start"]),
                evidence=self._fitting(question),
                pages=dict(self.pages),
                hits=dict(self._hits),
            ),
            provenance=self._provenance,
            policy=gear.policy,
            sites=tuple(where["sites"]),
            walk_steps=ask.walk_steps,
            person=gear.person,
        )

    def _fitting(self, question: str) -> list[Quote]:
        """Return the evidence so far that shares words with `question`, best first."""
        texts = (f"{self._title(quote)} {quote.text}" for quote in self._evidence)
        fit = scores(question, texts)
        best = sorted(range(len(fit)), key=lambda number: -fit[number])[:_SHARED]
        return [self._evidence[number] for number in best if fit[number] > 0]

    def _title(self, quote: Quote) -> str:
        page = self.pages.get(quote.page)
        return page.title if page else ""


def asker(gear: Gear, start: Mapping[str, Any]) -> Callable[[], Awaitable[Answer]]:
    """Return the search for the answer to `start["question"]`, ready to go.

    Args:
        gear: what it is made with.
        start: the run's first event; its `asking` comes from :func:`webfarer.agents.asking.described`.

    Raises:
        ConfigError: a setting cannot work.
    """
    research = Research(gear, start["asking"])
    research.hear(start["question"])

    async def go() -> Answer:
        async with research:
            return (await research.find(start["question"], gear.run)).answer

    return go
