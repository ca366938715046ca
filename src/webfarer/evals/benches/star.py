"""What asking for the right labels is worth: learning curves of every picker over the same seeds, beside labels by lot.

Each pool is learnt by the public command in a program of its own: a small base model, LoRA, a few rounds. Pools are
skewed, mostly of one easy kind while what is examined is not, or even. The area under the curve is compared seed by
seed with the first arm. Beside it: ways to train by their calibration, and STAR with the defects of its released
program. Source: STAR (arXiv 2403.01165).
"""

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar

from pydantic import Field

from webfarer.evals.bench import BenchOptions, Findings, Names, Row
from webfarer.evals.benches._programs import WEBFARER, output
from webfarer.evals.benches._star_figure import Curve, draw

_PICKERS = (
    "random",
    "pe",
    "token_entropy",
    "margin",
    "bald",
    "kcenter",
    "badge",
    "semantic",
    "gap",
    "star",
    "star:schedule=calibrated",
    "star:schedule=calibrated,diversity=kcenter",
)
_ON_EVEN_POOLS = ("random", "pe", "star")
_TUNERS = ("lora", "lora:dropout=0.1", "constrained", "constrained:gamma=0.1")
_DEFECTS = ("leak", "scale", "dropout", "decay", "all")
_DRAWN = ("random", "pe", *_PICKERS[-3:])
_FIGURES = {
    "area": "area",
    "over first": "over_first",
    "accuracy": "accuracy_at_end",
    "over": "accuracy_over_first",
    "ece": "ece_at_end",
    "ece over": "ece_over_first",
    "brier over": "brier_over_first",
}
_SKEWED, _EVEN = "skewed", "even"
_RELEASED = "STAR with its program's defects"
_OVERLAP = "share of STAR's picks that the adapted model's uncertainty alone would pick"


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {
        "seeds": 2,
        "labels": 48,
        "rounds": 1,
        "size": 120,
        "held_out": 40,
        "pools": ("facts",),
    }

    pools: Names = Field(("facts", "arithmetic", "passages"), description="Generated pools, with commas.")
    seeds: int = Field(5, ge=1, description="Seeds of every arm.")
    labels: int = Field(120, ge=2, description="Labels in the end.")
    rounds: int = Field(3, ge=1, description="Rounds of picking.")
    size: int = Field(600, ge=10, description="Items of a pool.")
    held_out: int = Field(200, ge=10, description="Items examined on.")
    skew: float = Field(0.8, ge=0, le=1, description="Share of the skewed pools that is of one easy kind.")
    epochs: int = Field(8, ge=1, description="Passes over the labels in every round.")
    rate: float = Field(3e-3, gt=0, description="Learning rate.")
    model: Path | None = Field(None, description="Folder of another base model; else the one that comes along.")
    plots: Path | None = Field(None, description="Folder for a figure of the learning curves (SVG).")
    work: Path | None = Field(
        None, description="Folder that keeps every learning: a run that was killed goes on there."
    )


@dataclass(frozen=True, slots=True)
class _Work:
    """One study: its title, its pool, and the arms as the command takes them."""

    title: str
    pool: str
    skew: float
    arms: tuple[str, ...]


def bench(options: Options) -> Findings:
    """Learn every pool with every picker, skewed and even; and with every way to train; and with STAR's defects."""
    works = list(_works(options))
    with tempfile.TemporaryDirectory(prefix="webfarer-") as name, ThreadPoolExecutor(options.jobs) as threads:
        place = options.work or Path(name)
        results = list(threads.map(lambda work: _learn(options, place, work), works))
    tables = {work.title: _rows(found) for work, found in zip(works, results, strict=True)}
    told = zip(works, results, strict=True)
    tables[_OVERLAP] = [row for work, found in told if work.title.endswith(_RELEASED) for row in found["overlaps"]]
    if options.plots:
        draw(options.plots, {work.title: _curves(found) for work, found in zip(works, results, strict=True)})
    runs = sum(len(seeds) for found in results for seeds in found["runs"].values())
    return Findings(runs, tuple(range(1, options.seeds + 1)), tables, _headline(tables))


def _works(options: Options) -> Iterable[_Work]:
    """The longest first."""
    for pool in options.pools:
        yield _Work(f"{pool}, {_SKEWED}", pool, options.skew, ("--picker", ";".join(_PICKERS)))
    first = options.pools[0]
    yield _Work(
        f"{first}, {_SKEWED}: {_RELEASED}",
        first,
        options.skew,
        ("--picker", "random;star", "--released", ";".join(_DEFECTS)),
    )
    for pool in options.pools:
        yield _Work(f"{pool}, {_EVEN}: ways to train", pool, 0.0, ("--picker", "random", "--tuner", ";".join(_TUNERS)))
    for pool in options.pools:
        yield _Work(f"{pool}, {_EVEN}", pool, 0.0, ("--picker", ";".join(_ON_EVEN_POOLS)))


def _learn(options: Options, place: Path, work: _Work) -> dict[str, Any]:
    """Return what a study found."""
    out = place / re.sub("[^a-z]+", "-", work.title.casefold())
    out.mkdir(parents=True, exist_ok=True)
    command = ["train", "star", work.pool, "--out", str(out), "--json", f"{out}.json", *work.arms]
    command += ["--seeds", ",".join(map(str, range(1, options.seeds + 1))), "--skew", str(work.skew)]
    command += ["--model", str(options.model)] if options.model else []
    for name in ("labels", "rounds", "size", "held_out", "epochs", "rate"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    output([*WEBFARER, *command])
    found: dict[str, Any] = json.loads(Path(f"{out}.json").read_text())
    return found


def _rows(found: Mapping[str, Any]) -> list[Row]:
    """Return the arms of a study: means over seeds, differences from the first arm, and means round by round."""
    rows: list[Row] = []
    for arm in found["curves"]:
        told = {what: _mean(arm, figure) for what, figure in _FIGURES.items()}
        rounds = _by_round(found["runs"][arm["arm"]])
        told |= {f"{what} by round": " ".join(f"{value:.2f}" for value in values) for what, values in rounds.items()}
        rows.append({"arm": arm["arm"], "seeds": arm["seeds"], **told})
    return rows


def _mean(row: Mapping[str, Any], figure: str) -> str:
    sign = "+" if "over_first" in figure else ""
    return f"{row[figure]:{sign}.3f} ± {row[f'{figure}_se'] or 0:.3f}"


def _by_round(runs: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, list[float]]:
    """Return mean accuracy and calibration error of every round."""
    return {
        what: [fmean(record["examined"][what]["mean"] for record in records) for records in zip(*runs, strict=False)]
        for what in ("accuracy", "ece")
    }


def _curves(found: Mapping[str, Any]) -> dict[str, Curve]:
    """Return mean accuracy over labels of the arms that are drawn."""
    labels = {name: [record["labels"] for record in runs[0]] for name, runs in found["runs"].items()}
    return {
        name: list(zip(labels[name], _by_round(runs)["accuracy"], strict=True))
        for name, runs in found["runs"].items()
        if name in _DRAWN
    }


def _headline(tables: Mapping[str, list[Row]]) -> str:
    parts = []
    for title, rows in tables.items():
        if title.endswith((_SKEWED, _EVEN)):
            shown = (f"{row['arm']} {row['over first']}" for row in rows[1:] if row["arm"] in _DRAWN)
            parts.append(f"{title}: {', '.join(shown)}")
    return "star, area under the curve over labels by lot (mean ± s.e. over seeds): " + "; ".join(parts)
