"""What pickers share: scores on one scale, the best of them, and spreading out.

Invariant: equal scores are ordered by lot, never by where an item lies in the pool.
"""

from collections.abc import Iterable
from random import Random
from typing import Literal

import numpy as np

from webfarer.train.picker import View, Who

Per = Literal["sequence", "token"]
Measure = Literal["pe", "entropy"]


def uncertainty(view: View, who: Who, measure: Measure, per: Per, passes: int = 0) -> np.ndarray:
    """Return −log p (pe) or the tokens' entropy of each output: its sum or its mean over tokens, mean over passes."""
    values = view.nll(who, passes) if measure == "pe" else view.entropy(who, passes)
    values = values.mean(0) if passes else values
    return values / view.lengths(who) if per == "token" else values


def scaled(values: np.ndarray) -> np.ndarray:
    """Return values from 0 to 1 by minimum and maximum; 0 where all are equal."""
    if not len(values):
        return values
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def best(scores: np.ndarray, count: int, random: Random) -> list[int]:
    """Return the numbers of the highest scores, the highest first."""
    lots = np.array([random.random() for _ in scores])
    return [int(row) for row in np.lexsort((lots, -scores))[:count]]


def spread(
    points: np.ndarray, weights: np.ndarray, count: int, random: Random, centres: Iterable[np.ndarray] = ()
) -> list[int]:
    """Return rows picked one after another, each for its distance to `centres` and those before it times its weight."""
    near = np.full(len(points), np.inf)
    for centre in centres:
        near = np.minimum(near, np.linalg.norm(points - centre, axis=1))
    picked: list[int] = []
    for _ in range(min(count, len(points))):
        wanted = np.where(np.isinf(near), 1, near) * weights
        wanted[picked] = -1
        row = best(wanted, 1, random)[0]
        near = np.minimum(near, np.linalg.norm(points - points[row], axis=1))
        picked.append(row)
    return picked


def disorder(chances: np.ndarray) -> np.ndarray:
    """Return the entropy along the last axis, in nats."""
    logs = np.log(chances, out=np.zeros_like(chances), where=chances > 0)
    return np.asarray(-(chances * logs).sum(-1))
