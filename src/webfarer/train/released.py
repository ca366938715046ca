"""STAR as its paper has it, and with each of four defects of its released program, to be compared by measurement.

For benchmarks; nobody should train with a defect. Source: arXiv 2403.01165 and its program. Invariant: without a defect
it picks as `star` and is trained as `constrained`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar

import numpy as np
from torch import nn

from webfarer.core.errors import ConfigError
from webfarer.core.specs import extended, made
from webfarer.train.adapter_learner import AdapterLearner, Teaching
from webfarer.train.language import Language
from webfarer.train.picker import Round
from webfarer.train.pickers._ranking import best, scaled
from webfarer.train.pickers.star import Star
from webfarer.train.pool import Key, PoolItem
from webfarer.train.scoring import Limits
from webfarer.train.tuner import TUNERS
from webfarer.train.view import Views

DEFECTS: Mapping[str, str] = {
    "leak": "both models are scored on the right answer, which nobody has yet",
    "scale": "the base model's score lies between 0 and 1, the adapted model's is a raw sum of nats",
    "dropout": "the dropout passes are made without dropout, so all are equal",
    "decay": "B is held back by the optimiser's decay alone, which shrinks it by a few per cent",
}


@dataclass(frozen=True)
class Released(Star):
    """STAR's picker with defects; `dropout` is passes=0.

    Attributes:
        scale: mix a scaled score with a raw one.
        leak: be shown the views of :class:`LeakyLearner`.
    """

    title: ClassVar[str] = "STAR as released"
    scale: bool = False
    leak: bool = False

    def mixed(self, base: np.ndarray, adapted: np.ndarray, part: float) -> np.ndarray:
        """Return the mixture."""
        return part * scaled(base) + (1 - part) * (adapted if self.scale else scaled(adapted))


def defects_of(text: str) -> list[str]:
    """Return the defects that are named with commas, in a fixed order; "all" are all.

    Raises:
        ConfigError: there is no such defect.
    """
    names = set(DEFECTS if text == "all" else text.split(","))
    if unknown := sorted(names - DEFECTS.keys()):
        raise ConfigError(f"no defect {', '.join(unknown)}; known: {', '.join(DEFECTS)}, or all")
    return [name for name in DEFECTS if name in names]


def released(defects: Collection[str], tuner: str = "constrained") -> tuple[Released, str]:
    """Return STAR's picker with its share of the defects, and the spec of a constrained tuner with its own.

    Raises:
        ConfigError: the tuner constrains nothing.
    """
    picker = Released(
        passes=0 if "dropout" in defects else Star.passes, scale="scale" in defects, leak="leak" in defects
    )
    if "decay" in defects:
        tuner = extended(tuner, gamma=0, decay=0.5)
        made(TUNERS, tuner)
    return picker, tuner


class LeakyLearner(AdapterLearner):
    """A learner whose views are :func:`leaked`; no other one takes a key. It teaches as the others do."""

    def __init__(self, folder: Path, how: Teaching, key: Key) -> None:
        super().__init__(folder, how)
        self._key = key

    def views(self, pool: Sequence[PoolItem]) -> Views:
        """Return what makes views that score the right answers."""
        return leaked(self._base, self._language, pool, self._key, self._how.limits)


def leaked(
    base: nn.Module, language: Language, pool: Sequence[PoolItem], key: Key, limits: Limits | None = None
) -> Views:
    """Return views that score the right answers in place of the models' own; they take the key, which no picker has."""
    answers = [language.exchange(item.prompt, key.answer(item.id))[1] for item in pool]
    return Views(base, language, pool, limits, answers)


@dataclass(frozen=True, slots=True)
class Simulated:
    """Scores of a pool that never was: log-normal sums of nats, correlated between the two models.

    Attributes:
        items: in the pool.
        top: how many are picked.
        correlation: of the logarithms.
        medians: of the base and the adapted model's scores, in nats.
        spread: standard deviation of the logarithms.
    """

    items: int = 7000
    top: int = 500
    correlation: float = 0.73
    medians: tuple[float, float] = (90.0, 60.0)
    spread: float = 0.5

    def scores(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw the scores of the base and the adapted model."""
        first, other = np.random.default_rng(seed).standard_normal((2, self.items))
        second = self.correlation * first + np.sqrt(1 - self.correlation**2) * other
        base, adapted = (m * np.exp(self.spread * z) for m, z in zip(self.medians, (first, second), strict=True))
        return base, adapted


def overlaps(picker: Star, rounds: int = 9, seed: int = 0, simulated: Simulated = Simulated()) -> list[float]:
    """Return, round by round, the share of a mixture's picks that the adapted model's score alone picks too."""
    base, adapted = simulated.scores(seed)

    def top(scores: np.ndarray) -> set[int]:
        return set(best(scores, simulated.top, Random(seed)))

    plain = top(adapted)
    weights = [picker.weight(Round(number, rounds, Random(seed))) for number in range(rounds)]
    return [len(top(picker.mixed(base, adapted, weight)) & plain) / simulated.top for weight in weights]
