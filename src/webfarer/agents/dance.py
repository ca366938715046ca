"""What a searching agent knows and has to decide: think, act, observe, and one day answer.

A mind takes the decisions, tools carry them out, :class:`webfarer.agents.dancer.Dancer` runs the loop. A mind never
touches the web; what it does that costs (a model call) goes through the run it was built with. One mind object serves
one run. Source: Wu et al., "WebDancer: Towards Autonomous Information Seeking Agency", NeurIPS 2025.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, TypeVar

from webfarer.agents.decisions import Draft, Failure, Policy, claims_from
from webfarer.agents.people import Person, consult
from webfarer.agents.provenance import Provenance, UnknownOrigin, key_of
from webfarer.core.registry import Seam
from webfarer.core.run import Run
from webfarer.core.types import Answer, Hit, Note, Page, Quote
from webfarer.models.base import ChatModel, Tool, ToolCall
from webfarer.web.client import Web
from webfarer.web.search import Search

T = TypeVar("T")

MINDS = Seam("webfarer.agents.minds", "mind", "mind")
TOOLS = Seam("webfarer.agents.tools", "tool", "tool")


@dataclass(frozen=True, slots=True)
class Act:
    """One decision: calls to be made side by side, or the answer."""

    thought: str = ""
    calls: tuple[ToolCall, ...] = ()
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What goal-directed reading took from a page.

    Attributes:
        page: the page.
        goal: what was looked for.
        rational: where on the page it is, or why it is not there.
        evidence: the passages, exactly as on the page.
        summary: what they say, in a few sentences.
    """

    page: Page
    goal: str
    rational: str = ""
    evidence: tuple[Quote, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What came of one call.

    Attributes:
        call: the call.
        results: for each query of a search, its results.
        readings: pages read.
        quotes: passages found in a page.
        walked: the answer of a walk, and the pages it read.
        problems: what did not work; `url` may also be a query.
        note: a line of our own for the mind, or "".
    """

    call: ToolCall
    results: tuple[tuple[str, tuple[Hit, ...]], ...] = ()
    readings: tuple[Reading, ...] = ()
    quotes: tuple[Quote, ...] = ()
    walked: tuple[Answer, tuple[Page, ...]] | None = None
    problems: tuple[Failure, ...] = ()
    note: str = ""


@dataclass(slots=True)
class Dance:
    """What the agent knows; the mind reads it and must not change it.

    Attributes:
        question: what was asked.
        tools: what may be called, by name.
        start: URLs the user named.
        steps: decisions so far, with what came of them.
        evidence: quotes found so far; the answer cites them by number, from 1.
        pages: pages read, by archive id.
        hits: search results, by URL.
    """

    question: str
    tools: Mapping[str, Tool]
    start: tuple[str, ...] = ()
    steps: list[tuple[Act, list[Observation]]] = field(default_factory=list)
    evidence: list[Quote] = field(default_factory=list)
    pages: dict[str, Page] = field(default_factory=dict)
    hits: dict[str, Hit] = field(default_factory=dict)

    def cite(self, quote: Quote) -> int:
        """Return the number of `quote`, which becomes evidence unless it is already."""
        if quote not in self.evidence:
            self.evidence.append(quote)
        return self.evidence.index(quote) + 1

    def page_at(self, url: str) -> Page | None:
        """Return the page that was read at `url`, if there is one."""
        key = key_of(url)
        return next((page for page in self.pages.values() if key_of(page.url) == key), None) if key else None

    def as_found(self) -> Draft:
        """Return the evidence itself as the answer, for when nobody can word one."""
        notes = [Note(text=" ".join(quote.text.split()), quote=quote) for quote in self.evidence]
        return Draft("\n".join(note.text for note in notes), claims_from(notes))

    def learn(self, seen: Observation) -> None:
        """Take in what a call brought."""
        for _, hits in seen.results:
            for hit in hits:
                self.hits.setdefault(hit.url, hit)
        for page in (*(reading.page for reading in seen.readings), *(seen.walked[1] if seen.walked else ())):
            self.pages.setdefault(page.id, page)
        quotes = [quote for reading in seen.readings for quote in reading.evidence]
        quotes += [claim.quote for claim in (seen.walked[0].claims if seen.walked else ()) if claim.quote]
        for quote in (*quotes, *seen.quotes):
            self.cite(quote)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a mind is built with.

    Attributes:
        run: the way to side effects.
        model: the chat model, or None.
        dialect: id of the way the model calls tools, or "" for the model's own.
        context: id of the context policy.
        seed: for whatever draws lots.
        temperature, top_p: of what the model decides to do next.
        thoughts: whether the model is shown what it thought in earlier steps: "withheld" or "kept".
    """

    run: Run
    model: ChatModel | None = None
    dialect: str = ""
    context: str = "keep_all"
    seed: int = 0
    temperature: float = 0.0
    top_p: float = 1.0
    thoughts: str = "withheld"


async def together(*work: Awaitable[T]) -> list[T]:
    """Await everything side by side; when some of it failed, raise the first error once all of it has ended."""
    done = await asyncio.gather(*work, return_exceptions=True)
    for ended in done:
        if isinstance(ended, BaseException):
            raise ended
    return [ended for ended in done if not isinstance(ended, BaseException)]


class Mind(Protocol):
    """Takes the dancer's decisions. Modules of the seam define `mind`, a class that takes a Setting."""

    needs_model: ClassVar[bool]

    async def act(self, dance: Dance) -> Act:
        """Return the next calls, or the answer."""
        ...

    async def read(self, page: Page, goal: str) -> Reading:
        """Read `page` for `goal`; the evidence is quoted exactly."""
        ...

    async def conclude(self, dance: Dance) -> Draft:
        """Return the best answer so far (empty text when there is none); called when the run must end."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What tools work with.

    Attributes:
        run: the way to side effects.
        web: pages.
        search: search engines.
        mind: reads pages.
        dance: what is known.
        provenance: which URLs may be opened.
        policy: makes the decisions of a walk, charged to the run it is given.
        sites: the only sites that may be opened; () for any.
        walk_steps: most actions of one walk.
        person: who may be asked, or None.
    """

    run: Run
    web: Web
    search: Search
    mind: Mind
    dance: Dance
    provenance: Provenance
    policy: Callable[[Run], Policy]
    sites: tuple[str, ...] = ()
    walk_steps: int = 15
    person: Person | None = None

    async def admit(self, url: str) -> str:
        """Return the address to open for `url`; one of unknown origin only when a person allows it.

        Raises:
            Refused: it may not be opened.
        """
        try:
            return self.provenance.check(url)
        except UnknownOrigin:
            question = "The agent wants to open an address that nobody named and no page it read links to. Open it?"
            said = await consult(self.run, self.person, question, choices=("yes", "no"), shown=url, default="no")
            if said != "yes":
                raise
        self.provenance.grant(url)
        return self.provenance.check(url)


class ToolPlugin(Protocol):
    """One tool. Modules of the seam define `tool`, an object of this kind.

    Attributes:
        spec: name, description and arguments, as models are told.
        alone: its calls are not made side by side with others.
    """

    spec: ClassVar[Tool]
    alone: ClassVar[bool]

    async def use(self, call: ToolCall, desk: Desk) -> Observation:
        """Carry out a call whose arguments fit the schema; what goes wrong on the web is told in the observation.

        It reads the dance and changes nothing: calls made side by side must not depend on which one ends first. A
        spent budget is a problem like any other; the dancer ends the run before its next step.
        """
        ...
