"""The tasks under inspect_ai: `inspect eval webfarer/world --model openai/gpt-4o-mini -T agent=walker`.

Found through the package's entry point; each task of the seam is one task there, marked by the same scorers. The model
is inspect's, with its limits, cache and logs; `--model none` is none at all. Judges are its model role "grader". Not
another runner: an item gets the same answer and the same marks as under `webfarer eval`.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from inspect_ai import Task as InspectTask
from inspect_ai import task as inspect_task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, get_model
from inspect_ai.scorer import Metric, SampleScore, Score, Target, Value, mean, metric, scorer
from inspect_ai.scorer import Scorer as InspectScorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from webfarer.agents.runs import Options, play
from webfarer.agents.system import SYSTEMS, Setting
from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError, ModelAuth, ModelError, WebfarerError, boundary
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import Answer
from webfarer.evals._inspect_models import Inspected, rules
from webfarer.evals.attempts import Heard, case_of
from webfarer.evals.runner import setting_of
from webfarer.evals.scorer import SCORERS, Attempt, Marks
from webfarer.evals.shares import in_venue
from webfarer.evals.task import TASKS, Item, Source, Task
from webfarer.models.base import ChatModel
from webfarer.models.metered import Metered
from webfarer.web.archive import Archive
from webfarer.web.client import Web

__all__ = ["rules"]  # inspect's provider "ruled", which importing this module registers

_ANSWER, _OPENED, _ERROR = "answer", "opened", "error"


def _made(name: str) -> Any:
    """Return inspect's task for one of ours."""

    def made(
        agent: str = "walker", setting: str = "", scorers: str = "", max_steps: int = 15, **source: Any
    ) -> InspectTask:
        ours: Task = TASKS.load(name)
        chosen = setting_of(ours.card, SYSTEMS.load(agent), setting or None)
        if chosen is None:
            raise ConfigError(f"{agent} cannot play {name} in the setting {setting or 'of the task'!r}")
        if "path" in source:
            source["path"] = Path(source["path"])
        try:
            told = replace(Source(settings=load_settings(model="")), **source)
        except TypeError as error:
            known = ", ".join(field.name for field in fields(Source))
            raise ConfigError(f"{name}: {error}; -T takes agent, setting, scorers, max_steps, {known}") from error
        with ThreadPoolExecutor(1) as thread:  # inspect makes tasks inside its event loop, and waits
            items = thread.submit(asyncio.run, ours.items(told)).result()
        names = [each for each in scorers.split(",") if each] or list(ours.card.scorers)
        return InspectTask(
            dataset=MemoryDataset([_sample(item) for item in items], name=name),
            solver=_solver(name, agent, chosen, max_steps, told.seed),
            scorer=_scorer(names),
            metadata={"setting": chosen, "agent": agent},
        )

    made.__name__ = name
    made.__doc__ = f"{name}, as `webfarer eval {name}` runs it."
    return inspect_task(name=name)(made)


def _sample(item: Item) -> Sample:
    return Sample(input=item.question, target=item.answer, id=item.id, metadata={"item": item.model_dump(mode="json")})


@solver(name="webfarer_agent")
def _solver(task: str, agent: str, setting: Setting, max_steps: int, seed: int) -> Solver:
    """Let a system answer, in the task's own venue."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        item, ours = Item.model_validate(state.metadata["item"]), TASKS.load(task)
        model = get_model()
        chat: ChatModel | None = None if model.api.model_name == "none" else Inspected(model)
        budget = Budget(steps=max_steps)
        base = load_settings(model="", seed=seed, budget=budget)
        async with ours.venue([item], base) as changes:
            settings = in_venue(base, changes, ours.card)
            heard, error = Heard(), ""
            with Archive() as archive:
                async with Web(settings, archive) as web:
                    options = Options(settings=settings, web=web, on_event=heard, record=False)
                    try:
                        with boundary(WebfarerError, f"{agent} broke down"):
                            case = case_of(item, agent, setting)
                            answer: Answer | None = await play(agent, case, model=chat, budget=budget, options=options)
                    except (ConfigError, ModelAuth):
                        raise
                    except WebfarerError as failure:
                        answer, error = None, f"{type(failure).__name__}: {failure.message}"
        opened = [url for _, url in heard.came]
        state.metadata |= {_ANSWER: answer and answer.model_dump(mode="json"), _OPENED: opened, _ERROR: error}
        state.output = ModelOutput.from_content(str(model), answer.text if answer else "")
        state.completed = True
        return state

    return solve


@metric
def total() -> Metric:
    """Each metric by the total of its own scorer, as on the report card."""

    def measured(scores: list[SampleScore]) -> Value:
        parts: dict[str, list[dict[str, float]]] = {}
        for each in scores:
            for name, marks in (each.score.metadata or {}).get("marks", {}).items():
                parts.setdefault(name, []).append(marks)
        return {
            f"{name}_{metric}": value
            for name, marks in parts.items()
            for metric, value in SCORERS.load(name).total(marks).items()
        }

    return measured


@scorer(metrics=[mean(), total()], name="webfarer_scorers")
def _scorer(names: list[str]) -> InspectScorer:
    """Mark with our scorers; the score is the first one's own metric."""

    async def score(state: TaskState, target: Target) -> Score:
        item = Item.model_validate(state.metadata["item"])
        told = state.metadata[_ANSWER]
        needed = any(SCORERS.load(name).needs_judge for name in names)
        judge = Metered(Run("judge", Trace.create()), Inspected(get_model(role="grader"))) if needed else None
        answer = Answer.model_validate(told) if told else None
        attempt = Attempt(item, answer, tuple(state.metadata[_OPENED]), judge)
        found: dict[str, Marks] = {}
        unjudged: dict[str, str] = {}
        for name in names:
            try:
                found[name] = await SCORERS.load(name).mark(attempt)
            except ModelError as error:
                unjudged[name] = f"{type(error).__name__}: {error.message}"
        own = found[names[0]].values if names[0] in found else {}
        first = own.get(SCORERS.load(names[0]).metrics[0], 0.0)
        marks = {name: dict(each.values) for name, each in found.items()}
        detail = {name: dict(each.detail) for name, each in found.items() if each.detail}
        return Score(
            value=first, answer=attempt.text, metadata={"marks": marks, "detail": detail, "unjudged": unjudged}
        )

    return score


for _name in TASKS.ids():
    globals()[_name] = _made(_name)
