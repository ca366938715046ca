"""Needles: which of the statements hidden in a long text come back in the answer.

The needles are `item.parts`, or the accepted forms of the one there is. An answer so long that it could be the haystack
itself recovers none.
"""

from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged
from webfarer.evals.scorers.named import names

_LONGEST = 1000  # characters of an answer, and as many again for each needle


class Needle(Averaged):
    """Right when every needle is recovered; `share` is how many are."""

    metrics = ("correct", "share")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer."""
        item, text = attempt.item, attempt.text
        needles: list[tuple[str, ...]] = [(part,) for part in item.parts] if item.parts else [item.accepted]
        fits = len(text) <= _LONGEST * (1 + len(needles))
        found = [fits and any(names(text, [form]) for form in forms) for forms in needles]
        missed = [forms[0] for forms, there in zip(needles, found, strict=True) if not there]
        return Marks({"correct": float(all(found)), "share": sum(found) / len(found)}, {"missed": missed})


scorer = Needle()
