"""Lists in any order: which items of the reference stand in the answer, each used once.

The reference is `item.parts`, or the list that the reference answer is. Items are compared as `quasi_exact` compares
whole answers. A lead-in before a colon and an "and" before the last item may belong to the list or not: the reading
that fits best counts.
"""

from itertools import product

from webfarer.evals.matching import f1, final_answer, listed, paired
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged


class ListMatch(Averaged):
    """Right when both lists hold the same items."""

    metrics = ("correct", "precision", "recall", "f1")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark the answer's list."""
        item, said = attempt.item, final_answer(attempt.text)
        marks = [
            against(listed(said, lead, pair), list(item.parts) or listed(form, lead, pair))
            for lead, pair in product((True, False), repeat=2)
            for form in item.accepted
        ]
        return Marks(max(marks, key=lambda values: (values["correct"], values["f1"])))


def against(said: list[str], known: list[str]) -> dict[str, float]:
    """Return the metrics of one list against another."""
    shared = paired(said, known)
    precision, recall = (shared / len(side) if side else 0.0 for side in (said, known))
    return {
        "correct": float(shared > 0 and shared == len(said) == len(known)),
        "precision": precision,
        "recall": recall,
        "f1": f1(precision, recall),
    }


scorer = ListMatch()
