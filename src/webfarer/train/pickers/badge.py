"""BADGE: gradients that are large and unlike, drawn as k-means++ draws its first centres.

Source: Ash et al., arXiv 1906.03671. Gradients are never written out: distances follow from their two factors.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from webfarer.train.picker import Picked, Round, View


@dataclass(frozen=True)
class Badge:
    """The picker."""

    title: ClassVar[str] = "BADGE"

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Begin with the largest gradient; draw the next by the square of its distance to those before it."""
        residual, hidden = view.gradients()
        size = (residual**2).sum(1) * (hidden**2).sum(1)
        near = size.copy()
        picked: list[int] = []
        for _ in range(min(count, len(size))):
            near[picked] = 0
            sums = near.cumsum()
            if not picked:
                row = int(near.argmax())
            elif sums[-1] > 0:
                row = int(np.searchsorted(sums, at.random.random() * sums[-1], side="right"))
            else:
                row = at.random.choice([row for row in range(len(size)) if row not in picked])
            products = (residual @ residual[row]) * (hidden @ hidden[row])
            distances = np.maximum(size + size[row] - 2 * products, 0)
            near = np.minimum(near, distances) if picked else distances
            picked.append(row)
        return Picked(picked)


picker = Badge
