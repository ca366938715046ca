"""A task: questions with known answers, where they come from, and where they are answered.

Nothing is loaded at import. A published set is read from a local path or, when asked for by name, from its hub; an
encrypted one is decrypted in memory. Not a runner (:mod:`webfarer.evals.runner`). Invariant: an item's id is the same
in every run, machine and order, so a finished item can be recognised.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from webfarer.agents.system import Setting
from webfarer.core.config import Settings
from webfarer.core.registry import Seam

TASKS = Seam("webfarer.evals.tasks", "task", "task")


class Item(BaseModel):
    """One question.

    Attributes:
        id: stable and unique within the task; the published one where there is one.
        question: as published.
        answer: the reference, as published; "" where the truth is only a table.
        forms: accepted forms of the whole answer, the reference first where it is one; () means the reference alone.
        parts: what must all be named, for questions with several answers; () for one.
        root: where the site begins, or "".
        sites: what a search is kept to, where the question does not say what it is about; () for anywhere.
        gold: addresses of the pages that state the answer, as published; () when not known.
        cells: what results are broken down by: "type", "difficulty", "language", "domain", whatever the set has.
        data: what one scorer alone needs: columns and rows of a table, a needle's place, labels.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    question: str
    answer: str = ""
    forms: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    root: str = ""
    sites: tuple[str, ...] = ()
    gold: tuple[str, ...] = ()
    cells: dict[str, str] = {}
    data: dict[str, Any] = {}

    @property
    def accepted(self) -> tuple[str, ...]:
        """Every accepted form of the whole answer."""
        return self.forms or (self.answer,)


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a task.

    Attributes:
        title: its name in the literature.
        source: paper or page that defines it.
        settings: in which it may be answered; the first is its own.
        scorers: ids, the first decides what counts as right.
        hub: dataset repository it is published in, or "".
        files: files there, by split; the first split is the default.
        licence: of the data, as published.
        blocked: hosts, with optional path, that are not searched or opened during a run: they hold the answers.
    """

    title: str
    source: str
    settings: tuple[Setting, ...]
    scorers: tuple[str, ...]
    hub: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a task's items are read from, and which.

    Attributes:
        path: a file or folder in the published format; None: the task's hub, or nothing where items are generated.
        split: of the published ones; "" for the first.
        subset: a named subset ("text" of GAIA); "" for all.
        seed, size: of generated items; size 0 for the task's own number.
        root: a website, for tasks that make items of any site.
        key: password of an encrypted set that does not carry it; "" where the data do.
        settings: of the program, for tasks that read a website or keep something at home; None: the user's own.
    """

    path: Path | None = None
    split: str = ""
    subset: str = ""
    seed: int = 0
    size: int = 0
    root: str = ""
    key: str = ""
    settings: Settings | None = None


Changes = Mapping[str, Any]
"""Settings, by name, that every run in a place is made with, nested ones in part ("searxng_url", "web", "search")."""


class Task(Protocol):
    """A task. Modules of the seam define `task`, an object of this kind."""

    card: Card

    async def items(self, source: Source) -> list[Item]:
        """Return the items, in the published order.

        Raises:
            ConfigError: a file is missing, damaged or not of this task: names the row, and what was expected.
        """
        ...

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Open the place where these items can be answered; :func:`open_web` for whatever needs none of its own."""
        ...


@asynccontextmanager
async def open_web() -> AsyncIterator[Changes]:
    """The web as it is."""
    yield {}
