"""Two probes of learning from few labels, as figures and as one static page: is the adapted model worth asking, and
can its confidence be trusted.

The first is how unsure base and adapted model are, round by round; the second is calibration of some ways to train
beside each other, which is what STAR (arXiv 2403.01165) claims for a constrained LoRA. Everything is read off recorded
rounds (:mod:`webfarer.train.rounds`). Not a training. Several runs of one way differ by seed; means come with their
standard error over runs.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import pairwise
from statistics import fmean, stdev

from webfarer.evals import sheet
from webfarer.evals.bench import Row
from webfarer.train._charts import Curves, chart
from webfarer.train.calibration import Calibration
from webfarer.train.rounds import Record

Arms = Mapping[str, Sequence[Sequence[Record]]]
"""Recorded rounds of every run, by the name of the way in which they were trained; runs in the order of their seeds."""

MEASURES: Mapping[str, Callable[[Calibration], float]] = {
    "accuracy": lambda found: found.accuracy.mean,
    "confidence": lambda found: found.confidence,
    "ece": lambda found: found.ece.mean,
    "ece_mass": lambda found: found.ece_mass.mean,
    "brier": lambda found: found.brier.mean,
}
_DIGITS = 4


def gaps(arms: Arms) -> list[Row]:
    """Return how unsure both models are of the unlabelled items, by the labels that the adapted one was trained on.

    In nats a token of what each says itself; `gap` is the adapted model's less the base model's, and while it is far
    below 0 that model is sure of things it has not learnt.
    """
    rows: list[Row] = []
    for name, runs in arms.items():
        asked = [(before.labels, now.unsure) for run in runs for before, now in pairwise(run) if now.unsure]
        for labels in sorted({labels for labels, _ in asked}):
            unsure = [each for trained, each in asked if trained == labels]
            row: Row = {"trained as": name, "labels": labels, "runs": len(unsure)}
            for who in ("base", "adapted"):
                row[who] = round(fmean(each[who] for each in unsure), _DIGITS)
            rows.append(row | _mean("gap", [each["adapted"] - each["base"] for each in unsure]))
    return rows


def calibrations(arms: Arms) -> list[Row]:
    """Return accuracy and calibration on the held-out items, by labels."""
    rows: list[Row] = []
    for name, runs in arms.items():
        for labels, found in _examined(runs).items():
            row: Row = {"trained as": name, "labels": labels, "runs": len(found)}
            for measure, of in MEASURES.items():
                row |= _mean(measure, [of(each) for each in found.values()])
            rows.append(row)
    return rows


def differences(arms: Arms) -> list[Row]:
    """Return how every way differs from the first one, run by run with the same seed: below 0, its figure is lower."""
    rows: list[Row] = []
    first = next(iter(arms), "")
    beside = _examined(arms.get(first, ()))
    for name, runs in list(arms.items())[1:]:
        for labels, found in _examined(runs).items():
            theirs = beside.get(labels, {})
            both = [(theirs[run], mine) for run, mine in found.items() if run in theirs]
            if not both:
                continue
            row: Row = {"trained as": f"{name} − {first}", "labels": labels, "runs": len(both)}
            for measure, of in MEASURES.items():
                row |= _mean(measure, [of(mine) - of(other) for other, mine in both])
            rows.append(row)
    return rows


def verdicts(arms: Arms) -> list[str]:
    """Say of every way but the first what it does to the calibration error in the end, and at what accuracy.

    A difference is one from a standard error over runs on; a single run has none, and nothing is said to differ.
    """
    last = {row["trained as"]: row for row in differences(arms)}
    said = []
    for name, row in last.items():
        ece, accuracy = (_word(row, measure) for measure in ("ece", "accuracy"))
        said.append(
            f"{name}, {row['labels']} labels, {row['runs']} runs: expected calibration error {ece}, accuracy {accuracy}"
        )
    return said


def page(title: str, arms: Arms) -> str:
    """Return both probes as a page of HTML that loads nothing."""
    unsure, calibrated = gaps(arms), calibrations(arms)
    parts = [
        f"<h1>{escape(title)}</h1>",
        sheet.notes(verdicts(arms)),
        "<h2>How unsure base and adapted model are</h2>",
        chart("Nats a token, by labels", "labels", _curves(unsure, ("adapted", "base"))),
        chart("Gap: adapted less base", "labels", _curves(unsure, ("gap",))),
        sheet.table(unsure) if unsure else "<p>No round recorded it.</p>",
        "<h2>Calibration</h2>",
        chart("Expected calibration error, by labels", "labels", _curves(calibrated, ("ece",))),
        chart("Brier score, by labels", "labels", _curves(calibrated, ("brier",))),
        chart("Accuracy and mean confidence, by labels", "labels", _curves(calibrated, ("accuracy", "confidence"))),
        chart("Share of right answers by confidence, in the end", "confidence", _reliability(arms), unit=True),
        sheet.table(calibrated) if calibrated else "<p>No round was examined.</p>",
    ]
    if apart := differences(arms):
        parts += ["<h2>Differences, run by run</h2>", sheet.table(apart)]
    return sheet.document(title, parts)


def _examined(runs: Iterable[Sequence[Record]]) -> dict[int, dict[int, Calibration]]:
    """Return what examinations found, by labels and run."""
    found: dict[int, dict[int, Calibration]] = {}
    for number, run in enumerate(runs):
        for record in run:
            if record.examined:
                found.setdefault(record.labels, {})[number] = record.examined
    return dict(sorted(found.items()))


def mean_error(values: Sequence[float]) -> tuple[float, float | None]:
    """Return a mean, rounded, and its standard error where there is one."""
    error = round(stdev(values) / math.sqrt(len(values)), _DIGITS) if len(values) > 1 else None
    return round(fmean(values), _DIGITS), error


def _mean(name: str, values: Sequence[float]) -> Row:
    mean, error = mean_error(values)
    return {name: mean} if error is None else {name: mean, f"{name} ±": error}


def _word(row: Row, measure: str) -> str:
    difference, error = row[measure], row.get(f"{measure} ±")
    assert isinstance(difference, float)
    if not isinstance(error, float):
        return f"{difference:+.3f}, of a single run"
    word = "as before" if abs(difference) < error or not difference else "lower" if difference < 0 else "higher"
    return f"{word} ({difference:+.3f} ± {error:.3f})"


def _curves(rows: Sequence[Row], columns: Sequence[str]) -> Curves:
    names = dict.fromkeys(str(row["trained as"]) for row in rows)
    return {
        (name, column if len(columns) > 1 else ""): [
            (_number(row["labels"]), _number(row[column])) for row in rows if row["trained as"] == name
        ]
        for name in names
        for column in columns
    }


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _reliability(arms: Arms) -> Curves:
    """Return confidence and accuracy of every bin, over the last rounds of all runs."""
    return {(name, ""): list(_pooled(run[-1].examined for run in runs if run)) for name, runs in arms.items()}


def _pooled(found: Iterable[Calibration | None]) -> Iterator[tuple[float, float]]:
    bins = [each for one in found if one for each in one.table]
    for low in sorted({each.low for each in bins}):
        mine = [each for each in bins if each.low == low]
        items = sum(each.items for each in mine)
        yield (
            sum(each.items * each.confidence for each in mine) / items,
            sum(each.items * each.accuracy for each in mine) / items,
        )
