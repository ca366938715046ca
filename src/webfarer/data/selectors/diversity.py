"""Rows that are unlike each other: each one is the farthest from all taken before it (k-center greedy).

Covers the pool, outliers first; it does not ask which rows are typical (:mod:`.ideal` does). Invariant: no row lies
farther from the selection than twice what the best selection of that size could reach. Source: Gonzalez, "Clustering to
minimize the maximum intercluster distance", 1985; as core-set selection, Sener and Savarese, ICLR 2018.
"""

from collections.abc import Sequence
from random import Random

from webfarer.data.selector import Pool
from webfarer.data.selectors._vectors import Similar, vectors


class Diversity:
    """Takes the farthest row, again and again; the first one is drawn."""

    title = "Rows unlike each other"
    source = "Sener and Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach, ICLR 2018"

    async def select(self, pool: Pool, count: int) -> Sequence[int]:
        """Return the rows in the order in which they were farthest."""
        left = list(range(len(pool.rows)))
        Random(pool.seed).shuffle(left)  # rows that nothing is like are all equally far: lots decide, not the order
        similar = Similar(vectors(pool.rows))
        closest = dict.fromkeys(left, 0.0)  # cosine to the nearest row taken
        taken: list[int] = []
        while closest and len(taken) < count:
            farthest = min(closest, key=closest.__getitem__)
            taken.append(farthest)
            del closest[farthest]
            for other, cosine in similar.to(farthest).items():
                if other in closest and cosine > closest[other]:
                    closest[other] = cosine
        return taken


selector = Diversity()
