"""The few lines of a passage that show why it was found.

Plain text for people and prompts, not a quote: marks are gone and white space is folded, so offsets mean nothing.
"""

import re
from collections.abc import Collection

from webfarer.core.text import words

MOST = 300
_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_MARKS = re.compile(r"^[\s>#*+-]+|[`*|]+")


def snippet(passage: str, terms: Collection[str], most: int = MOST) -> str:
    """Return the run of whole sentences of at most `most` characters that holds the most different terms."""
    wanted = set(terms)
    pieces = [text for piece in _ENDS.split(passage) if (text := " ".join(_MARKS.sub(" ", piece).split()))]
    found = [wanted.intersection(words(piece)) for piece in pieces]
    best, best_count = "", -1
    for first in range(len(pieces)):
        text, held = pieces[first], set(found[first])
        for piece, more in zip(pieces[first + 1 :], found[first + 1 :], strict=True):
            if len(text) + 1 + len(piece) > most:
                break
            text, held = f"{text} {piece}", held | more
        if len(held) > best_count:
            best, best_count = text, len(held)
    return best if len(best) <= most else _around(best, wanted, most)


def _around(sentence: str, wanted: set[str], most: int) -> str:
    """Cut a sentence that is too long by itself, beginning a little before the first word that was asked for."""
    starts = [match.start() for match in re.finditer(r"\S+", sentence) if wanted.intersection(words(match[0]))]
    at = max(0, min((starts or [0])[0] - most // 4, len(sentence) - most + 2))
    cut = sentence[at : at + most - 2]
    return ("…" if at else "") + cut.strip() + ("…" if at + most - 2 < len(sentence) else "")
