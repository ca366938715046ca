"""Calibration: whether answers that are held 80 % certain are right 80 % of the time.

From confidences and rightness alone; not a way to get confidences or to mend them. Invariant: the order of answers does
not matter; equal confidences share a bin. Sources: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017
(bins of equal width); Nixon et al., "Measuring Calibration in Deep Learning", 2019 (of equal mass); Brier, 1950.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from webfarer.evals.statistics import Estimate

_DRAWS = 1000
_TAILS = (0.025, 0.975)

_Floats = NDArray[np.float64]
Values = Sequence[float] | _Floats
Right = Sequence[bool] | NDArray[np.bool_]


class Bin(NamedTuple):
    """Answers of confidences above `low`, up to `high`: how many, their mean confidence, the share that is right."""

    low: float
    high: float
    items: int
    confidence: float
    accuracy: float


class Calibration(BaseModel):
    """How far confidences can be trusted, with 95 % intervals.

    Attributes:
        accuracy: share of right answers.
        confidence: mean; above the accuracy, the model is over-confident.
        ece: expected calibration error, Σ (items of a bin / items) · |accuracy − confidence|, bins of equal width.
        ece_mass: the same over bins of equal numbers of answers.
        brier: mean of (confidence − right)².
        table: the bins of equal width that hold answers, from the lowest up.
    """

    model_config = ConfigDict(frozen=True)

    accuracy: Estimate
    confidence: float
    ece: Estimate
    ece_mass: Estimate
    brier: Estimate
    table: tuple[Bin, ...]


def calibration(confidences: Values, right: Right, bins: int = 10, seed: int = 0) -> Calibration:
    """Measure answers.

    A sample's expected error lies above the true one, the more so the fewer the answers. Intervals of `ece` and
    `ece_mass` are therefore of the basic bootstrap, which takes off as much as drawing the answers anew puts on.

    Raises:
        ValueError: no answers, not one confidence for each, one outside [0, 1], or no bin.
    """
    sure, correct = _checked(confidences, right, bins)
    width, mass = _by_width(sure, bins), _by_mass(sure, bins)
    counts = _draws(len(sure), seed)
    return Calibration(
        accuracy=Estimate.share([[float(mark)] for mark in correct]),
        confidence=float(sure.mean()),
        ece=_error(sure - correct, width, counts),
        ece_mass=_error(sure - correct, mass, counts),
        brier=Estimate.share([[float(mark)] for mark in (sure - correct) ** 2]),
        table=_table(sure, correct, width),
    )


def expected_error(confidences: Values, right: Right, bins: int = 10, *, mass: bool = False) -> float:
    """Return the expected calibration error alone, over bins of equal width or of equal mass."""
    sure, correct = _checked(confidences, right, bins)
    return float(_errors(sure - correct, (_by_mass if mass else _by_width)(sure, bins)))


def _checked(confidences: Values, right: Right, bins: int) -> tuple[_Floats, _Floats]:
    sure, correct = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if sure.shape != correct.shape or sure.ndim != 1 or not len(sure):
        raise ValueError(f"{sure.shape} confidences of {correct.shape} answers; each of at least one needs one")
    if bins < 1 or not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError("confidences lie between 0 and 1, and there is at least one bin")
    return sure, correct


def _by_width(sure: _Floats, bins: int) -> _Floats:
    """Return the bins (answers, bins) as 0 and 1; a confidence on a border is of the lower one, 0 of the first."""
    return np.asarray(np.eye(bins)[np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)])


def _by_mass(sure: _Floats, bins: int) -> _Floats:
    """Return the bins (answers, bins) as 0 and 1, by the share of answers of lower confidence."""
    return np.asarray(np.eye(bins)[np.searchsorted(np.sort(sure), sure) * bins // len(sure)])


def _errors(gaps: _Floats, binned: _Floats, counts: _Floats | None = None) -> _Floats:
    """Return the expected error of gaps, confidence minus rightness, once or for every draw of answers."""
    drawn = gaps if counts is None else counts * gaps
    return np.asarray(np.abs(drawn @ binned).sum(-1) / len(gaps))


def _draws(items: int, seed: int) -> _Floats:
    """Return how often each item is in each draw of as many: (draws, items)."""
    drawn = np.random.default_rng(seed).integers(items, size=(_DRAWS, items)) + items * np.arange(_DRAWS)[:, None]
    return np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)


def _error(gaps: _Floats, binned: _Floats, counts: _Floats) -> Estimate:
    mean = float(_errors(gaps, binned))
    low, high = np.quantile(_errors(gaps, binned, counts), _TAILS)
    return Estimate(
        mean=mean,
        low=min(mean, max(0.0, 2 * mean - high)),
        high=max(mean, min(1.0, 2 * mean - low)),
        items=len(gaps),
        runs=len(gaps),
    )


def _table(sure: _Floats, correct: _Floats, binned: _Floats) -> tuple[Bin, ...]:
    bins = binned.shape[1]
    sums = zip(range(bins), binned.sum(0), sure @ binned, correct @ binned, strict=True)
    return tuple(
        Bin(b / bins, (b + 1) / bins, int(n), float(total / n), float(hits / n)) for b, n, total, hits in sums if n
    )
