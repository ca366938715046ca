"""One-shot RAG: one search with the question, its first ten pages, one answer. What agents have to be better than.

Source of the row in tables: naive RAG (Google's first ten results and a reader) in Wu et al., "WebWalker", ACL 2025.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.ending import Stop
from webfarer.agents.system import Case, ModelUse, Setting
from webfarer.agents.systems._ended import ended
from webfarer.agents.systems._reader import FinalReader
from webfarer.agents.systems._retrieval import Retrieval
from webfarer.core.types import Answer, StopReason


class OneShotRag:
    """Retrieves once and reads once."""

    model: ClassVar[ModelUse] = "used"
    settings: ClassVar[tuple[Setting, ...]] = ("search", "both")
    told: ClassVar[bool] = False

    def __init__(self, gear: Gear, case: Case) -> None:
        self._gear, self._case = gear, case
        self._retrieval = Retrieval(gear, case)
        self._reader = FinalReader(gear)

    async def answer(self) -> Answer:
        """Return the answer of the documents."""
        return await ended(self._gear, self._case.question, self._retrieval.pages, self._retrieve, self._read)

    async def _retrieve(self) -> Stop:
        await self._retrieval.gather()
        return Stop(StopReason.ANSWERED)

    async def _read(self) -> Stop:
        if not self._retrieval.pages:
            return Stop(StopReason.NO_SOURCES, self._retrieval.problem)
        return (await self._reader.read(self._case.question, self._retrieval.pages)).stop


system = OneShotRag
