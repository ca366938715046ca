"""What a row is about, as a vector: TF-IDF over its question and what the model wrote, and rows like it.

Not an embedding: no model is asked, and words that mean the same are strangers. A vector keeps its heaviest terms only,
which loses little of its direction and keeps 5,000 rows within seconds. Invariant: every vector has length 1 (or no
term at all), so a dot product is a cosine. Source: Salton and Buckley, Information Processing & Management 1988.
"""

import heapq
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from webfarer.core.text import words
from webfarer.data.row import Row

_HEAVIEST = 32

Vector = Mapping[str, float]


def substance(row: Row) -> str:
    """Return what of a row is its own: the question, and what the model thought, said and called."""
    return "\n".join((row.text, *_written(row)))


def _written(row: Row) -> Iterator[str]:
    for turn in row.messages:
        if turn.weight:
            yield from filter(None, (turn.reasoning, turn.content))
            for call in turn.tool_calls:
                yield f"{call.name} {json.dumps(call.arguments, ensure_ascii=False, sort_keys=True)}"


def vectors(rows: Sequence[Row]) -> list[Vector]:
    """Return the vector of every row."""
    bags = [Counter(words(substance(row))) for row in rows]
    spread = Counter(term for bag in bags for term in bag)
    rare = {term: math.log((1 + len(bags)) / (1 + among)) + 1 for term, among in spread.items()}
    return [_unit(bag, rare) for bag in bags]


def _unit(bag: Mapping[str, int], rare: Mapping[str, float]) -> Vector:
    """Weigh a bag of terms; of equal weights the first in the alphabet stays."""
    weights = {term: (1 + math.log(times)) * rare[term] for term, times in bag.items()}
    kept = heapq.nsmallest(_HEAVIEST, weights, key=lambda term: (-weights[term], term))
    length = math.sqrt(math.fsum(weights[term] ** 2 for term in kept))
    return {term: weights[term] / length for term in kept}


class Similar:
    """Cosines between one vector and all others, found by the terms they share."""

    def __init__(self, all_of_them: Sequence[Vector]) -> None:
        self._vectors = all_of_them
        self._postings: dict[str, list[tuple[int, float]]] = {}
        for number, vector in enumerate(all_of_them):
            for term, weight in vector.items():
                self._postings.setdefault(term, []).append((number, weight))

    def to(self, number: int) -> dict[int, float]:
        """Return the cosine to every row that shares a term with row `number`, itself among them."""
        cosines: dict[int, float] = {}
        for term, weight in self._vectors[number].items():
            for other, theirs in self._postings[term]:
                cosines[other] = cosines.get(other, 0.0) + weight * theirs
        return cosines

    def nearest(self, number: int, most: int) -> list[tuple[int, float]]:
        """Return up to `most` other rows that share a term, the most similar first, with their cosines."""
        others = ((other, cosine) for other, cosine in self.to(number).items() if other != number)
        return heapq.nsmallest(most, others, key=lambda pair: (-pair[1], pair[0]))
