"""Learning from few labels at the command line: what is ordered, and what came of it."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers.utils.logging import disable_progress_bar

from webfarer.core.errors import ConfigError, boundary
from webfarer.evals.bench import Row
from webfarer.evals.pupil import folder
from webfarer.evals.sheet import listed
from webfarer.train.adapter_learner import Teaching
from webfarer.train.oracle import GUIDELINES, Desk
from webfarer.train.picker import PICKERS
from webfarer.train.pool import POOLS, Set
from webfarer.train.poolfile import hold_out, read_pool
from webfarer.train.probes import page
from webfarer.train.released import Released
from webfarer.train.rounds import Plan, Record, Report
from webfarer.train.study import Items, Study, arms_of, curves, overlap_rows

_SIZE = 2000
_COSTS = ("turns", "calls", "tokens", "usd")


@dataclass(frozen=True, slots=True)
class Drawn:
    """Where items come from, as the command line names it; None for a number that was not given."""

    pool: str
    published: Path | None
    held_out: int
    size: int | None = None
    skew: float | None = None


def items_of(drawn: Drawn, model: Path | None) -> Items:
    """Return what draws the items of a seed: of a generated pool, of a published set, or of a file.

    Raises:
        ConfigError: there is no such pool or file, or an option does not go with it.
    """
    pool, published, held_out = drawn.pool, drawn.published, drawn.held_out
    given = pool.endswith(".jsonl")
    if given or published:
        if model is None:
            raise ConfigError("the small learner reads generated pools alone; name the model to be taught with --model")
        if (drawn.size, drawn.skew) != (None, None):
            raise ConfigError("--size and --skew are of generated pools; leave them out")
    if given:
        return lambda seed: read_pool(Path(pool), held_out, seed)
    generated = POOLS.load(pool)
    if published is None:
        size = _SIZE if drawn.size is None else drawn.size
        return lambda seed: generated.draw(size, held_out, seed, drawn.skew or 0.0)

    def read(seed: int) -> Set:
        whole = generated.read(published)
        return hold_out(whole.pool, whole.key, {item.id for item in whole.pool}, held_out, seed)

    return read


@dataclass(frozen=True, slots=True)
class Named:
    """What is compared, as the command line names it."""

    pickers: str
    tuners: str
    released: str
    seeds: str
    oracle: str


def study_of(named: Named, plan: Plan, model: Path | None, teaching: Teaching, desk: Desk) -> Study:
    """Return the study that is ordered; without a model the learner that comes with the package is taught."""
    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)  # more give other roundings, and small models nothing
    released = named.released.split(";") if named.released else []
    arms = arms_of(pickers_of(named.pickers), named.tuners.split(";"), released)
    return Study(arms, seeds_of(named.seeds), plan, model or folder("learner"), teaching, named.oracle, desk)


def pickers_of(text: str) -> list[str]:
    """Return the pickers that are named; "all" are all, the one by lot first, for the others are compared with it."""
    names = [name for name in PICKERS.ids() if name != "random"]
    return ["random", *names] if text == "all" else text.split(";")


def guidelines_of(path: Path | None) -> str:
    """Return what those who label are told.

    Raises:
        ConfigError: the file cannot be read.
    """
    if path is None:
        return GUIDELINES
    with boundary(ConfigError, f"--guidelines {path} cannot be read"):
        return path.read_text(encoding="utf-8")


def seeds_of(text: str) -> list[int]:
    """Return the seeds that are named.

    Raises:
        ConfigError: one is no number, or named twice.
    """
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts) or len(set(parts)) < len(parts):
        raise ConfigError(f"--seeds {text!r}: write whole numbers with commas, each once, as in 1,2,3")
    return [int(part) for part in parts]


Found = Mapping[str, Sequence[Report]]


def leave(study: Study, found: Found, title: str, html: Path | None, json_path: Path | None) -> None:
    """Write the report where it is wanted."""
    arms = {name: [report.records for report in reports] for name, reports in found.items()}
    if html:
        html.write_text(page(title, arms), encoding="utf-8")
    if json_path:
        runs = {
            name: [[record.model_dump(mode="json") for record in run] for run in all_] for name, all_ in arms.items()
        }
        told = {"curves": curves(found), "overlaps": overlap_rows(study, found), "runs": runs}
        json_path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def line(name: str, seed: int, record: Record) -> str:
    """Return what came of one round."""
    score = (
        f"accuracy {record.examined.accuracy.mean:.3f}, ECE {record.examined.ece.mean:.3f}" if record.examined else ""
    )
    return f"{name}, seed {seed}, round {record.number}: {record.labels} labels {score}"


def told(study: Study, found: Found, out: Path) -> str:
    """Return the table of arms, that of overlaps where STAR's maths are compared, and who is waited for."""
    lines = [listed(list(map(_folded, curves(found))))]
    if any(isinstance(arm.picker, Released) for arm in study.arms):
        lines += ["", listed(list(map(_folded, overlap_rows(study, found))))]
    for name, reports in found.items():
        lines += [_ending(name, seed, report) for seed, report in zip(study.seeds, reports, strict=True)]
    if any(report.waiting for reports in found.values() for report in reports):
        lines.append(f"people are waited for: webfarer label {shlex.quote(str(out))}, then the same command again")
    return "\n".join(lines)


def _ending(name: str, seed: int, report: Report) -> str:
    """Return how far a learning came, what its labels cost, and why answers were refused that could not be learnt."""
    last = report.records[-1:]
    fare = {meter: amount for record in last for meter, amount in record.fare.model_dump().items() if amount}
    labels, cost = sum(record.labels for record in last), ", ".join(f"{fare[m]:g} {m}" for m in _COSTS if m in fare)
    refused = sum(record.refused for record in report.records)
    ended = report.ended or f"{report.waiting} items wait for a label"
    why = [reason for record in report.records for reason in record.why]
    told = f"{name}, seed {seed}: {ended}; {labels} labels, {refused} refused; cost {cost or 'nothing'}"
    return told + (f"\n  {len(why)} answers could not be learnt, as {why[0]}" if why else "")


def _folded(row: Row) -> Row:
    """Return a row with the standard errors beside their means."""
    errors = {name.removesuffix("_se"): error for name, error in row.items() if name.endswith("_se")}
    means = {name: value for name, value in row.items() if not name.endswith("_se")}
    return {n: value if errors.get(n) is None else f"{value} ± {errors[n]}" for n, value in means.items()}
