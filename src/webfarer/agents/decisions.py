"""What a walker has to decide, as a protocol: which link next, is this useful, is it enough, what is the answer.

WebWalker's explorer is :meth:`Policy.choose`; its critic is :meth:`Policy.note` (is the observation useful) and
:meth:`Policy.judge` (is the memory sufficient). A policy sees a :class:`Walk` and never touches the web; whatever it
does that costs (a model call) goes through the run it was built with. It may keep state of its own: one policy object
serves one run. Source: Wu et al., "WebWalker: Benchmarking LLMs in Web Traversal", ACL 2025.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from webfarer.core.registry import Seam
from webfarer.core.run import Run
from webfarer.core.types import Claim, Conflict, Link, Note, Page
from webfarer.models.base import ChatModel

POLICIES = Seam("webfarer.agents.policies", "policy", "policy")


@dataclass(frozen=True, slots=True)
class Click:
    """Open a link of `page` (the current page, or an earlier one: then the walker goes back there first)."""

    page: Page
    link: Link
    thought: str = ""


@dataclass(frozen=True, slots=True)
class Back:
    """Go back to the page before; costs a step and no fetch."""

    thought: str = ""


@dataclass(frozen=True, slots=True)
class Enough:
    """Hand over to the critic: nothing more is worth opening."""

    thought: str = ""


Move = Click | Back | Enough


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before its quotes are checked.

    Attributes:
        text: the answer.
        claims: the statements it is made of, most important first, none of them checked yet.
        sources: further pages it draws on or that may hold the answer, best first.
        conflicts: claims that contradict each other.
    """

    text: str
    claims: tuple[Claim, ...] = ()
    sources: tuple[Page, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def claims_from(notes: Iterable[Note]) -> tuple[Claim, ...]:
    """Return each note as a claim."""
    return tuple(Claim(text=note.text, quote=note.quote) for note in notes)


@dataclass(frozen=True, slots=True)
class Failure:
    """A link that led nowhere, as the walker saw it."""

    url: str
    error: str
    message: str


@dataclass(slots=True)
class Walk:
    """What the walker knows; the policy reads it and must not change it.

    Attributes:
        question: what was asked.
        pages: pages read, in the order of their first reading; the first is the root.
        path: pages from the root to where the walker stands; the last is the current page.
        opened: URLs requested so far (requested, final and canonical forms), failed ones too.
        notes: the critic's memory.
        failures: links that led nowhere.
        steps: actions taken.
        steps_left: actions still allowed (infinity without a limit).
        scope: says whether a URL belongs to the site that was asked about.
    """

    question: str
    pages: list[Page] = field(default_factory=list)
    path: list[Page] = field(default_factory=list)
    opened: set[str] = field(default_factory=set)
    notes: list[Note] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    steps: int = 0
    steps_left: float = float("inf")
    scope: Callable[[str], bool] = lambda url: True

    def links(self, page: Page) -> list[Link]:
        """Return the links of `page` that lead to pages of the site not opened yet, first link per target."""
        fresh: dict[str, Link] = {}
        for link in page.links:
            if link.url not in self.opened and link.url not in fresh and self.scope(link.url):
                fresh[link.url] = link
        return list(fresh.values())

    @property
    def page(self) -> Page:
        """The current page."""
        return self.path[-1]


@dataclass(frozen=True, slots=True)
class Context:
    """What a policy is built with.

    Attributes:
        run: the way to side effects.
        model: the chat model, or None.
        seed: for policies that draw lots.
        temperature, top_p: of the model's moves.
    """

    run: Run
    model: ChatModel | None = None
    seed: int = 0
    temperature: float = 0.0
    top_p: float = 1.0


class Policy(Protocol):
    """Takes the walker's decisions. Modules of the seam define `policy`, a class or function that takes a Context."""

    needs_model: ClassVar[bool]

    async def note(self, walk: Walk) -> list[Note]:
        """Return what is worth keeping of the current page, each with an exact quote; called once per new page."""
        ...

    async def judge(self, walk: Walk) -> Draft | None:
        """Return the answer when the notes suffice, else None; called after `note` returned something."""
        ...

    async def choose(self, walk: Walk) -> Move:
        """Return the next action; `walk.links(page)` are the links that may be opened."""
        ...

    async def conclude(self, walk: Walk) -> Draft:
        """Return the best answer so far (empty text when there is none); called when the walk must end."""
        ...
