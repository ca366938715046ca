"""Several ways to learn from few labels beside each other: pickers and tuners as arms, each over the same seeds.

An arm is a learning (:mod:`webfarer.train.active`) in a folder of its own, so a study that was killed goes on. What is
compared is the area under the learning curve, seed by seed against the first arm. Not a search for the best options.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev

from webfarer.core.specs import made
from webfarer.evals.bench import Row
from webfarer.train.active import Order, learn
from webfarer.train.adapter_learner import AdapterLearner, Teaching
from webfarer.train.oracle import ORACLES, Desk
from webfarer.train.picker import PICKERS, Picker
from webfarer.train.pool import Set
from webfarer.train.rounds import Plan, Record, Report

Items = Callable[[int], Set]
"""The items of a seed."""
Tell = Callable[[str, int, Record], None]
"""Called after every round of every arm: its name and its seed."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to learn: its name, who picks, and the spec of the tuner."""

    name: str
    picker: Picker
    tuner: str


@dataclass(frozen=True, slots=True)
class Study:
    """What is compared.

    Attributes:
        arms: the first is what the others are compared with.
        seeds: of pools, lots and trainings; every arm sees all of them.
        plan: of each learning; its seed is set.
        model: folder of the base model.
        teaching: of each learning; its tuner is the arm's.
        oracle: id.
        desk: of the oracle, but for folder and key.
    """

    arms: Sequence[Arm]
    seeds: Sequence[int]
    plan: Plan
    model: Path
    teaching: Teaching
    oracle: str
    desk: Desk


def arms_of(pickers: Sequence[str], tuners: Sequence[str]) -> list[Arm]:
    """Return every picker with every tuner, named by what differs.

    Raises:
        UnknownPlugin, ConfigError: a spec names none, or one of its numbers is none.
    """
    return [
        Arm(" ".join([picker] + [tuner] * (len(tuners) > 1)), made(PICKERS, picker), tuner)
        for tuner in tuners
        for picker in pickers
    ]


def run(
    study: Study, items: Items, folder: Path, tell: Tell = lambda name, seed, record: None
) -> dict[str, list[Report]]:
    """Return what came of every arm, seed by seed; whatever is done already is read.

    Raises:
        ConfigError: the study cannot work, or the folder holds another.
    """
    found: dict[str, list[Report]] = {arm.name: [] for arm in study.arms}
    drawn = {seed: items(seed) for seed in study.seeds}
    for arm in study.arms:
        learner = AdapterLearner(study.model, replace(study.teaching, tuner=arm.tuner))
        for seed in study.seeds:
            place = folder / f"{arm.name.replace(' ', '+').replace('/', '-')}-{seed}"
            desk = replace(study.desk, folder=place, key=drawn[seed].key)
            plan = study.plan.model_copy(update={"seed": seed})
            order = Order(plan, drawn[seed], learner, arm.picker, ORACLES.load(study.oracle)(desk), place)
            found[arm.name].append(learn(order, partial(tell, arm.name, seed)))
    return found


def area(records: Sequence[Record]) -> float | None:
    """Return the area under accuracy over labels, as a share of the whole; None with fewer than two examined rounds."""
    points = [(record.labels, record.examined.accuracy.mean) for record in records if record.examined]
    if len(points) < 2:
        return None
    total = sum((one[1] + other[1]) / 2 * (other[0] - one[0]) for one, other in pairwise(points))
    return total / (points[-1][0] - points[0][0])


def curves(found: Mapping[str, Sequence[Report]]) -> list[Row]:
    """Return the area under each arm's curve, its difference from the first arm by seed, and where it ends."""
    areas = {name: [area(report.records) for report in reports] for name, reports in found.items()}
    first = next(iter(areas.values()))
    rows: list[Row] = []
    for name, each in areas.items():
        pairs = [(own, other) for own, other in zip(each, first, strict=True) if own is not None and other is not None]
        last = [r.records[-1].examined for r in found[name] if r.records and r.records[-1].examined]
        row: Row = {"arm": name, "seeds": len(pairs)}
        if pairs:
            row |= _mean("area", [own for own, _ in pairs])
            row |= _mean("over_first", [own - other for own, other in pairs])
            row |= _mean("accuracy_at_end", [one.accuracy.mean for one in last if one])
            row |= _mean("ece_at_end", [one.ece.mean for one in last if one])
        rows.append(row)
    return rows


def _mean(name: str, values: Sequence[float]) -> Row:
    """Return a mean and its standard error over seeds."""
    error = stdev(values) / sqrt(len(values)) if len(values) > 1 else None
    return {name: round(fmean(values), 4), f"{name}_se": None if error is None else round(error, 4)}
