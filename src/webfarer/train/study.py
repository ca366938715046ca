"""Several ways to learn from few labels beside each other: pickers and tuners as arms, each over the same seeds.

An arm is a learning (:mod:`webfarer.train.active`) in a folder of its own, so a study that was killed goes on. Learning
curves and calibration are compared seed by seed with the first arm. Not a search for the best options. Invariant: an
arm comes out as it would alone, though arms share what is the same for all: first adapters, what the base model says.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from statistics import fmean

from webfarer.core.errors import ConfigError
from webfarer.core.specs import made
from webfarer.evals.bench import Row
from webfarer.train.active import Order, learn
from webfarer.train.adapter_learner import AdapterLearner, Teaching
from webfarer.train.oracle import ORACLES, Desk
from webfarer.train.picker import PICKERS, Dropping, Picker
from webfarer.train.pickers.star import Star
from webfarer.train.pool import Set
from webfarer.train.probes import MEASURES, mean_error
from webfarer.train.released import LeakyLearner, Released, defects_of, overlaps, released
from webfarer.train.rounds import PLAN, Plan, Record, Report
from webfarer.train.tuner import TUNERS
from webfarer.train.tuners.lora import Lora

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
        desk: of the oracle, which serves all learnings; its folder and key are set.
    """

    arms: Sequence[Arm]
    seeds: Sequence[int]
    plan: Plan
    model: Path
    teaching: Teaching
    oracle: str
    desk: Desk


def arms_of(pickers: Sequence[str], tuners: Sequence[str], defects: Sequence[str] = ()) -> list[Arm]:
    """Return every picker with every tuner, named by what differs.

    Args:
        pickers: specs.
        tuners: specs.
        defects: each as :func:`webfarer.train.released.defects_of` reads it, for one more picker: STAR with them.

    Raises:
        UnknownPlugin, ConfigError: a spec names none, or one of its numbers is none, or two arms are one, or one reads
            dropout passes of a model that is trained without dropout.
    """
    arms: list[Arm] = []
    for tuner in tuners:
        several = [tuner] * (len(tuners) > 1)
        arms += [Arm(" ".join([picker, *several]), made(PICKERS, picker), tuner) for picker in pickers]
        for names in map(defects_of, defects):
            arms.append(Arm(" ".join([f"star released:{'+'.join(names)}", *several]), *released(names, tuner)))
    if twice := [name for name, count in Counter(arm.name for arm in arms).items() if count > 1]:
        raise ConfigError(f"{twice[0]} is named twice; one is enough")
    for arm in arms:
        _check_passes(arm)
    return arms


def _check_passes(arm: Arm) -> None:
    passes = arm.picker.passes if isinstance(arm.picker, Dropping) else 0
    tuner = made(TUNERS, arm.tuner)
    if passes < 0:
        raise ConfigError(f"{arm.name}: passes is 0 at least")
    if passes and isinstance(tuner, Lora) and not tuner.dropout:
        raise ConfigError(
            f"{arm.name} reads dropout passes, and {arm.tuner} has no dropout: take constrained, lora:dropout=0.1, "
            "a picker without, or passes=0"
        )


def run(
    study: Study, items: Items, folder: Path, tell: Tell = lambda name, seed, record: None
) -> dict[str, list[Report]]:
    """Return what came of every arm, seed by seed; whatever is done already is read.

    Raises:
        ConfigError: the study cannot work, or the folder holds another.
    """
    alone = len(study.arms) * len(study.seeds) == 1
    if next(folder.glob(f"*/{PLAN}" if alone else PLAN), None):
        raise ConfigError(f"{folder} holds another study; give the same arms and seeds, or another folder")
    found: dict[str, list[Report]] = {arm.name: [] for arm in study.arms}
    for seed, drawn in {seed: items(seed) for seed in study.seeds}.items():
        plan = study.plan.model_copy(update={"seed": seed})
        oracle = ORACLES.load(study.oracle)(replace(study.desk, folder=folder, key=drawn.key))
        twins: dict[str, Path] = {}
        for (tuner, leaks), arms in groupby(study.arms, lambda arm: (arm.tuner, _leaks(arm))):
            how = replace(study.teaching, tuner=tuner)
            learner = LeakyLearner(study.model, how, drawn.key) if leaks else AdapterLearner(study.model, how)
            for arm in arms:
                place = folder if alone else folder / f"{arm.name.replace(' ', '+').replace('/', '-')}-{seed}"
                order = Order(plan, drawn, learner, arm.picker, oracle, place, twins.setdefault(tuner, place))
                found[arm.name].append(learn(order, partial(tell, arm.name, seed)))
    return found


def _leaks(arm: Arm) -> bool:
    return isinstance(arm.picker, Released) and arm.picker.leak


def area(records: Sequence[Record]) -> float | None:
    """Return the area under accuracy over labels, as a share of the whole; None with fewer than two examined rounds."""
    points = [(record.labels, record.examined.accuracy.mean) for record in records if record.examined]
    if len(points) < 2:
        return None
    total = sum((one[1] + other[1]) / 2 * (other[0] - one[0]) for one, other in pairwise(points))
    return total / (points[-1][0] - points[0][0])


def curves(found: Mapping[str, Sequence[Report]]) -> list[Row]:
    """Return what came of each arm: means over seeds with their standard errors, and differences seed by seed.

    The area under the curve, accuracy, calibration error and Brier score at the end, and the calibration error as a
    mean over rounds; `…_over_first` is the difference from the first arm, for the area `over_first`. Of each seed only
    those numbers of labels count with which every arm was examined, for arms may stop early.
    """
    examined = [[{r.labels for r in each.records if r.examined} for each in reports] for reports in found.values()]
    shared = [set.intersection(*counts) for counts in zip(*examined, strict=True)]
    figures = {
        name: [
            _figures([r for r in each.records if r.labels in counts])
            for each, counts in zip(reports, shared, strict=True)
        ]
        for name, reports in found.items()
    }
    first = next(iter(figures.values()))
    rows: list[Row] = []
    for name, each in figures.items():
        pairs = [(own, other) for own, other in zip(each, first, strict=True) if own and other]
        row: Row = {"arm": name, "seeds": len(pairs)}
        for figure in pairs[0][0] if pairs else ():
            row |= _mean(figure, [own[figure] for own, _ in pairs])
            over = "over_first" if figure == "area" else f"{figure.removesuffix('_at_end')}_over_first"
            row |= _mean(over, [own[figure] - other[figure] for own, other in pairs])
        rows.append(row)
    return rows


def _figures(records: Sequence[Record]) -> dict[str, float]:
    """Return what is compared of one learning; nothing with fewer than two examined rounds."""
    found, under = [record.examined for record in records if record.examined], area(records)
    if under is None:
        return {}
    ends = {f"{name}_at_end": MEASURES[name](found[-1]) for name in ("accuracy", "ece", "brier")}
    return {"area": under, **ends, "ece_mean": fmean(map(MEASURES["ece"], found))}


def overlap_rows(study: Study, found: Mapping[str, Sequence[Report]]) -> list[Row]:
    """Return how far STAR, the paper's and the released one, picks what the adapted model's score alone would pick.

    Round by round, as a share of the picks, beside the same share in a simulated pool.
    """
    rows: list[Row] = []
    for arm in study.arms:
        if isinstance(arm.picker, Released) or arm.picker == Star():
            records = [record for report in found[arm.name] for record in report.records]
            for number, simulated in enumerate(overlaps(arm.picker, study.plan.rounds), 1):
                shares = [each.overlap for each in records if each.number == number and each.overlap is not None]
                if shares:
                    row: Row = {"arm": arm.name, "round": number, **_mean("overlap", shares)}
                    rows.append(row | {"simulated": round(simulated, 4)})
    return rows


def _mean(name: str, values: Sequence[float]) -> Row:
    mean, error = mean_error(values)
    return {name: mean, f"{name}_se": error}
