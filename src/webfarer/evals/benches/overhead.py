"""What Webfarer itself costs: CPU per step, many walks at once, memory that stays, reading HTML.

Models and pages cost nothing here, so what is measured is the framework. The ideal of many walks at once is a model
that serves any number of calls in its latency and a program that takes no time: calls of one walk times latency.
The ceiling beside it is what the bare openai client reaches with the same number of calls at the same concurrency.
"""

import asyncio
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from webfarer.evals.bench import BenchOptions, Findings, Row
from webfarer.evals.benches._overhead_reading import reading_rows
from webfarer.evals.benches._overhead_walks import BATCHES, Crowd, crowd_row, memory_row, step_rows

_MEMORY_SHARE = 4  # tracing allocations is slow, and what stays of a batch shows with fewer walks


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"steps": 20, "rounds": 2, "walks": 20, "slow_latency": 0.2, "pages": 10}

    steps: int = Field(100, ge=1, description="Clicks of the walk whose steps are measured.")
    rounds: int = Field(3, ge=1, description="Repetitions of the walk, and of the reading.")
    walks: int = Field(200, ge=1, description="Walks at once.")
    latency: float = Field(0.05, gt=0, description="Seconds the stub model takes.")
    slow_latency: float = Field(1.0, gt=0, description="Seconds of a second run, nearer to what models take.")
    pages: int = Field(30, ge=2, description="Pages of each kind that are read.")
    sites: Path = Field(Path(".cache/sites"), description="Folder with unpacked documentation; may be missing.")


def bench(options: Options) -> Findings:
    """Measure all four."""
    steps = asyncio.run(step_rows(options.steps, options.rounds))
    crowds = [
        asyncio.run(crowd_row(Crowd(options.walks, latency))) for latency in (options.latency, options.slow_latency)
    ]
    held = max(1, options.walks // _MEMORY_SHARE)
    memory = [asyncio.run(memory_row(held))]
    reading = reading_rows(options.sites, options.pages, options.rounds)
    tables = {
        "CPU of a step": steps,
        "Many walks at once": crowds,
        "Memory between two batches of walks": memory,
        "Reading HTML": reading,
    }
    read = sum(row["n"] for row in reading if isinstance(row["n"], int))
    trials = options.rounds * (len(steps) + read) + BATCHES * (options.walks * len(crowds) + held)
    return Findings(trials, (options.seed,), tables, _headline(tables))


def _headline(tables: dict[str, list[Row]]) -> str:
    steps, crowds, memory, reading = tables.values()
    at_once = ", ".join(
        f"{row['of_ideal']:.0%} of the ideal and {row['of_ceiling']:.0%} of the bare client at {row['latency_ms']} ms"
        for row in crowds
    )
    times = [
        f"{row['webfarer_is_faster']}x {row['reader']} ({row['pages']})"
        for row in reading
        if row["reader"] != "webfarer" and row.get("webfarer_is_faster")
    ]
    return (
        f"overhead: {steps[0]['cpu_ms_per_step']} ms CPU a step; {crowds[0]['walks']} walks at once {at_once}; "
        f"{memory[0]['growth_kb_by_2']} kB stay of a batch; reads {reading[0]['pages_per_s']} pages/s, "
        f"{', '.join(times) or 'nothing installed to compare with'}"
    )
