"""Samples trajectories: several attempts at every question, by any agent, over models, temperatures and thoughts.

Sampling is evaluating: each part of the mixture is a run of the task "questions" in a folder of its own, so it is
resumed, spread and budgeted as evaluations are. Not a filter. Invariant: which attempts are made, and with which seeds,
follows from what is asked for; no two samples of a question share a seed.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from webfarer.agents.system import Setting
from webfarer.core.config import Settings, revised
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget
from webfarer.evals.records import Folder, put
from webfarer.evals.runner import Asked, Spread, Tell, evaluate, left, planned
from webfarer.evals.task import Source
from webfarer.models.load import load_model

Thoughts = Literal["withheld", "kept"]
"""Whether a model is shown what it thought in earlier steps; short reasoning is kept, long reasoning withheld."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """Who samples; every model with every temperature and either way with thoughts.

    Attributes:
        models: "provider:name"; () for that of the settings.
        temperatures: of decisions.
        thoughts: of earlier steps.
    """

    models: tuple[str, ...] = ()
    temperatures: tuple[float, ...] = (0.0,)
    thoughts: tuple[Thoughts, ...] = ("withheld",)


@dataclass(frozen=True, slots=True)
class Samples:
    """What is to be sampled.

    Attributes:
        questions: file of questions.
        settings: of everything else; budget (of one attempt) and seed are taken from here.
        agent, setting: who searches, and what may be used; None for the first setting the agent can play in.
        count: attempts at every question, over the whole mixture.
        mixture: who makes them; the attempts go round.
        limit: the first so many questions; 0 for all.
        scorers, judge: that mark them; () for the task's own.
        ceiling: tokens and usd that all attempts together may cost; None for no limit.
    """

    questions: Path
    settings: Settings
    agent: str = "dancer"
    setting: Setting | None = None
    count: int = 5
    mixture: Mixture = Mixture()
    limit: int = 0
    scorers: tuple[str, ...] = ()
    judge: str = ""
    ceiling: Budget | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mixture: who, how, how many attempts at each question, and the seed of the first of them."""

    model: str
    temperature: float
    thoughts: Thoughts
    count: int
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder."""
        model = re.sub(r"[^\w.-]+", "-", self.model) or "none"
        return f"{model}-t{self.temperature:g}-{self.thoughts}"


def parts(samples: Samples) -> list[Part]:
    """Return how the attempts are split: in turn, so that counts differ by one at most; parts without any are left out.

    Raises:
        ConfigError: a model, temperature or way is named twice.
    """
    mixture = samples.mixture
    voices = list(product(mixture.models or (samples.settings.model,), mixture.temperatures, mixture.thoughts))
    found: list[Part] = []
    seed = samples.settings.seed
    for place, voice in enumerate(voices):
        count = len(range(place, samples.count, len(voices)))
        if count:
            found.append(Part(*voice, count, seed))
        seed += count
    if len({part.name for part in found}) < len(found):
        raise ConfigError("two parts of the mixture are the same; name each model, temperature and way once")
    return found


def sample(samples: Samples, out: Path, spread: Spread = Spread(), tell: Tell | None = None) -> list[Folder]:
    """Make the attempts, or those that are lacking, and return the folders of the runs; not inside an event loop.

    Args:
        samples: what.
        out: folder of the folders.
        spread: how.
        tell: hears of every attempt, part by part.

    Raises:
        ConfigError: it cannot work, or another sampling lies there.
        ModelAuth: an endpoint refuses the key.
    """
    made = parts(samples)
    wanted = [_asked(samples, part) for part in made]
    asyncio.run(_can_work(wanted))
    _same(out, made)
    folders = [Folder(out / part.name) for part in made]
    for asked, folder in zip(wanted, folders, strict=True):
        others = [other for other in folders if other is not folder and (other.path / "plan.json").exists()]
        evaluate(replace(asked, ceiling=left(samples.ceiling, others)), folder.path, spread, tell)
    return folders


def _asked(samples: Samples, part: Part) -> Asked:
    """Return the evaluation that a part is.

    Raises:
        ConfigError: there is no such temperature or way.
    """
    thoughts = {**samples.settings.ask.model_dump(), "thoughts": part.thoughts}
    changes = {"model": part.model, "temperature": part.temperature, "seed": part.seed, "ask": thoughts}
    settings = revised(samples.settings, changes)
    return Asked(
        "questions",
        settings,
        Source(samples.questions.absolute(), settings=settings),  # rows look there for what the file knows
        samples.agent,
        samples.setting,
        samples.limit,
        runs=part.count,
        scorers=samples.scorers,
        judge=samples.judge,
    )


async def _can_work(wanted: Sequence[Asked]) -> None:
    """See that every part can be planned and has its models, before any of them is paid.

    Raises:
        ConfigError: one cannot.
    """
    for asked in wanted:
        plan, _ = await planned(asked)
        for spec in (plan.model, plan.judge):
            if not spec.startswith("local:"):  # takes minutes to load; its own part tells
                model = load_model(spec, asked.settings)
                if model is not None:
                    await model.close()


def folders_in(path: Path) -> list[Folder]:
    """Return the runs in a folder: its own, or those of a sampling, by name.

    Raises:
        ConfigError: there is none.
    """
    if (path / "plan.json").exists():
        return [Folder(path)]
    found = [Folder(plan.parent) for plan in sorted(path.glob("*/plan.json"))]
    if not found:
        raise ConfigError(f"{path} holds no runs; `webfarer data sample` and `webfarer eval` make them")
    return found


def _same(out: Path, made: Sequence[Part]) -> None:
    """See that no attempt of another mixture lies in `out`, and write this one down."""
    content = TypeAdapter(list[Part]).dump_json(list(made), indent=1) + b"\n"
    path = out / "mixture.json"
    begun = any(Folder(plan.parent).begun for plan in out.glob("*/plan.json"))
    if begun and path.exists() and path.read_bytes() != content:
        raise ConfigError(f"{out} holds samples of another mixture; give a new folder with --out, or the same options")
    out.mkdir(parents=True, exist_ok=True)
    put(path, content)
