"""A number with its unit, anywhere in the answer, within a relative tolerance (`item.data["tolerance"]`, else exact).

The answer must commit itself: several different numbers that could be meant are wrong, whichever is right. Dates are
not numbers that could be meant, nor are years, unless the reference is one.
"""

import re

from webfarer.evals.matching import final_answer, iso_dates
from webfarer.evals.quantities import Quantity, quantities, quantity
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged

_DATE = re.compile(r"(?<!\d)(?:\d{4}-\d\d(?:-\d\d)?|--\d\d-\d\d)(?!\d)")
_LONGEST = 4000  # characters: a longer answer does not commit itself
_YEARS = range(1000, 2101)


class Numeric(Averaged):
    """Right when the one number given is the reference's; `given` is whether there is exactly one."""

    metrics = ("correct", "given")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer against every accepted form."""
        tolerance = float(attempt.item.data.get("tolerance", 0.0))
        known = [read for form in attempt.item.accepted if (read := _reference(form))]
        answers = [meant(final_answer(attempt.text), reference) for reference in known]
        right = any(said and said.agrees(true, tolerance) for said, true in zip(answers, known, strict=True))
        values = {"correct": float(right), "given": float(any(answers))}
        return Marks(values, {"read": [said and said.number for said in answers]})


def meant(text: str, reference: Quantity) -> Quantity | None:
    """Return the one quantity the answer gives that could be compared with the reference, or None."""
    if len(text) > _LONGEST:
        return None
    found = quantities(_undated(text))
    found = [q for q in found if q.kind == reference.kind] or [q for q in found if not q.kind or not reference.kind]
    if not (_is_year(reference) or all(map(_is_year, found))):
        found = [q for q in found if not _is_year(q)]
    return found[0] if found and all(q.agrees(found[0]) for q in found) else None


def _reference(text: str) -> Quantity | None:
    return quantity(text) or next(iter(quantities(text)), None)


def _is_year(found: Quantity) -> bool:
    return found.kind in ("", "year") and found.number in _YEARS


def _undated(text: str) -> str:
    return _DATE.sub(" ", iso_dates(text))


scorer = Numeric()
