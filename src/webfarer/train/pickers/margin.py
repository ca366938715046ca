"""Margin: the least lead of the likeliest choice over the second; of the first output token where choices are missing.

Source: Scheffer, Decomain and Wrobel, "Active Hidden Markov Models for Information Extraction", IDA 2001.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from webfarer.train.picker import Picked, Round, View
from webfarer.train.pickers._ranking import best


@dataclass(frozen=True)
class Margin:
    """The picker."""

    title: ClassVar[str] = "margin"

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Take the closest calls."""
        if view.closed:
            leaders = np.array([[*np.sort(chances)[::-1], 0.0][:2] for chances in view.choices("adapted")])
        else:
            leaders = view.leaders()
        return Picked(best(leaders[:, 1] - leaders[:, 0], count, at.random))


picker = Margin
