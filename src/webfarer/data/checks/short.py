"""Short: the answer is an entity or a phrase, or a set of a few of them; not a sentence, and not empty.

The address of a page may be long. Source: the short-entity filter of WebWalkerQA (Wu et al., ACL 2025), whose answers
have a median of 24 characters; its bound is not published.
"""

import re

from webfarer.core.text import is_chinese
from webfarer.data.check import Desk
from webfarer.data.ground import Ground
from webfarer.data.question import Question

_PARTS = 12
_CHARS, _WORDS = 80, 12
_HAN_CHARS = 30
_SENTENCE = re.compile(r"[。！？\n]|[.!?]\s+[A-Z]|\w{2}[.!?]$")
_LEAST_WORDS = 4  # of what may be a sentence: "Acme Inc." is none


class ShortCheck:
    """Drops a question whose answer is too long."""

    order = 20
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        pass

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return which part of the answer is no short phrase."""
        if len(question.wanted) > _PARTS:
            return f"the answer has {len(question.wanted)} parts"
        wrong = [part for part in sorted(question.wanted) if part not in question.gold and not _phrase(part)]
        return f"no short phrase: {wrong[0][:200]!r}" if wrong else ""


def _phrase(part: str) -> bool:
    chinese, count = is_chinese(part), len(part.split())
    fits = len(part) <= (_HAN_CHARS if chinese else _CHARS) and count <= _WORDS
    sentence = (chinese or count >= _LEAST_WORDS) and _SENTENCE.search(part)
    return bool(part.strip()) and fits and not sentence


check = ShortCheck
