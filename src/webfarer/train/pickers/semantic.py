"""Semantic entropy: how many meanings the model's sampled outputs have; outputs with equal final answers mean the same.

Source: Kuhn, Gal and Farquhar, arXiv 2302.09664, with counts of samples for probabilities.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from webfarer.evals.matching import final_answer, key
from webfarer.train.picker import Round, View
from webfarer.train.pickers._ranking import best, disorder

_MARKER = "####"  # before the final answer, in GSM8K


@dataclass(frozen=True)
class Semantic:
    """The picker."""

    title: ClassVar[str] = "semantic entropy"
    samples: int = 8

    def pick(self, view: View, count: int, at: Round) -> list[int]:
        """Take the items with the most open meaning."""
        drawn = view.samples(self.samples, at.number)
        return best(np.array([meanings(texts) for texts in drawn]), count, at.random)


def meanings(texts: Sequence[str]) -> float:
    """Return the entropy of the meanings of some outputs, in nats."""
    counts = np.array(sorted(Counter(key(final_answer(text.rpartition(_MARKER)[2])) for text in texts).values()), float)
    return float(disorder(counts / counts.sum()))


picker = Semantic
