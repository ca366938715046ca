"""Semantic entropy: how many meanings the model's sampled outputs have; outputs with equal final answers mean the same.

Source: Kuhn, Gal and Farquhar, arXiv 2302.09664, with counts of samples for probabilities.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from webfarer.core.errors import ConfigError
from webfarer.train.picker import Picked, Round, View
from webfarer.train.pickers._ranking import best, disorder
from webfarer.train.pool import final_answer


@dataclass(frozen=True)
class Semantic:
    """The picker."""

    title: ClassVar[str] = "semantic entropy"
    samples: int = 8

    def __post_init__(self) -> None:
        if self.samples < 2:
            raise ConfigError(f"{self}: what samples differ by takes two at least")

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Take the items with the most open meaning."""
        drawn = view.samples(self.samples, at.number)
        return Picked(best(np.array([meanings(texts) for texts in drawn]), count, at.random))


def meanings(texts: Sequence[str]) -> float:
    """Return the entropy of the meanings of some outputs, in nats."""
    counts = np.array(sorted(Counter(map(final_answer, texts)).values()), float)
    return float(disorder(counts / counts.sum()))


picker = Semantic
