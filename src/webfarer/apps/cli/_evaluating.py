"""Evaluations from the command line: one run for each agent, progress, the folders they leave."""

import asyncio
import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from webfarer.agents.runs import Options
from webfarer.agents.runs import replay as replay_run
from webfarer.agents.system import SYSTEMS
from webfarer.apps.cli._terminal import console
from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError, WebfarerError
from webfarer.core.types import Answer
from webfarer.evals.records import Folder, Result
from webfarer.evals.runner import Asked, Spread, evaluate, setting_of
from webfarer.evals.task import TASKS

_ON_THIS_MACHINE = ("", "ruled:", "scripted:")


def carry_out(asked: Asked, agents: str, out: Path | None, spread: Spread) -> list[Folder]:
    """Evaluate each agent of a list ("all": those that can play), and return their folders."""
    names = _able(asked) if agents == "all" else [name for name in agents.split(",") if name]
    if not names:
        raise ConfigError("no agent is named; `webfarer eval list` shows those there are")
    if not spread.processes:
        alone = not asked.settings.model.startswith(_ON_THIS_MACHINE[1:]) and asked.settings.model
        spread = replace(spread, processes=1 if alone else os.cpu_count() or 1)
    folders = []
    for name in names:
        folder = out / name if out and len(names) > 1 else out
        folders.append(_one(replace(asked, agent=name), folder, spread))
    return folders


def _able(asked: Asked) -> list[str]:
    """Return the agents that can play: with the model that is given, in the setting that is asked for."""
    card = TASKS.load(asked.task).card
    systems = {name: SYSTEMS.load(name) for name in SYSTEMS.ids()}
    return [
        name
        for name, system in systems.items()
        if (asked.settings.model or not system.needs_model) and setting_of(card, system, asked.setting)
    ]


def _one(asked: Asked, out: Path | None, spread: Spread) -> Folder:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    quiet = not sys.stderr.isatty()
    with Progress(*columns, console=console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task(f"{asked.task}: {asked.agent}", total=None)

        def tell(result: Result | None, done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        folder = evaluate(asked, out, spread, tell)
    print(f"{asked.task}: {asked.agent}: {folder.path}", file=sys.stderr)
    return folder


def found(paths: Iterable[Path]) -> list[Folder]:
    """Return the runs at these paths, each a run's folder or a folder of such.

    Raises:
        ConfigError: there is none.
    """
    folders = []
    for path in paths:
        here = sorted(plan.parent for plan in (*path.glob("plan.json"), *path.glob("*/plan.json")))
        if not here:
            raise ConfigError(f"{path} holds no run of an evaluation (no plan.json, there or one folder below)")
        folders += [Folder(each) for each in here]
    return folders


def replayed(folder: Folder) -> bool:
    """Replay every attempt of a run; print those that differ, and say whether none does."""
    settings = load_settings(home=folder.path.absolute())
    differ = 0
    results = [result for result in folder.results() if result.answer]
    for result in results:
        try:
            again: Answer | str = asyncio.run(replay_run(result.run, options=Options(settings=settings)))
        except WebfarerError as error:
            again = error.message
        if not isinstance(again, Answer) or again.text != (result.answer and result.answer.text):
            differ += 1
            print(f"{result.item}, attempt {result.number}: {again if isinstance(again, str) else 'another answer'}")
    print(f"{len(results) - differ} of {len(results)} attempts replayed alike")
    return not differ
