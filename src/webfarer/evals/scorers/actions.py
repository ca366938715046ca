"""Action count: the steps an attempt took, as WebWalkerQA counts them. The report averages them over correct runs."""

from typing import ClassVar

from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged


class Actions(Averaged):
    """Counts steps; an attempt that failed has none to count."""

    decides: ClassVar[bool] = False
    metrics = ("steps",)

    async def mark(self, attempt: Attempt) -> Marks:
        """Return the steps of the answer's fare."""
        return Marks({"steps": float(attempt.answer.fare.steps)} if attempt.answer else {})


scorer = Actions()
