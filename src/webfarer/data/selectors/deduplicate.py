"""One row of every group of near duplicates: the best-rewarded, of these the one in which the model wrote least.

Rows are compared by question and by what the model wrote, so pages that both have read do not make them alike.
Invariant: every row left out nearly repeats one that is kept, and no two that are kept repeat each other.
"""

from collections.abc import Sequence

from webfarer.data.near import Near
from webfarer.data.selector import Pool
from webfarer.data.selectors._vectors import substance

_LEAST = 0.8  # share of shingles in common; Lee et al., "Deduplicating Training Data", ACL 2022


class Deduplicate:
    """Leaves near duplicates out; the rest is ranked by reward, then by brevity."""

    title = "Near duplicates removed"
    source = "Lee et al., Deduplicating Training Data Makes Language Models Better, ACL 2022"

    async def select(self, pool: Pool, count: int) -> Sequence[int]:
        """Return the best row of every group."""
        texts = [substance(row) for row in pool.rows]
        ranked = sorted(range(len(texts)), key=lambda at: (-pool.rows[at].reward, len(texts[at]), at))
        near = Near(_LEAST)
        return [at for at in ranked if near.add(texts[at]) is None][:count]


selector = Deduplicate()
