"""Exact match after normalisation, as the SQuAD script defines it, with any accepted form."""

from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged
from webfarer.evals.scorers._squad import same


class Exact(Averaged):
    """Right when the normalised answer is the normalised reference."""

    metrics = ("correct",)

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer."""
        return Marks({"correct": float(any(same(attempt.text, form) for form in attempt.item.accepted))})


scorer = Exact()
