"""Carries out an evaluation: plans it, spreads its attempts over tasks and processes, and goes on where one was killed.

What an attempt is, :mod:`webfarer.evals.attempts` says; what is left behind, :mod:`webfarer.evals.records`. Invariant:
which attempts are made, with which seeds, follows from the plan alone, never from how they were spread.
"""

import asyncio
import datetime
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread

from webfarer.agents.system import SYSTEMS, Setting, System
from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, WebfarerError
from webfarer.core.fare import Budget, Ledger
from webfarer.evals.bench import commit, machine
from webfarer.evals.clusters import over_ray
from webfarer.evals.records import Folder, Plan, Result, attempt_id, fingerprint, locked
from webfarer.evals.scorer import SCORERS
from webfarer.evals.shares import Hear, Work, carry_out, results_of
from webfarer.evals.task import TASKS, Card, Item, Source, Task

_RECORDED = {
    *("policy", "archive", "base_url", "context", "cache", "draft"),
    *("temperature", "top_p", "tokens", "web", "ask", "search", "searxng_url", "browser"),
}
_PIECES = 6  # of each process, so that none waits long for the last
_FEW = 4  # items a piece has at least: opening a venue costs something

Tell = Callable[[Result | None, int, int], None]
"""Called after every attempt: its result (None: it was finished before), how many are done, of how many."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for.

    Attributes:
        task, source: which questions.
        agent: who answers.
        setting: what may be used; None for the first of the task's that the agent can play in.
        limit: the first so many items; 0 for all.
        shard: (i, n): every n-th item from the i-th.
        runs: attempts at each item.
        scorers: ids; () for the task's own.
        judge: the model that judges, "provider:name".
        settings: of everything else; model, budget, seed and price are taken from here.
        ceiling: tokens and usd that all attempts together may cost, None for no limit; once that is reached none is
            begun. It is no part of the plan: with a higher one the same run goes on.
    """

    task: str
    settings: Settings
    source: Source = field(default_factory=Source)
    agent: str = "walker"
    setting: Setting | None = None
    limit: int = 0
    shard: tuple[int, int] = (1, 1)
    runs: int = 1
    scorers: tuple[str, ...] = ()
    judge: str = ""
    ceiling: Budget | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """How the attempts are spread.

    Attributes:
        jobs: attempts side by side in one process.
        processes: on this machine.
        ray: over the nodes of a Ray cluster instead.
    """

    jobs: int = 4
    processes: int = 1
    ray: bool = False


async def planned(asked: Asked) -> tuple[Plan, list[Item]]:
    """Return the plan and its items; nothing is run and nothing is paid.

    Raises:
        ConfigError: no such task, agent or scorer; they do not fit together; the items cannot be read.
    """
    task: Task = TASKS.load(asked.task)
    system = SYSTEMS.load(asked.agent)
    setting = setting_of(task.card, system, asked.setting)
    if setting is None:
        able, asks = ", ".join(system.settings), ", ".join(task.card.settings)
        raise ConfigError(f"{asked.agent} plays in {able}; {asked.task} is asked in {asks}; choose another --setting")
    if system.model == "needed" and not asked.settings.model:
        raise ConfigError(f"{asked.agent} needs a model: give one, such as --model openai:gpt-4o-mini")
    scorers = tuple(filter(None, asked.scorers)) or task.card.scorers
    if not SCORERS.load(scorers[0]).decides:
        raise ConfigError(f"the scorer {scorers[0]} counts and does not decide what is right: name another one first")
    if any(SCORERS.load(name).needs_judge for name in scorers) and not asked.judge:
        raise ConfigError(
            f"the scorer {scorers[0]} asks a model: give one with --judge, such as --judge openai:gpt-4o, "
            "or choose scorers that need none with --scorers named"
        )
    items = await task.items(replace(asked.source, settings=asked.settings))
    _distinct(items, asked.task)
    first, every = asked.shard
    items = (items[: asked.limit] if asked.limit else items)[first - 1 :: every]
    if not items:
        raise ConfigError(f"{asked.task}: no item is left to be asked")
    plan = Plan(
        task=asked.task,
        split=asked.source.split,
        subset=asked.source.subset,
        source=_named(asked.source, task.card),
        setting=setting,
        agent=asked.agent,
        model=asked.settings.model if system.model != "never" else "",
        judge=asked.judge,
        scorers=scorers,
        budget=asked.settings.budget,
        runs=asked.runs,
        shard=asked.shard,
        seed=asked.settings.seed,
        items=len(items),
        fingerprint=fingerprint(items),
        settings=asked.settings.model_dump(mode="json", include=_RECORDED, exclude_defaults=True),
        webfarer=version("webfarer"),
        commit=commit(),
        machine=machine(),
        started=f"{datetime.datetime.now(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}",
    )
    return plan, items


def setting_of(card: Card, system: type[System], wanted: str | None) -> Setting | None:
    """Return the setting in which a system plays a task: the one wanted, else the first of the system's; None: none."""
    able = [each for each in system.settings if each in card.settings or each == "closed"]
    return next((each for each in able if wanted in (None, each)), None)


def evaluate(
    asked: Asked,
    out: Path | None = None,
    spread: Spread = Spread(),
    tell: Tell | None = None,
    *,
    within: Path | None = None,
) -> Folder:
    """Carry out what is asked for, or what is lacking of it; not inside a running event loop.

    Args:
        asked: what.
        out: the run's folder; None: one whose name follows from what is asked for.
        spread: how.
        tell: hears of every attempt.
        within: where such a folder lies; None: in the home folder.

    Raises:
        ConfigError: it cannot work, or another process is at it.
        ModelAuth: an endpoint refuses the key.
    """
    if asked.ceiling and (spread.ray or spread.processes > 1):
        raise ConfigError("a limit on all attempts together needs one process: its attempts are made side by side")
    plan, items = asyncio.run(planned(asked))
    folder = Folder(out or (within or asked.settings.home / "evals") / _name(plan))
    with locked(folder.path):
        try:
            folder.begin(plan, items)
        except OSError as error:
            raise ConfigError(f"{folder.path} cannot be written: {error.strerror}") from error
        settings = asked.settings.model_copy(update={"home": folder.path})
        todo, done = _lacking(folder, plan, items)
        total = plan.items * plan.runs

        def hear(result: Result | None) -> None:
            nonlocal done
            done += result is not None
            if tell:
                tell(result, done, total)

        hear(None)
        ceiling = left(asked.ceiling, [folder])
        works = [
            Work(folder.path, asked.settings.home, plan, settings, piece, spread.jobs, ceiling)
            for piece in _pieces(todo, spread)
        ]
        _carry_out(works, spread, hear)
    return folder


def left(ceiling: Budget | None, folders: Iterable[Folder]) -> Budget | None:
    """Return what a limit leaves after the attempts of some runs; None for no limit."""
    if ceiling is None:
        return None
    ledger = Ledger(ceiling)
    for folder in folders:
        for result in folder.results():
            ledger.charge(result.paid)
    room = {meter: ledger.room(meter) for meter in ("tokens", "usd")}
    return Budget.model_validate({meter: amount for meter, amount in room.items() if amount != float("inf")})


def _carry_out(works: Sequence[Work], spread: Spread, hear: Hear) -> None:
    """Make the attempts, and let every result be heard as it comes."""
    if spread.ray:
        over_ray(works, hear)
    elif spread.processes == 1:
        for work in works:
            carry_out(work, hear)
    else:
        with ProcessPoolExecutor(spread.processes, get_context("spawn"), end_with_parent) as pool:
            under_way = [pool.submit(results_of, work) for work in works]
            try:
                for done in as_completed(under_way):
                    for result in done.result():
                        hear(result)
            except BrokenProcessPool as error:
                raise WebfarerError("a process was killed; what is done stays: give the same command again") from error
            finally:
                for each in under_way:
                    each.cancel()


def end_with_parent() -> None:
    """End this process when the one that began it is gone: nobody would hear of what it pays for."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


def _lacking(folder: Folder, plan: Plan, items: Iterable[Item]) -> tuple[list[Item], int]:
    """Return the items that have unfinished attempts, and how many attempts are finished."""
    todo, finished = [], 0
    for item in items:
        here = sum(folder.finished(attempt_id(item.id, number)) for number in range(1, plan.runs + 1))
        finished += here
        if here < plan.runs:
            todo.append(item)
    return todo, finished


def _pieces(items: Sequence[Item], spread: Spread) -> list[tuple[Item, ...]]:
    """Cut the items into shares: neighbours stay together, for they often share a site."""
    shares = spread.processes * _PIECES if spread.ray or spread.processes > 1 else 1
    size = max(_FEW, -(-len(items) // shares))
    return [tuple(items[begin : begin + size]) for begin in range(0, len(items), size)]


def _distinct(items: Iterable[Item], task: str) -> None:
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise ConfigError(f"{task}: two items have the id {item.id!r}; each needs one of its own")
        seen.add(item.id)


def _named(source: Source, card: Card) -> str:
    """Return where the items come from, for people."""
    if source.path is not None:
        return str(source.path)
    if card.hub:
        return f"hub:{card.hub}"
    return f"generated, seed {source.seed}" + (f", size {source.size}" if source.size else "")


def _name(plan: Plan) -> str:
    """Return a folder's name that follows from what is run."""
    return f"{plan.task}-{plan.agent}-{plan.setting}-{plan.digest}"
