"""Scoring a pool beside a loop over its items: seconds for the same numbers, and how far apart these are.

Both sides ask the small learner, with and without an adapter, for an output of each item, its likelihood and entropy,
those of passes with dropout, and the probabilities of choices. The loop is transformers and PEFT, batch 1, keys and
values cached within an output. Each run is a program of its own, in turn, and only the scoring is timed.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, ClassVar

from pydantic import Field

from webfarer.evals.bench import BenchOptions, Findings, Names, Row
from webfarer.evals.benches._programs import WEBFARER, on_host, output
from webfarer.evals.pupil import folder

_PEER = Path(__file__).with_name("_peer_loop.py")
_TAUGHT = ("--labels", "64", "--rounds", "1", "--size", "200", "--held-out", "20", "--picker", "random")

Run = dict[str, Any]


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"pools": ("facts",), "items": 80, "rounds": 1}

    pools: Names = Field(("facts", "arithmetic", "passages"), description="Generated pools.")
    items: int = Field(400, ge=1, description="Items of each.")
    passes: int = Field(3, ge=2, description="Passes with dropout.")
    longest: int = Field(64, ge=2, description="Most tokens of an output.")
    threads: int = Field(1, ge=1, description="Threads of either side.")
    rounds: int = Field(3, ge=1, description="Repetitions of both sides, in turn.")


def bench(options: Options) -> Findings:
    """Run both sides."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="webfarer-") as name:
        for pool in options.pools:
            place = Path(name) / pool
            output([*WEBFARER, "train", "star", pool, "--out", str(place), *_TAUGHT], on_host(options.threads))
            adapter = next(place.rglob("rounds/01/adapter"))
            runs = [_pair(pool, adapter, place, options) for _ in range(options.rounds)]
            rows.append(_row(pool, runs))
    title = f"{options.items} items, {options.passes} passes with dropout, {options.threads} threads"
    told = ", ".join(f"{row['pool']} {row['times']}× ({row['from']}–{row['to']})" for row in rows)
    off = max(float(str(row["scores_off"])) for row in rows)
    headline = f"scoring beside a loop over items: {told}; scores within {off:.1e}"
    return Findings(options.rounds * len(rows), (options.seed,), {title: rows}, headline)


def _pair(pool: str, adapter: Path, place: Path, options: Options) -> tuple[Run, Run]:
    """Run ours and the loop on the same items."""
    scores, figures = place / "scores.jsonl", place / "took.json"
    size = ["--size", str(options.items), "--seed", str(options.seed)]
    how = ["--passes", str(options.passes), "--longest", str(options.longest), "--threads", str(options.threads)]
    files = ["--adapter", str(adapter), "--out", str(scores), "--json", str(figures)]
    output([*WEBFARER, "train", "score", pool, *size, *how, *files], on_host(options.threads))
    ours: Run = json.loads(figures.read_text(encoding="utf-8"))
    ours["scores"] = [json.loads(line) for line in scores.read_text(encoding="utf-8").splitlines()]
    order = {
        "model": str(folder("learner")),
        "adapter": str(adapter),
        "items": str(scores),
        **options.model_dump(include={"passes", "longest", "threads"}),
    }
    return ours, json.loads(
        output([sys.executable, str(_PEER), json.dumps(order)], on_host(options.threads)).splitlines()[-1]
    )


def _row(pool: str, runs: list[tuple[Run, Run]]) -> Row:
    """Return a pool's figures: medians over rounds, and the farthest that two scores of one output are apart."""
    ratios = [loop["seconds"] / ours["seconds"] for ours, loop in runs]
    works = [loop["processor_seconds"] / ours["processor_seconds"] for ours, loop in runs]
    pairs = list(zip(runs[0][0]["scores"], runs[0][1]["scores"], strict=True))
    same = [(one, other) for one, other in pairs if _outputs(one) == _outputs(other)]
    return {
        "pool": pool,
        "seconds": round(median(ours["seconds"] for ours, _ in runs), 2),
        "loop_seconds": round(median(loop["seconds"] for _, loop in runs), 2),
        "times": round(median(ratios), 1),
        "from": round(min(ratios), 1),
        "to": round(max(ratios), 1),
        "times_by_processor": round(median(works), 1),
        "other_outputs": len(pairs) - len(same),
        "scores_off": f"{max(_apart(one, other) for one, other in same):.1e}",
        "n": len(runs),
    }


def _outputs(scores: dict[str, Any]) -> list[str]:
    return [scores[who]["output"] for who in ("base", "adapted")]


def _apart(one: Any, other: Any) -> float:
    """Return the farthest that numbers in the same places are apart; what only ours tells is passed over."""
    if isinstance(other, str):  # compared before
        return 0.0
    if isinstance(other, dict):
        return max((_apart(one[name], value) for name, value in other.items()), default=0.0)
    if isinstance(other, list):
        return max((_apart(mine, yours) for mine, yours in zip(one, other, strict=True)), default=0.0)
    return float(abs(one - other))
