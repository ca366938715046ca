"""IDEAL: the rows whose influence spreads farthest over a graph in which every row points to its nearest ones.

Influence is the expected number of rows that an independent cascade reaches from a selection; an edge carries it with a
probability in proportion to its cosine. Cascades are drawn once, as graphs of the edges that carry (Kempe et al., KDD
2003). Invariant: over those draws, greedy reaches at least 1 - 1/e of the best influence of any selection of that size.
"""

import heapq
from collections.abc import Sequence
from random import Random

from webfarer.data.selector import Pool
from webfarer.data.selectors._vectors import Similar, Vector, vectors

_NEIGHBOURS = 10  # as in the paper
_FEWEST, _MOST = 20, 200  # cascades; the paper's 10 leave small pools to chance
_DRAWN = 100_000  # rows in all cascades together

Edges = Sequence[Sequence[int]]
"""Where the edges of every row lead that carry in one cascade."""


class Ideal:
    """Takes the row with the largest gain of influence, again and again."""

    title = "Influence-driven selection (IDEAL)"
    source = "Zhang et al., IDEAL: Influence-Driven Selective Annotations Empower In-Context Learners, ICLR 2024"

    async def select(self, pool: Pool, count: int) -> Sequence[int]:
        """Return the rows in the order of their gain."""
        return greedy(cascades(graph(vectors(pool.rows)), Random(pool.seed)), count)


def graph(of: Sequence[Vector]) -> list[list[tuple[int, float]]]:
    """Return the edges of every row: its nearest rows, with probabilities that add up to 1."""
    similar = Similar(of)
    edges = []
    for number in range(len(of)):
        near = similar.nearest(number, _NEIGHBOURS)
        total = sum(cosine for _, cosine in near)
        edges.append([(other, cosine / total) for other, cosine in near])
    return edges


def cascades(edges: Sequence[Sequence[tuple[int, float]]], random: Random) -> list[Edges]:
    """Draw which edges carry influence, the more often the fewer rows there are."""
    times = min(_MOST, max(_FEWEST, _DRAWN // max(1, len(edges))))
    return [[[to for to, chance in row if random.random() < chance] for row in edges] for _ in range(times)]


def greedy(drawn: Sequence[Edges], count: int) -> list[int]:
    """Return up to `count` rows, each with the largest gain at its turn, of equals the first.

    A gain only shrinks as rows are taken, so one that is still the largest when measured anew needs no other measured
    (Leskovec et al., KDD 2007).
    """
    reached: list[set[int]] = [set() for _ in drawn]
    heap = [(-len(drawn) * len(drawn[0]), number) for number in range(len(drawn[0]))]  # no gain can be larger
    taken: list[int] = []
    while heap and len(taken) < count:
        _, number = heapq.heappop(heap)
        spread = [_reach(number, edges, known) for edges, known in zip(drawn, reached, strict=True)]
        place = (-sum(map(len, spread)), number)
        if heap and heap[0] < place:
            heapq.heappush(heap, place)
            continue
        taken.append(number)
        for known, more in zip(reached, spread, strict=True):
            known |= more
    return taken


def _reach(start: int, edges: Edges, known: set[int]) -> set[int]:
    """Return what a cascade reaches from `start` that is not known yet; whatever known rows lead to is known too."""
    if start in known:
        return set()
    found, open_ends = {start}, [start]
    while open_ends:
        for to in edges[open_ends.pop()]:
            if to not in known and to not in found:
                found.add(to)
                open_ends.append(to)
    return found


selector = Ideal()
