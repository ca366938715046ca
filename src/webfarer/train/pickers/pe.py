"""Predictive entropy: the outputs that the model found least likely, −log p of what it wrote itself.

With per=token the mean over tokens, which does not favour long outputs.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.train.picker import Picked, Round, View
from webfarer.train.pickers._ranking import Per, best, uncertainty


@dataclass(frozen=True)
class PredictiveEntropy:
    """The picker."""

    title: ClassVar[str] = "predictive entropy"
    per: Per = "sequence"
    passes: int = 0

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Take the least likely outputs."""
        return Picked(best(uncertainty(view, "adapted", "pe", self.per, self.passes), count, at.random))


picker = PredictiveEntropy
