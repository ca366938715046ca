"""Learning from few labels at the command line: what is ordered, and what came of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers.utils.logging import disable_progress_bar

from webfarer.core.errors import ConfigError
from webfarer.evals.pupil import folder
from webfarer.evals.sheet import listed
from webfarer.train.adapter_learner import Teaching
from webfarer.train.oracle import Desk
from webfarer.train.picker import PICKERS
from webfarer.train.pool import POOLS, Set
from webfarer.train.poolfile import read_pool
from webfarer.train.probes import page
from webfarer.train.rounds import Plan, Record, Report
from webfarer.train.study import Items, Study, arms_of, curves


def items_of(pool: str, size: int, held_out: int, skew: float, published: Path | None) -> Items:
    """Return what draws the items of a seed: of a generated pool, of a published set, or of a file.

    Raises:
        ConfigError: there is no such pool or file.
    """
    if pool.endswith(".jsonl"):
        return lambda seed: read_pool(Path(pool), held_out, seed)
    generated = POOLS.load(pool)
    if published is None:
        return lambda seed: generated.draw(size, held_out, seed, skew)

    def read(seed: int) -> Set:
        whole = generated.read(published)
        if len(whole.pool) <= held_out:
            raise ConfigError(f"{published} has {len(whole.pool)} rows, of which {held_out} are to be held out")
        return Set(whole.pool[held_out:], whole.pool[:held_out], whole.key)

    return read


@dataclass(frozen=True, slots=True)
class Named:
    """What is compared, as the command line names it."""

    pickers: str
    tuners: str
    seeds: str
    oracle: str


def study_of(named: Named, plan: Plan, model: Path | None, teaching: Teaching, desk: Desk) -> Study:
    """Return the study that is ordered; without a model the learner that comes with the package is taught."""
    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(1)  # more give other roundings, and small models nothing
    arms = arms_of(pickers_of(named.pickers), named.tuners.split(";"))
    return Study(arms, seeds_of(named.seeds), plan, model or folder("learner"), teaching, named.oracle, desk)


def pickers_of(text: str) -> list[str]:
    """Return the pickers that are named; "all" are all, the one by lot first, for the others are compared with it."""
    names = [name for name in PICKERS.ids() if name != "random"]
    return ["random", *names] if text == "all" else text.split(";")


def seeds_of(text: str) -> list[int]:
    """Return the seeds that are named.

    Raises:
        ConfigError: one is no number, or named twice.
    """
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts) or len(set(parts)) < len(parts):
        raise ConfigError(f"--seeds {text!r}: write whole numbers with commas, each once, as in 1,2,3")
    return [int(part) for part in parts]


def leave(found: Mapping[str, Sequence[Report]], html: Path | None, json_path: Path | None, title: str) -> None:
    """Write the report where it is wanted."""
    arms = {name: [report.records for report in reports] for name, reports in found.items()}
    if html:
        html.write_text(page(title, arms), encoding="utf-8")
    if json_path:
        runs = {
            name: [[record.model_dump(mode="json") for record in run] for run in all_] for name, all_ in arms.items()
        }
        json_path.write_text(json.dumps({"curves": curves(found), "runs": runs}, indent=1) + "\n", encoding="utf-8")


def line(name: str, seed: int, record: Record) -> str:
    """Return what came of one round."""
    score = (
        f"accuracy {record.examined.accuracy.mean:.3f}, ECE {record.examined.ece.mean:.3f}" if record.examined else ""
    )
    return f"{name}, seed {seed}, round {record.number}: {record.labels} labels {score}"


def told(found: Mapping[str, Sequence[Report]], out: Path) -> str:
    """Return the table of arms, and who is waited for."""
    lines = [listed(curves(found))]
    for name, reports in found.items():
        for report in reports:
            if report.waiting:
                lines.append(f"{name}: {report.waiting} items wait for a label: webfarer label {out}/…, then again")
    return "\n".join(lines)
