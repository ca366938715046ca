"""WebWalker with RAG, its second variant: retrieval first, and the walk only when the documents do not suffice.

The walk starts at the root and knows the documents: those of the site are not opened again, and what they say and link
to counts. Cheaper than `walker_rag` where a search is enough. Source: Wu et al., "WebWalker", ACL 2025.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Draft
from webfarer.agents.ending import Stop
from webfarer.agents.system import Case, ModelUse, Setting
from webfarer.agents.systems._ended import after, ended
from webfarer.agents.systems._reader import FinalReader
from webfarer.agents.systems._retrieval import Retrieval
from webfarer.agents.systems._walking import root_of
from webfarer.agents.walker import Walker
from webfarer.core.types import Answer, Page


class RagWalker:
    """Retrieves, reads, and walks if need be."""

    model: ClassVar[ModelUse] = "used"
    settings: ClassVar[tuple[Setting, ...]] = ("both",)
    told: ClassVar[bool] = False

    def __init__(self, gear: Gear, case: Case) -> None:
        self._gear, self._case, self._root = gear, case, root_of(case)
        self._retrieval = Retrieval(gear, case)
        self._policy = gear.policy(gear.run)
        self._reader = FinalReader(gear)
        self._pages: dict[str, Page] = {}

    async def answer(self) -> Answer:
        """Return the answer of the documents, or else the walk's."""
        return await ended(self._gear, self._case.question, self._pages, self._go, self._read)

    async def _go(self) -> Stop:
        await self._retrieval.gather(half=True)
        documents = self._retrieval.pages
        self._pages.update(documents)
        verdict = await self._reader.read(self._case.question, documents)
        if verdict.sufficient:
            return verdict.stop
        walker = Walker(self._gear.run, self._gear.web, self._policy)
        walked = await walker.walk(self._root, self._case.question, known=tuple(documents.values()))
        self._pages.update((page.id, page) for page in walker.pages)
        own = Draft(walked.text, walked.claims, tuple(walker.pages), walked.conflicts)
        return after(walked, own if walked.text else verdict.draft)

    async def _read(self) -> Stop:
        """Read what there is when a limit came before the documents were read."""
        self._pages.update(self._retrieval.pages)
        return (await self._reader.read(self._case.question, self._retrieval.pages)).stop


system = RagWalker
