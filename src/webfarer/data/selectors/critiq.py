"""CritiQ: learns from about thirty preferences by which criteria people judge, and takes the best rows by those.

Candidates are measured by program (:mod:`._criteria`) and, with a model, worded and rated by it (:mod:`._worded`).
They enter a logistic model of preference (Bradley and Terry, Biometrika 1952) one by one, the one that explains most of
what is left first. Invariant: a criterion has a say only where chance would rarely explain the pairs as well.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import pstdev

from webfarer.core.errors import ConfigError
from webfarer.data.row import Row
from webfarer.data.selector import Pool
from webfarer.data.selectors._criteria import measured
from webfarer.data.selectors._worded import propose, rate
from webfarer.evals.sources import read

_CHANCE = 0.1
_ROUNDS = 2
_STEPS = 300
_DECAY = 0.3  # keeps weights finite where pairs are told apart without fail
_LARGEST = 500.0  # of what math.exp is asked

Columns = dict[str, list[float]]
"""By criterion, the value of every row."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned.

    Attributes:
        weights: of one standard deviation of each criterion, the most telling first; below 0 less of it is better.
        scores: of every row.
    """

    weights: Mapping[str, float]
    scores: tuple[float, ...]


class Critiq:
    """Takes the rows with the highest score."""

    title = "Criteria learned from preferences (CritiQ)"
    source = "Guo et al., CritiQ: Mining Data Quality Criteria from Human Preferences, arXiv 2502.19279"

    async def select(self, pool: Pool, count: int) -> Sequence[int]:
        """Return the best rows.

        Raises:
            ConfigError: there are no pairs, they name rows that are not there, or no criterion explains them.
        """
        scores = (await learn(pool)).scores
        return sorted(range(len(scores)), key=lambda at: (-scores[at], at))[:count]


async def learn(pool: Pool) -> Lesson:
    """Return what the pairs of a pool teach, and what its rows score by it.

    Raises:
        ConfigError: as :meth:`Critiq.select`.
    """
    pairs = _pairs(pool)
    compared = [row for pair in pairs for row in pair]
    columns = _columns(compared)
    if pool.model is not None:
        worded: Columns = {}
        for _ in range(_ROUNDS):
            known = {name: _agreement(column) for name, column in worded.items()}
            worded |= await rate(pool.model, compared, await propose(pool.model, pairs, known))
        columns |= worded
    weights = _explained({name: _apart(column) for name, column in columns.items()})
    if not weights:
        raise ConfigError(
            f"{pool.pairs}: no criterion explains these {len(pairs)} pairs better than chance would; give more pairs, "
            "or a model that words other criteria"
        )
    values = _columns(pool.rows)
    if pool.model is not None:
        values |= await rate(pool.model, pool.rows, [name for name in weights if name not in values])
    scale = {name: weight / _spread(columns[name]) for name, weight in weights.items()}
    scores = (math.fsum(scale[name] * values[name][at] for name in scale) for at in range(len(pool.rows)))
    return Lesson(weights, tuple(scores))


def _pairs(pool: Pool) -> list[tuple[Row, Row]]:
    """Return the better and the worse row of every pair."""
    if pool.pairs is None:
        raise ConfigError('preferences are needed: a JSONL file of {"better": row id, "worse": row id}')
    rows = {row.id: row for row in pool.rows}
    pairs = []
    for line in read(pool.pairs):
        better, worse = line.text("better"), line.text("worse")
        for name in (better, worse):
            if name not in rows:
                raise ConfigError(f"{line.place}: there is no row {name!r}", row=line.number)
        pairs.append((rows[better], rows[worse]))
    return pairs


def _columns(rows: Iterable[Row]) -> Columns:
    columns: Columns = {}
    for row in rows:
        for name, value in measured(row).items():
            columns.setdefault(name, []).append(value)
    return columns


def _spread(column: Sequence[float]) -> float:
    return pstdev(column) or 1.0


def _apart(column: Sequence[float]) -> list[float]:
    """Return how much more of a criterion the better row of every pair has, in standard deviations."""
    spread = _spread(column)
    return [(better - worse) / spread for better, worse in zip(column[::2], column[1::2], strict=True)]


def _agreement(column: Sequence[float]) -> float:
    apart = [value for value in _apart(column) if value]
    more = sum(value > 0 for value in apart)
    return max(more, len(apart) - more) / max(1, len(apart))


def _explained(apart: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the weights of the criteria that explain the pairs; {} when none does.

    The next one is found by Rao's score test, which needs no fit. The first one is the best of many, so it has to pass
    at a level that holds for all of them together.
    """
    weights: dict[str, float] = {}
    while left := [name for name, column in apart.items() if any(column) and name not in weights]:
        chosen = [apart[name] for name in weights]
        surprise = _surprise(list(weights.values()), chosen, len(next(iter(apart.values()))))
        gains = {name: _gain(apart[name], surprise) for name in left}
        best = max(left, key=gains.__getitem__)
        if math.erfc(math.sqrt(gains[best])) > (_CHANCE if weights else _CHANCE / len(left)):
            break
        weights = dict(zip([*weights, best], _fitted([*chosen, apart[best]]), strict=True))
    return weights


def _surprise(weights: Sequence[float], columns: Sequence[Sequence[float]], pairs: int) -> list[float]:
    """Return the probability of the opposite of every pair."""
    sums = (math.fsum(w * column[at] for w, column in zip(weights, columns, strict=True)) for at in range(pairs))
    return [1 / (1 + math.exp(min(_LARGEST, value))) for value in sums]


def _gain(apart: Sequence[float], surprise: Sequence[float]) -> float:
    """Return about how much one more criterion would add to the logarithm of the likelihood; never too much."""
    slope = math.fsum(map(float.__mul__, apart, surprise))
    bend = math.fsum(value * value * s * (1 - s) for value, s in zip(apart, surprise, strict=True))
    return slope * slope / (2 * bend) if bend else 0.0


def _fitted(columns: Sequence[Sequence[float]]) -> list[float]:
    """Return the weights of a ridge-penalised logistic regression, by descent with the step that its bend allows."""
    step = 1 / (_DECAY + sum(value * value for column in columns for value in column) / 4)
    weights = [0.0] * len(columns)
    for _ in range(_STEPS):
        surprise = _surprise(weights, columns, len(columns[0]))
        slopes = [math.fsum(map(float.__mul__, column, surprise)) for column in columns]
        weights = [weight + step * (slope - _DECAY * weight) for weight, slope in zip(weights, slopes, strict=True)]
    return weights


selector = Critiq()
