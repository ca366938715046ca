"""WebWalker with RAG, its first variant: the walker's notes and the retrieved documents go to one final reader.

Breadth from a search engine, depth from the walk, neither of which knows of the other until the end. The documents
take at most half of the pages. Source: Wu et al., "WebWalker", ACL 2025. The second variant is `rag_walker`.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Draft, Move, Policy, Walk, claims_from
from webfarer.agents.ending import Stop
from webfarer.agents.system import Case, ModelUse, Setting
from webfarer.agents.systems._ended import after, ended
from webfarer.agents.systems._reader import FinalReader
from webfarer.agents.systems._retrieval import Retrieval
from webfarer.agents.systems._walking import root_of
from webfarer.agents.walker import Walker
from webfarer.core.types import Answer, Note, Page


class Remembering:
    """Takes the decisions of another policy, and keeps its notes; the last answer is somebody else's to make."""

    needs_model: ClassVar[bool] = False  # for the last answer, which is the notes as they are

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.notes: list[Note] = []

    async def note(self, walk: Walk) -> list[Note]:
        """Return what is worth keeping of the current page."""
        found = await self._policy.note(walk)
        self.notes += found
        return found

    async def judge(self, walk: Walk) -> Draft | None:
        """Return the answer when the notes suffice: it ends the walk."""
        return await self._policy.judge(walk)

    async def choose(self, walk: Walk) -> Move:
        """Return the next action."""
        return await self._policy.choose(walk)

    async def conclude(self, walk: Walk) -> Draft:
        """Return the notes as they are."""
        return Draft("\n".join(note.text for note in self.notes), claims_from(self.notes))


class WalkerRag:
    """Retrieves, walks, reads."""

    model: ClassVar[ModelUse] = "used"
    settings: ClassVar[tuple[Setting, ...]] = ("both",)
    told: ClassVar[bool] = False

    def __init__(self, gear: Gear, case: Case) -> None:
        self._gear, self._case, self._root = gear, case, root_of(case)
        self._retrieval = Retrieval(gear, case)
        self._memory = Remembering(gear.policy(gear.run))
        self._reader = FinalReader(gear)
        self._pages: dict[str, Page] = {}
        self._walked: list[Page] = []

    async def answer(self) -> Answer:
        """Return what notes and documents say together."""
        return await ended(self._gear, self._case.question, self._pages, self._gather, self._read)

    async def _gather(self) -> Stop:
        await self._retrieval.gather(half=True)
        walker = Walker(self._gear.run, self._gear.web, self._memory)
        self._walked = walker.pages
        return after(await walker.walk(self._root, self._case.question))

    async def _read(self) -> Stop:
        documents = self._retrieval.pages
        self._pages.update(documents)
        self._pages.update((page.id, page) for page in self._walked)
        return (await self._reader.read(self._case.question, documents, self._memory.notes, self._walked)).stop


system = WalkerRag
