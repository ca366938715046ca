"""STAR: dynamic uncertainty, the base model's at first and the adapted model's later, λ·u_b + (1 − λ)·u_f.

Both are brought to one scale over the items that are left, so neither outweighs the other by its unit. λ falls by the
clock, as in the paper, or follows measured calibration: whoever is better calibrated counts more. Source: arXiv
2403.01165, figure 4.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from webfarer.train.picker import Picked, Round, View
from webfarer.train.pickers._ranking import Measure, Per, best, scaled, spread, uncertainty


@dataclass(frozen=True)
class Star:
    """The picker.

    Attributes:
        schedule: of λ.
        diversity: "kcenter" picks items that are uncertain and unlike; "none" the most uncertain.
        passes: with dropout, over which u_f is a mean; 0 for none.
    """

    title: ClassVar[str] = "STAR"
    schedule: Literal["clock", "calibrated"] = "clock"
    diversity: Literal["none", "kcenter"] = "none"
    measure: Measure = "pe"
    per: Per = "sequence"
    passes: int = 3

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Take what is most uncertain by the mixture."""
        base = uncertainty(view, "base", self.measure, self.per)
        adapted = uncertainty(view, "adapted", self.measure, self.per, self.passes)
        weight = self.weight(at)
        scores = self.mixed(base, adapted, weight)
        if self.diversity == "kcenter":
            rows = spread(view.embeddings(), scores, count, at.random)
        else:
            rows = best(scores, count, at.random)
        alone = best(adapted, count, at.random)
        return Picked(rows, weight, len({*rows} & {*alone}) / len(rows))

    def mixed(self, base: np.ndarray, adapted: np.ndarray, part: float) -> np.ndarray:
        """Return the dynamic uncertainty; `part` is λ."""
        return part * scaled(base) + (1 - part) * scaled(adapted)

    def weight(self, at: Round) -> float:
        """Return λ: 0.9, 0.8, … 0.1 over nine rounds by the clock, which also counts until calibration is measured."""
        if self.schedule == "clock" or at.calibration is None:
            return 1 - (at.number + 1) / (at.rounds + 1)
        base, adapted = at.calibration
        return adapted / (adapted + base) if adapted + base > 0 else 0.5


picker = Star
