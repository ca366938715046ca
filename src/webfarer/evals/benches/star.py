"""What asking for the right labels is worth: learning curves of every picker over the same seeds, beside labels by lot.

Each pool is learnt by the public command in a program of its own: a small base model, LoRA, a few rounds. Pools are
drawn even and skewed: mostly of one easy kind, while what is examined is not, so that there is more to be won. The area
under the curve is compared seed by seed with the first picker, which draws lots. Source: STAR (arXiv 2403.01165).
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from webfarer.core.errors import WebfarerError
from webfarer.evals.bench import BenchOptions, Findings, Row

_PROGRAM = (sys.executable, "-c", "from webfarer.apps.cli.main import main; main()")
_PICKERS = (
    "random,pe,token_entropy,margin,bald,kcenter,badge,semantic,gap,star,star:schedule=calibrated,diversity=kcenter"
)
_CONSTRAINED = ("lora", "lora:dropout=0.1", "constrained")


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {
        "seeds": 2,
        "labels": 48,
        "rounds": 1,
        "size": 120,
        "held_out": 40,
        "pools": "facts",
    }

    pools: str = Field("facts,arithmetic", description="Generated pools, with commas.")
    seeds: int = Field(5, ge=1, description="Seeds of every arm.")
    labels: int = Field(160, ge=2, description="Labels in the end.")
    rounds: int = Field(4, ge=1, description="Rounds of picking.")
    size: int = Field(800, ge=10, description="Items of a pool.")
    held_out: int = Field(200, ge=10, description="Items examined on.")
    skew: float = Field(0.8, ge=0, le=1, description="Share of the skewed pools that is of one easy kind.")
    epochs: int = Field(8, ge=1, description="Passes over the labels in every round.")
    rate: float = Field(3e-3, gt=0, description="Learning rate.")


def bench(options: Options) -> Findings:
    """Learn every pool, even and skewed, with every picker; and one pool with every way to train."""
    pools = options.pools.split(",")
    with tempfile.TemporaryDirectory(prefix="webfarer-") as name:
        place = Path(name)
        works = [
            *((pool, skew, "--picker", _PICKERS) for pool in pools for skew in (0.0, options.skew)),
            *((pool, 0.0, "--tuner", ";".join(_CONSTRAINED)) for pool in pools),
        ]
        with ThreadPoolExecutor(options.jobs) as threads:
            results = list(threads.map(lambda work: _learn(options, place, *work), works))
    tables: dict[str, list[Row]] = {}
    for (pool, skew, what, _), rows in zip(works, results, strict=True):
        pickers = what == "--picker"
        title = f"{pool}, {'skewed' if skew else 'even'}: pickers" if pickers else f"{pool}: ways to train"
        tables[title] = rows
    runs = sum(int(str(row["seeds"])) for rows in results for row in rows)
    return Findings(runs, tuple(range(1, options.seeds + 1)), tables, _headline(tables))


def _learn(options: Options, place: Path, pool: str, skew: float, what: str, arms: str) -> list[Row]:
    """Return the curves of one study."""
    out = place / f"{pool}-{skew}-{what.strip('-')}"
    command = ["train", "star", pool, "--out", str(out), "--json", f"{out}.json", what, arms]
    command += ["--seeds", ",".join(map(str, range(1, options.seeds + 1))), "--skew", str(skew)]
    if what == "--tuner":
        command += ["--picker", "random"]
    for name in ("labels", "rounds", "size", "held_out", "epochs", "rate"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    began = time.perf_counter()
    done = subprocess.run([*_PROGRAM, *command], capture_output=True, text=True)
    if done.returncode:
        raise WebfarerError(f"webfarer {' '.join(command)} failed: {done.stderr.strip()[-500:]}")
    found = json.loads(Path(f"{out}.json").read_text())
    return [{**row, "seconds_of_study": round(time.perf_counter() - began)} for row in found["curves"]]


def _headline(tables: dict[str, list[Row]]) -> str:
    return "star, area under the curve over labels by lot (mean ± s.e. over seeds): " + "; ".join(_lines(tables))


def _lines(tables: dict[str, list[Row]]) -> Iterable[str]:
    for title, rows in tables.items():
        if title.endswith("pickers"):
            shown = (f"{row['arm']} {float(str(row['over_first'])):+.3f} ± {row['over_first_se']}" for row in rows[1:])
            yield f"{title.removesuffix(': pickers')}: {', '.join(shown)}"
