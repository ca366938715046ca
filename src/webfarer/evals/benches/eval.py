"""What running an evaluation costs by itself: items a second and memory, beside inspect_ai, and over two Ray nodes.

The agent is one model call and the model is scripted, so what is measured is planning, traces, marking, folders.
inspect_ai runs the same task, the same agent and the same replies in its own harness, and logs as it does by default.
"""

import csv
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.evals.bench import BenchOptions, Findings, Row
from webfarer.evals.benches._nodes import two_nodes
from webfarer.evals.card import card
from webfarer.evals.records import Folder
from webfarer.evals.runner import Asked, Spread, evaluate
from webfarer.evals.task import Source

_TASK, _AGENT, _SCORERS = "simpleqa", "closed_book", ("named", "exact")
_REPLY = '{"answer": "7"}'  # right for every tenth question


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"items": 60, "inspected": 20}

    items: int = Field(5000, ge=10, description="Questions.")
    inspected: int = Field(500, ge=1, description="Questions of the run under inspect_ai.")
    rounds: int = Field(1, ge=1, description="Repetitions, sides in turn.")


def bench(options: Options) -> Findings:
    """Run the same questions on every side."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="webfarer-") as place:
        path = _questions(Path(place) / "questions.csv", options.items)
        for number in range(options.rounds):
            folders = {}
            for side, spread in (("one process", Spread(16, 1)), ("two processes", Spread(16, 2))):
                folders[side] = Path(place) / f"{number}-{side}"
                rows.append(_ours(side, path, folders[side], spread))
            rows += _ray(path, Path(place) / f"{number}-ray", folders)
            rows.append(_inspect(path, options.inspected, Path(place) / f"{number}-logs"))
    return Findings(sum(int(str(row["items"])) for row in rows), (options.seed,), {"Sides": rows}, _headline(rows))


def _questions(path: Path, count: int) -> Path:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["metadata", "problem", "answer"])
        for number in range(count):
            about = {"topic": "Numbers", "answer_type": "Number", "urls": []}
            table.writerow([str(about), f"What is the last digit of {number}?", str(number % 10)])
    path.with_suffix(".json").write_text(json.dumps([_REPLY]))
    return path


def _asked(path: Path) -> Asked:
    return Asked(
        _TASK, load_settings(model=f"scripted:{path.with_suffix('.json')}"), Source(path), _AGENT, scorers=_SCORERS
    )


def _ours(side: str, path: Path, out: Path, spread: Spread) -> Row:
    memory: list[tuple[int, float]] = []
    began = time.perf_counter()
    evaluate(_asked(path), out, spread, lambda result, done, total: memory.append((done, _megabytes())))
    seconds = time.perf_counter() - began
    total = memory[-1][0]
    early = next(held for done, held in memory if done >= total / 5)
    return _row(f"webfarer, {side}", total, seconds, card([Folder(out)]).entries[0].accuracy.mean) | {
        "mb_after_a_fifth": round(early),
        "mb_at_the_end": round(memory[-1][1]),
    }


def _ray(path: Path, out: Path, folders: dict[str, Path]) -> Iterator[Row]:
    """Yield the side of two simulated nodes, where Ray is installed."""
    try:
        import ray
    except ModuleNotFoundError:
        return
    with two_nodes() as address:
        ray.init(address=address, log_to_driver=False)
        try:
            row = _ours("two Ray nodes", path, out, Spread(16, 2, ray=True))
        finally:
            ray.shutdown()
    same = [result.marks for result in Folder(out).results()]
    alike = all(same == [result.marks for result in Folder(other).results()] for other in folders.values())
    yield row | {"same_marks": "yes" if alike else "no"}


def _inspect(path: Path, count: int, logs: Path) -> Row:
    """Return inspect_ai's side; its reply is made by the same rule."""
    try:
        from inspect_ai import eval as inspect_eval
        from inspect_ai.model import ModelOutput, ModelUsage, get_model

        from webfarer.evals import inspecting
    except ModuleNotFoundError as error:
        raise ConfigError("the other side is inspect_ai: pip install 'webfarer[eval]'") from error

    def reply(*asked: object) -> ModelOutput:
        output = ModelOutput.from_content("scripted", _REPLY)
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)  # else it downloads a tokenizer
        return output

    began = time.perf_counter()
    (log,) = inspect_eval(
        getattr(inspecting, _TASK)(agent=_AGENT, scorers=",".join(_SCORERS), path=path),
        model=get_model("mockllm/scripted", custom_outputs=reply),
        limit=count,
        max_connections=16,
        log_dir=str(logs),
        display="none",
    )
    seconds = time.perf_counter() - began
    marks = [score.as_float() for sample in log.samples or () for score in (sample.scores or {}).values()]
    return _row("inspect_ai", len(marks), seconds, sum(marks) / len(marks))


def _row(side: str, items: int, seconds: float, right: float) -> Row:
    return {
        "side": side,
        "items": items,
        "seconds": round(seconds, 1),
        "items_per_second": round(items / seconds, 1),
        "right": round(right, 3),
    }


def _megabytes() -> float:
    """Return the memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def _headline(rows: list[Row]) -> str:
    parts = [f"{row['side']} {row['items_per_second']} items/s" for row in rows]
    first = rows[0]
    fifth, end = first["mb_after_a_fifth"], first["mb_at_the_end"]
    memory = f"{fifth} MB after a fifth of {first['items']} items, {end} MB at the end"
    return f"eval: {'; '.join(parts)}; {memory}"
