"""Trajectories and rows from the command line: what is sampled, what is dropped, where it is written."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from webfarer.apps.cli._evaluating import RULES
from webfarer.apps.cli._terminal import clean, console
from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.data.filtering import Filtered, filtered
from webfarer.data.funnel import Funnel
from webfarer.data.paid import paid_model
from webfarer.data.row import Row, read_rows
from webfarer.data.rule import Jury, Rule
from webfarer.data.sampling import Mixture, Samples, folders_in, sample
from webfarer.data.selector import SELECTORS, Pool
from webfarer.evals.records import Result
from webfarer.evals.runner import Spread

ROWS = "rows.jsonl"


def sampled(samples: Samples, mixture: tuple[str | None, str, str], out: Path, spread: Spread) -> bool:
    """Sample with a mixture of models, temperatures and thoughts as the command line names them.

    Returns:
        Whether all attempts are made; if not, a limit on them all was reached.
    """
    models, temperatures, thoughts = mixture
    settings = samples.settings
    names = settings.model if models is None else models
    made = Mixture(
        tuple("" if name == "none" else name for name in names.split(",")),
        _numbers(temperatures) or (settings.temperature,),
        tuple(filter(None, thoughts.split(","))) or (settings.ask.thoughts,),  # type: ignore[arg-type]
    )
    if not spread.processes:
        paid = any(name and not name.startswith(RULES) for name in made.models)
        spread = replace(spread, processes=1 if paid or samples.ceiling else os.cpu_count() or 1)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(f"{samples.agent}: attempts", total=None)

        def tell(result: Result | None, done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        folders = sample(replace(samples, mixture=made), out, spread, tell)
    done = {folder: len(list(folder.results())) for folder in folders}
    for folder, attempts in done.items():
        print(f"{folder.path}: {attempts} attempts")
    wanted = sum(folder.plan.items * folder.plan.runs for folder in folders)
    lacking = wanted - sum(done.values())
    if lacking:
        print(f"stopped by the limit on all attempts: {wanted - lacking} of {wanted} are made; a higher one goes on")
    return not lacking


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part)
    except ValueError as error:
        raise ConfigError(f"--temperature {text!r}: write numbers with commas, as in 0.6,1") from error


def filter_runs(run: Path, rules: Sequence[Rule], out: Path, settings: Settings, *, audit: bool) -> Filtered:
    """Write what the rules leave of the runs in a folder; what a judge says is kept there."""
    folders = folders_in(run)

    async def work() -> Filtered:
        async with paid_model(settings, run / "judged.jsonl", "filter") as (judging, model):
            left = await filtered(folders, rules, out, Jury(model), audit=audit)
            return left if judging is None else replace(left, funnel=left.funnel.judged(judging.ledger.fare))

    return asyncio.run(work())


def examples_of(funnel: Funnel) -> str:
    """Return a few trajectories that each rule dropped, with its reason."""
    lines = []
    for step in funnel.steps:
        lines += [f"\n{step.rule}:"] if step.examples else []
        for each in step.examples:
            lines.append(f"  {each.run}: {each.reason}\n    {each.question}")
    return clean("\n".join(lines))


def rows_at(place: Path) -> list[Row]:
    """Return the rows of a file, or those that `webfarer data filter` left in a run's folder.

    Raises:
        ConfigError: there are none.
    """
    path = place / ROWS if place.is_dir() else place
    if not path.exists():
        raise ConfigError(f"{path} is not there; `webfarer data filter {place}` makes rows of a sampling")
    return list(read_rows(path))


def select_rows(pool: Pool, by: str, count: int, settings: Settings, calls: Path) -> list[Row]:
    """Return the rows that a selector chooses, best first; what a model says is recorded at `calls`."""

    async def work() -> list[Row]:
        async with paid_model(settings, calls, f"select-{by}") as (_, model):
            chosen = await SELECTORS.load(by).select(replace(pool, model=model), count)
            return [pool.rows[number] for number in chosen]

    return asyncio.run(work())
