"""k-center: items far from one another, each the farthest from those before it; uncertainty does not count.

Source: Sener and Savarese, arXiv 1708.00489 (the greedy form, without the labelled items as first centres).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from webfarer.train.picker import Round, View
from webfarer.train.pickers._ranking import spread


@dataclass(frozen=True)
class KCenter:
    """The picker."""

    title: ClassVar[str] = "k-center"

    def pick(self, view: View, count: int, at: Round) -> list[int]:
        """Spread out, from an item drawn by lot."""
        points = view.embeddings()
        return spread(points, np.ones(len(points)), count, at.random)


picker = KCenter
