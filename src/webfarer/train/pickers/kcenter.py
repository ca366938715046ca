"""k-center: items far from one another and from all labelled ones; uncertainty does not count.

Source: Sener and Savarese, arXiv 1708.00489 (the greedy form).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from webfarer.train.picker import Picked, Round, View
from webfarer.train.pickers._ranking import spread


@dataclass(frozen=True)
class KCenter:
    """The picker."""

    title: ClassVar[str] = "k-center"

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Take the farthest, one after another."""
        points = view.embeddings()
        return Picked(spread(points, np.ones(len(points)), count, at.random, view.picked()))


picker = KCenter
