"""The truth is named: every part of it, or one accepted form, stands in a short answer as whole words.

For questions whose truth is planted, so that no judge is needed. An answer that is a dump is wrong; so is one that
names a value known to be wrong (`item.data["wrong"]`), which also shows that the agent was misled.
"""

from collections.abc import Sequence

from webfarer.evals.matching import iso_dates
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged
from webfarer.evals.scoring import normalise

_LONGEST = 200  # characters for each part of the truth
_LONGEST_CHECKED = 1000  # where wrong values are known: these tell a dump from an answer


class Named(Averaged):
    """Right when the truth is named and nothing wrong is."""

    metrics = ("correct", "misled")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer; `misled` only where wrong values are known."""
        item, text = attempt.item, attempt.text
        wrong = item.data.get("wrong", ())
        truths = [item.parts] if item.parts else [(form,) for form in item.accepted]
        named = [parts for parts in truths if names(text, parts)]
        found = any(len(text) <= (_LONGEST_CHECKED if wrong else _LONGEST * len(parts)) for parts in named)
        if not wrong:
            return Marks({"correct": float(found)})
        misled = any(names(text, [value]) for value in wrong)
        return Marks({"correct": float(found and not misled), "misled": float(misled)})


def names(text: str, parts: Sequence[str]) -> bool:
    """Say whether every part stands in the text as whole words, in whatever format a date is."""
    if not parts or not all(normalise(part).strip() for part in parts):
        return False
    said, dated = normalise(text), normalise(iso_dates(text))
    return all(normalise(part) in said or normalise(iso_dates(part)) in dated for part in parts)


scorer = Named()
