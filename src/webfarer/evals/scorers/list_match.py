"""Lists in any order: which items of the reference stand in the answer, each used once.

The reference is `item.parts`, or the list that the reference answer is. Items are compared as `quasi_exact` compares
whole answers. A lead-in before a colon and an "and" before the last item may belong to the list or not: the reading
that fits best counts. An answer of more than 50,000 characters is a dump, not a list: it holds no items.
"""

from collections.abc import Sequence
from itertools import product

from webfarer.evals.matching import f1, final_answer, listed, paired
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged

_LONGEST = 50_000


class ListMatch(Averaged):
    """Right when both lists hold the same items."""

    metrics = ("correct", "precision", "recall", "f1")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark the answer's list."""
        item, said = attempt.item, final_answer(attempt.text)
        said = said if len(said) <= _LONGEST else ""
        readings = {
            (tuple(listed(said, lead, pair)), item.parts or tuple(listed(form, lead, pair)))
            for lead, pair in product((True, False), repeat=2)
            for form in item.accepted
        }
        marks = [against(*reading) for reading in readings]
        return Marks(max(marks, key=lambda values: (values["correct"], values["f1"], values["recall"])))


def against(said: Sequence[str], known: Sequence[str]) -> dict[str, float]:
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
