"""Evaluations from the command line: one run for each agent, progress, the folders they leave."""

import asyncio
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
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

RULES = ("ruled:", "faulty:", "scripted:")
"""Models that take this machine's time, and nobody else's."""


@dataclass(frozen=True, slots=True)
class Made:
    """Where runs are written and how they are spread; several runs get folders of their own in `out`."""

    out: Path | None
    spread: Spread


def carry_out(asked: Asked, agents: str, models: str | None, made: Made) -> list[Folder]:
    """Evaluate each agent of a list with each model of another, and return the folders.

    "all" are the agents that can play, each with the models that make a difference to it; "none" is no model, and None
    the one of the settings.
    """
    for name in agents.split(",") if agents != "all" else ():
        SYSTEMS.load(name)  # an unknown one is refused before any is run
    folders: list[Folder] = []
    models = asked.settings.model if models is None else models
    several = agents == "all" or "," in agents + models
    for model in ("" if name in ("", "none") else name for name in models.split(",")):
        with_model = replace(asked, settings=asked.settings.model_copy(update={"model": model}))
        names = _able(with_model, again=bool(folders)) if agents == "all" else agents.split(",")
        for name in names:
            folders.append(_one(replace(with_model, agent=name), made, several))
    if not folders:
        raise ConfigError("none of the agents can play; `webfarer eval list` shows what each one needs")
    return folders


def _able(asked: Asked, *, again: bool) -> list[str]:
    """Return the agents that can play; those that never ask a model only once."""
    card, model = TASKS.load(asked.task).card, asked.settings.model
    systems = {name: SYSTEMS.load(name) for name in SYSTEMS.ids()}
    return [
        name
        for name, system in systems.items()
        if (model or system.model != "needed") and not (again and system.model == "never")
        if setting_of(card, system, asked.setting)
    ]


def _one(asked: Asked, made: Made, several: bool) -> Folder:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    spread, out = made.spread, None if several else made.out
    if not spread.processes:
        model = asked.settings.model
        spread = replace(spread, processes=1 if model and not model.startswith(RULES) else os.cpu_count() or 1)
    quiet = not sys.stderr.isatty()
    with Progress(*columns, console=console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task(f"{asked.task}: {asked.agent}", total=None)

        def tell(result: Result | None, done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        folder = evaluate(asked, out, spread, tell, within=made.out)
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
    if not results:
        raise ConfigError(f"{folder.path}: no attempt has been answered, so there is nothing to replay")
    print(f"{len(results) - differ} of {len(results)} attempts replayed alike")
    return not differ
