"""A share of an evaluation's attempts, carried out in one process: what they have in common, and a few side by side.

Who gets which share, :mod:`webfarer.evals.runner` decides; what an attempt is, :mod:`webfarer.evals.attempts`.
Invariant: an attempt that is finished is left as it is, so a share can be carried out again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget, Ledger
from webfarer.evals.attempts import Stage
from webfarer.evals.records import Folder, Plan, Result, attempt_id
from webfarer.evals.task import TASKS, Card, Changes, Item
from webfarer.models.base import ChatModel
from webfarer.models.load import load_model
from webfarer.web.client import Web
from webfarer.web.searching import SEARCHERS, chosen, lacking

Hear = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class Work:
    """A share of the attempts, for one process; `home` is the user's, not the run's.

    Once `ceiling` is reached, no further attempt is begun.
    """

    folder: Path
    home: Path
    plan: Plan
    settings: Settings
    items: tuple[Item, ...]
    jobs: int
    ceiling: Budget | None = None


def carry_out(work: Work, hear: Hear) -> None:
    """Make a share of the attempts in this process."""
    asyncio.run(_attempts(work, hear))


def results_of(work: Work) -> list[Result]:
    """Make a share of the attempts in this process, and return their results when all are there."""
    results: list[Result] = []
    carry_out(work, results.append)
    return results


async def _attempts(work: Work, hear: Hear) -> None:
    """Make the attempts of `work`, a few side by side; those that are finished are left as they are."""
    plan, folder = work.plan, Folder(work.folder)
    pairs = ((item, number) for item in work.items for number in range(1, plan.runs + 1))
    lacking = (pair for pair in pairs if not folder.finished(attempt_id(pair[0].id, pair[1])))

    ledger = Ledger(work.ceiling)

    async def labour(stage: Stage) -> None:
        while not ledger.exhausted() and (pair := next(lacking, None)):
            result = await stage.attempt(*pair)
            written = folder.result(result.run)  # knows from the trace what a failed attempt cost
            ledger.charge((written or result).paid)
            hear(result)

    async with stage_of(work) as stage:
        workers = [asyncio.create_task(labour(stage)) for _ in range(work.jobs)]
        try:
            await asyncio.gather(*workers)
        finally:
            for each in workers:
                each.cancel()
            await asyncio.gather(*workers, return_exceptions=True)


@asynccontextmanager
async def stage_of(work: Work) -> AsyncIterator[Stage]:
    """Open what the attempts of one process share."""
    plan, task = work.plan, TASKS.load(work.plan.task)
    async with task.venue(work.items, work.settings.model_copy(update={"home": work.home})) as changes:
        settings = in_venue(work.settings, changes, task.card)
        if plan.setting in ("search", "both"):
            _check_keys(settings)
        shared: list[ChatModel] = []

        def load(spec: str) -> ChatModel | None:
            model = load_model(spec, settings)
            if model:
                shared.append(model)
            return model

        # a script is told anew in every attempt
        model: str | ChatModel | None = plan.model if plan.model.startswith("scripted") else load(plan.model)
        judge = load(plan.judge)
        try:
            async with Web(settings) as web:
                yield Stage(Folder(work.folder), plan, task.card, settings, web, model, judge)
        finally:
            for each in shared:
                await each.close()


def _check_keys(settings: Settings) -> None:
    """Raise ConfigError when no engine that is to be asked has its key."""
    needed = [lacking(SEARCHERS.load(name), settings) for name in chosen(settings)]
    if all(needed):
        raise ConfigError(f"no search engine can be asked: set {' or '.join(str(name).upper() for name in needed)}")


def in_venue(settings: Settings, changes: Changes, card: Card) -> Settings:
    """Return the settings of runs in a venue: its own changes, and what holds the answers blocked."""
    made: dict[str, Any] = {}
    for name, value in changes.items():
        now = getattr(settings, name)
        made[name] = now.model_copy(update=dict(value)) if isinstance(now, BaseModel) else value
    web = made.get("web", settings.web)
    made["web"] = web.model_copy(update={"blocked": (*web.blocked, *card.blocked)})
    return settings.model_copy(update=made)
