"""Token F1 as the SQuAD script defines it, Chinese by character; the best of the accepted forms."""

from webfarer.evals.matching import f1
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged
from webfarer.evals.scorers._squad import common, same, tokens


class TokenF1(Averaged):
    """How many words answer and reference share."""

    metrics = ("f1", "precision", "recall", "exact")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer against the form it fits best."""
        return Marks(max((overlap(attempt.text, form) for form in attempt.item.accepted), key=lambda each: each["f1"]))


def overlap(answer: str, reference: str) -> dict[str, float]:
    """Return the metrics of one answer against one form."""
    mine, yours = tokens(answer), tokens(reference)
    shared = common(mine, yours)
    precision, recall = (shared / len(side) if side else 0.0 for side in (mine, yours))
    exact = same(answer, reference)
    score = 1.0 if exact else f1(precision, recall)  # nothing but signs has no tokens to count
    return {"f1": score, "precision": precision, "recall": recall, "exact": float(exact)}


scorer = TokenF1()
