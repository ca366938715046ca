"""Near duplicates: texts most of whose shingles (runs of three terms) are the same.

Exact for the measure, Jaccard's, where MinHash would guess: two sets that are alike enough must share one of a few of
their shingles, whichever order is put on them, so only those are indexed. Not a judge of meaning. Source: Chaudhuri,
Ganti and Kaushik, "A Primitive Operator for Similarity Joins in Data Cleaning" (prefix filtering), ICDE 2006.
"""

import math
import zlib

from webfarer.core.text import words

_RUN = 3
_ROUNDING = 1e-9


def shingles(text: str) -> frozenset[int]:
    """Return the checksums of all runs of three terms; of a shorter text, of all of it."""
    terms = words(text) or text.split()
    starts = range(max(1, len(terms) - _RUN + 1))
    return frozenset(zlib.crc32(" ".join(terms[at : at + _RUN]).encode()) for at in starts)


class Near:
    """Texts, and which of them another text nearly repeats.

    Args:
        least: share of shingles, of all that either text has, from which two texts are near duplicates.
    """

    def __init__(self, least: float) -> None:
        self._least = least
        self._sets: list[frozenset[int]] = []
        self._postings: dict[int, list[int]] = {}

    def add(self, text: str) -> int | None:
        """Return the number of an added text that this one nearly repeats; add it, and return None, if there is none.

        Texts are numbered as they were added, from 0.
        """
        mine = shingles(text)
        # At least t of either set is in common, so the first 1 - t of both, in any one order, and one more, cannot be
        # disjoint. The order of checksums has nothing to do with the language: no run that all texts share comes first.
        first = sorted(mine)[: len(mine) - math.ceil(self._least * len(mine) - _ROUNDING) + 1]
        candidates = {number for shingle in first for number in self._postings.get(shingle, ())}
        for number in sorted(candidates):
            common = len(mine & self._sets[number])
            if common >= self._least * (len(mine) + len(self._sets[number]) - common) - _ROUNDING:
                return number
        self._sets.append(mine)
        for shingle in first:
            self._postings.setdefault(shingle, []).append(len(self._sets) - 1)
        return None
