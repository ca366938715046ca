"""A problem in a user's words, thought about with the model of the settings: finds its kind, opens the writer, counts.

A model in this process ("local:FOLDER") is run by our engine, under one of its schedulers and with a drafter where one
is named; any other model is asked through its endpoint. Not the search: that is :mod:`webfarer.agents.thinker`.
"""

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path as Folder
from typing import TYPE_CHECKING, Any

from webfarer.agents import freetext
from webfarer.agents.thinker import Thinker
from webfarer.agents.thoughts import Options, Tree, Writer
from webfarer.agents.writers import ChatWriter, EngineWriter
from webfarer.core.config import Settings, load_settings
from webfarer.core.errors import ConfigError, UnknownPlugin
from webfarer.models.load import load_model
from webfarer.worlds.puzzle import PUZZLES, Problem, Rules

if TYPE_CHECKING:
    from webfarer.engine.engine import Engine

_LOCAL = re.compile(r"local[:/](.+)")


@dataclass(frozen=True, slots=True)
class Drive:
    """How a model in this process is run; None for the default.

    Attributes:
        draft: what guesses tokens ahead ("ngram", a small model's folder, …), "" for nothing; by default the setting.
        k: tokens of a draft: "auto" (the default) or a number.
        scheduler: "batched" (the default) reads all branches in one pass, "serial" one branch after the other, "fcfs"
            one draft at a time, first come, first served.
    """

    draft: str | None = None
    k: str | None = None
    scheduler: str | None = None


@dataclass(frozen=True, slots=True)
class Thinking:
    """A tree and its fare.

    Attributes:
        tree: what was thought.
        checked: whether the puzzle can tell that an answer is right; `tree.right` says whether it is.
        seconds: that it took, without loading the model.
        engine: passes of a model in this process and, with a draft, the share of guessed tokens that stood.
    """

    tree: Tree
    checked: bool
    seconds: float
    engine: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        told = {"checked": self.checked, "seconds": round(self.seconds, 3), "engine": self.engine}
        return {**self.tree.to_dict(), **told}


def find(text: str, puzzle: str = "") -> tuple[Problem, Rules]:
    """Return the problem that `text` says, and its rules.

    Args:
        text: the problem in a user's words.
        puzzle: id of its kind, or "free" for plain text; "" asks every kind, and takes plain text when none knows it.

    Raises:
        UnknownPlugin: there is no such kind.
        ConfigError: the text is no problem of that kind.
    """
    free, known = freetext.FreeText(), PUZZLES.ids()
    if puzzle and puzzle not in (*known, freetext.NAME):
        raise UnknownPlugin(f"unknown puzzle {puzzle!r}; known: {', '.join((*known, freetext.NAME))}")
    if puzzle == freetext.NAME:
        return free.read(text), free
    for name in [puzzle] if puzzle else known:
        rules = PUZZLES.load(name)
        if problem := rules.read(text):
            return problem, rules
    if puzzle:
        example = PUZZLES.load(puzzle).draw(0).text
        raise ConfigError(f"{text!r} is no problem of {puzzle}; write one such as {example!r}, or take --puzzle free")
    return free.read(text), free


class TreeOfThoughts:
    """A tree of thoughts grown by a model: ``await TreeOfThoughts("local:FOLDER", "ngram", "fcfs").solve("Use …")``.

    Args:
        target: the model, as in the settings ("local:FOLDER", "openai:NAME").
        draft: what guesses tokens ahead of a local one: "ngram", "self", a small model's folder.
        scheduler: "batched", "fcfs" or "serial"; which one never changes the tree.
        k: tokens guessed at a time: "auto" or a number.
        options: how the tree is searched.
    """

    def __init__(
        self,
        target: str,
        draft: str | None = None,
        scheduler: str | None = None,
        *,
        k: str | None = None,
        options: Options = Options(),
    ) -> None:
        self._target, self._options = target, options
        self._drive = Drive(draft, k, scheduler)

    async def solve(self, problem: str, puzzle: str = "") -> Tree:
        """Return the tree of a problem in a user's words; see :func:`think` for `puzzle` and errors."""
        settings = load_settings(model=self._target)
        return (await think(problem, settings, self._options, puzzle=puzzle, drive=self._drive)).tree


async def think(
    text: str, settings: Settings, options: Options = Options(), *, puzzle: str = "", drive: Drive = Drive()
) -> Thinking:
    """Think about a problem with the model of the settings.

    Args:
        text: the problem in a user's words.
        settings: name the model.
        options: how the tree is searched.
        puzzle: see :func:`find`.
        drive: how a model in this process is run.

    Raises:
        ConfigError: problem, model or options cannot work.
        ModelError: no call of the model succeeded.
    """
    problem, rules = find(text, puzzle)
    if problem.puzzle == freetext.NAME:  # its steps are as many as are wished for, the last one being the answer
        problem = replace(problem, depth=options.depth or problem.depth)
    local = _LOCAL.fullmatch(settings.model)
    if not settings.model:
        raise ConfigError("thinking needs a model: --model local:FOLDER, or openai:NAME with a key")
    if local is None and (given := [name for name, value in asdict(drive).items() if value is not None]):
        raise ConfigError(f"--{given[0]} is for models in this process (local:FOLDER); {settings.model} is not one")
    opened = _engine(Folder(local[1]), settings, drive) if local else _endpoint(settings)
    async with opened as (writer, told):
        began = time.perf_counter()
        tree = await Thinker(writer, options).solve(problem, rules)
        seconds = time.perf_counter() - began
    return Thinking(tree, problem.puzzle != freetext.NAME, seconds, told)


@asynccontextmanager
async def _endpoint(settings: Settings) -> AsyncIterator[tuple[Writer, dict[str, Any]]]:
    """Open a writer over a chat model."""
    model = load_model(settings.model, settings)
    assert model is not None
    try:
        yield ChatWriter(model), {}
    finally:
        await model.close()


@asynccontextmanager
async def _engine(folder: Folder, settings: Settings, drive: Drive) -> AsyncIterator[tuple[Writer, dict[str, Any]]]:
    """Open a writer over a model in this process; what its engine tells is known when the writer is closed."""
    if not folder.expanduser().is_dir():
        raise ConfigError(f"no folder {folder}: local:FOLDER names a model's folder (config.json, *.safetensors, …)")
    try:
        from webfarer.engine.chat import Chat  # with torch: seconds, and not in every installation
    except ModuleNotFoundError as error:
        raise ConfigError(f"local:{folder} needs more packages: pip install 'webfarer[engine]'") from error
    engine = _arranged(folder.expanduser(), settings, drive)
    told: dict[str, Any] = {}
    engine.start()
    try:
        yield EngineWriter(engine, Chat.load(folder.expanduser())), told
    finally:
        engine.stop()
        stats = engine.stats()
        told["passes"] = stats.rounds
        if stats.drafted:
            told["acceptance"] = round(stats.accepted / stats.drafted, 3)


def _arranged(folder: Folder, settings: Settings, drive: Drive) -> "Engine":
    """Return the engine, arranged as `drive` says."""
    from webfarer.engine.engine import Engine
    from webfarer.engine.speculation import Speculate

    draft = settings.draft if drive.draft is None else drive.draft
    if drive.k is not None and not draft:
        raise ConfigError("--k says how long drafts are: name what drafts with --draft")
    speculate = Speculate.parse(draft, drive.k or "auto") if draft else None
    engine = Engine.load(folder, cache=settings.cache)
    engine.arrange(speculate, drive.scheduler or "batched")  # type: ignore[arg-type]
    return engine
