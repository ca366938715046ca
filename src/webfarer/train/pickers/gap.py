"""The naive gap: where the adapted model is more uncertain than the base model was, u_f − u_b on their raw scales.

Source: a baseline of STAR, arXiv 2403.01165.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.train.picker import Picked, Round, View
from webfarer.train.pickers._ranking import Measure, Per, best, uncertainty


@dataclass(frozen=True)
class Gap:
    """The picker."""

    title: ClassVar[str] = "naive gap"
    measure: Measure = "pe"
    per: Per = "sequence"

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Take the largest differences."""
        adapted = uncertainty(view, "adapted", self.measure, self.per)
        return Picked(best(adapted - uncertainty(view, "base", self.measure, self.per), count, at.random))


picker = Gap
