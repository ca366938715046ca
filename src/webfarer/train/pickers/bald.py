"""BALD: what the answer would tell about the weights, H(mean of p) − mean of H(p) over dropout passes.

Of the choices, or of each token of the output where choices are missing. Source: Houlsby et al., arXiv 1112.5745; Gal,
Islam and Ghahramani, arXiv 1703.02910.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from webfarer.core.errors import ConfigError
from webfarer.train.picker import Picked, Round, View
from webfarer.train.pickers._ranking import Per, best, disorder

_NOTHING = 1e-12


@dataclass(frozen=True)
class Bald:
    """The picker."""

    title: ClassVar[str] = "BALD"
    passes: int = 8
    per: Per = "sequence"

    def __post_init__(self) -> None:
        if self.passes < 2:
            raise ConfigError(f"{self}: what passes differ by takes two at least")

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Take the items on which the passes differ.

        Raises:
            ConfigError: they differ on none, for the model has no dropout.
        """
        if view.closed:
            told = np.array([disorder(p.mean(0)) - disorder(p).mean() for p in view.choices("adapted", self.passes)])
        else:
            told = view.information(self.passes)
            told = told / view.lengths("adapted") if self.per == "token" else told
        if len(told) and told.max() < _NOTHING:
            raise ConfigError("bald compares dropout passes and all are equal: train with dropout (lora:dropout=0.1)")
        return Picked(best(told, count, at.random))


picker = Bald
