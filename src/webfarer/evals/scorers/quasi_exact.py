"""Quasi-exact match: GAIA's rules for numbers, lists and strings, and the same for Chinese, units and dates.

`official` follows the published rules to the letter, on the answer as given; `correct` also accepts full-width
digits, units, currencies, Chinese separators and a date in another format. Order in a list counts (see `list_match`),
and a list is compared with lists only.
Source: Mialon et al., "GAIA: a benchmark for General AI Assistants", 2023, and its leaderboard's scorer.
"""

import math
import re
import string

from webfarer.evals.matching import alike, final_answer, iso_dates
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged

_SEPARATOR = re.compile("[,;]")
_WIDE_SEPARATOR = re.compile(r"[;、]|,(?!\d{3}(?!\d))|(?<!\d),")


class QuasiExact(Averaged):
    """Right when the answer is the reference, up to how it is written."""

    metrics = ("correct", "official")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark what follows "FINAL ANSWER:", or the whole answer."""
        said = final_answer(attempt.text)
        strict = any(official(said, form) for form in attempt.item.accepted)
        right = strict or any(quasi_exact(said, form) for form in attempt.item.accepted)
        return Marks({"correct": float(right), "official": float(strict)}, {"read": said[:500]})


def official(answer: str, reference: str) -> bool:
    """Compare as the published scorer does; an empty answer is never right."""
    if not answer.strip() or not reference.strip():
        return False
    if _number(reference) is not None:
        return _plain_number(answer) == _number(reference)
    if _SEPARATOR.search(reference):
        said, known = _SEPARATOR.split(answer), _SEPARATOR.split(reference)
        return len(said) == len(known) and all(map(_same_element, said, known))
    return _bare(answer, string.punctuation) == _bare(reference, string.punctuation) or answer == reference


def quasi_exact(answer: str, reference: str) -> bool:
    """Compare as a number with unit, as a list, as a date or as text, whatever the reference is."""
    said, known = _elements(answer), _elements(reference)
    if max(len(said), len(known)) > 1:
        return len(said) == len(known) and all(map(alike, said, known))
    return alike(answer, reference)


def _elements(text: str) -> list[str]:
    return [part for part in _WIDE_SEPARATOR.split(iso_dates(text)) if part.strip()]


def _same_element(answer: str, reference: str) -> bool:
    number = _number(reference)
    return _plain_number(answer) == number if number is not None else _bare(answer, "") == _bare(reference, "")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _plain_number(text: str) -> float | None:
    return _number(text.translate(str.maketrans("", "", "$%,")))


def _bare(text: str, dropped: str) -> str:
    return "".join(sign for sign in text.lower() if not sign.isspace() and sign not in dropped)


scorer = QuasiExact()
