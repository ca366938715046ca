"""A made question: an item of an evaluation, and beside it what it was made of and where that stands.

A file of questions is JSONL, one to a line, and is read by `webfarer eval questions` as it is. Not a store: a file is
written whole. Invariant: whatever an agent is not to be told (evidence, formula) is no field of the item.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from webfarer.core.types import Page
from webfarer.data.jsonl import read_lines, write_lines
from webfarer.evals.task import Item

VERSION = 1


class Evidence(BaseModel):
    """An exact piece of a page.

    Attributes:
        url: of the page, as the ground writes it.
        sha256: of the page's bytes.
        text: the piece, exactly as in the page's markdown.
        start: offset of its first character there.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    sha256: str
    text: str
    start: int

    @classmethod
    def at(cls, page: Page, start: int, end: int) -> "Evidence":
        """Return a piece of a page whose id is the SHA-256 of its bytes."""
        return cls(url=page.url, sha256=page.id, text=page.markdown[start:end], start=start)


class Question(Item):
    """A question, its answer, and what it was made of.

    Attributes:
        version: of this schema.
        synth: id of what made it.
        ground: id of the place it was made of ("world", "site").
        evidence: pieces of pages that state what is needed, in the order in which they are needed; every page of
            `gold` has one.
        paths: per gold page, the labels of the links on a shortest way from the root.
        formula: what is asked, as :mod:`webfarer.data.formula` writes it; None where a synth has another way to solve.
        recipe: what else the synth needs to solve it again; JSON.
        licence: of the pages, as far as it is known.
        made: who worded it and how: "template", or a model's name; seed and version of the program.
    """

    version: int = VERSION
    synth: str
    ground: str
    evidence: tuple[Evidence, ...]
    paths: tuple[tuple[str, ...], ...] = ()
    formula: Any = None
    recipe: dict[str, Any] = Field(default_factory=dict)
    licence: str = ""
    made: dict[str, Any] = Field(default_factory=dict)

    @property
    def wanted(self) -> frozenset[str]:
        """What an answer consists of: every part, or the reference alone."""
        return frozenset(self.parts or (self.answer,))


def write_questions(path: Path, questions: Iterable[Question]) -> None:
    """Write a file of questions, whole or not at all; equal questions give equal bytes."""
    write_lines(path, questions)


def read_questions(path: Path) -> list[Question]:
    """Read a file of questions.

    Raises:
        ConfigError: it is missing, or a line is no question of this version: with the line.
    """
    return list(read_lines(path, Question, "made question"))
