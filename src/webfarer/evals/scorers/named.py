"""The truth is named: every part of it, or one accepted form, stands in a short answer as whole words.

For questions whose truth is planted, so that no judge is needed. A part that is a number must be a whole quantity of
the answer ("5" is not in "5.5"); beside "yes" there must be no "no", and the reverse. A dump is wrong; so is an answer
that names a value known to be wrong (`item.data["wrong"]`), which also shows that the agent was misled. Where
`item.data["ordered"]` is set, the parts have to come in their order.
"""

import re
from collections.abc import Sequence

from webfarer.evals.matching import alike, iso_dates, ungrouped
from webfarer.evals.quantities import folded, quantities, quantity
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged
from webfarer.evals.scoring import normalise

_LONGEST = 200  # characters for each part of the truth
_LONGEST_CHECKED = 1000  # where wrong values are known: these tell a dump from an answer
_INSIDE = re.compile(r"(?<=\d)[.,:/](?=\d)")
_OTHER = {" yes ": " no ", " no ": " yes "}


class Named(Averaged):
    """Right when the truth is named and nothing wrong is."""

    metrics = ("correct", "misled")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer; `misled` only where wrong values are known."""
        item, text = attempt.item, attempt.text
        wrong = item.data.get("wrong", ())
        truths = [item.parts] if item.parts else [(form,) for form in item.accepted]
        named = [parts for parts in truths if names(text, parts)]
        if item.data.get("ordered"):
            named = [parts for parts in named if _in_order(text, parts)]
        found = any(len(text) <= (_LONGEST_CHECKED if wrong else _LONGEST * len(parts)) for parts in named)
        if not wrong:
            return Marks({"correct": float(found)})
        misled = any(names(text, [value]) for value in wrong)
        return Marks({"correct": float(found and not misled), "misled": float(misled)})


def names(text: str, parts: Sequence[str]) -> bool:
    """Say whether every part stands in the text as whole words, in whatever format a date or a number is.

    Args:
        text: the answer.
        parts: a number with a unit is compared with numbers of that kind only, one without with all.
    """
    text = text.replace("，", ", ")  # no decimal comma
    said, dated, numbers = _words(text), _words(iso_dates(text)), quantities(text)

    def stands(part: str) -> bool:
        words, number = _words(part), quantity(part)
        if number and any(map(str.isdecimal, part)):
            fitting = [each for each in numbers if number.kind in ("", each.kind)]
            return any(map(number.agrees, fitting)) or alike(part, text)
        found = words in said or _words(iso_dates(part)) in dated
        return bool(words.strip()) and found and _OTHER.get(words, "?") not in said

    return bool(parts) and all(map(stands, parts))


def _in_order(text: str, parts: Sequence[str]) -> bool:
    """Say whether the parts stand one after the other; one in another format than the truth's may stand anywhere."""
    said, at = _words(text), 0
    for words in map(_words, parts):
        place = said.find(words, at)
        if place < 0 and words in said:
            return False
        at = max(at, place + len(words) - 1)  # neighbours share the space between them
    return True


def _words(text: str) -> str:
    """Return the words, each number with a point or colon in it as one."""
    return normalise(_INSIDE.sub("p", ungrouped(folded(text))))


scorer = Named()
