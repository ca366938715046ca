"""A synth: one way to make questions of a ground, and to solve them again.

It yields drafts, worded by template; who checks, rewords, counts and writes is :mod:`webfarer.data.factory`. Invariant:
the drafts follow from ground, order and the random numbers alone; `solve` sees only a ground, never the answer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from webfarer.core.registry import Seam
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.evals.task import Item

SYNTHS = Seam("webfarer.data.synths", "synth", "synth")


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a synth.

    Attributes:
        hops: statements in a chain, rewrites of an easy question, or spans that are masked.
        quota: how many questions of each type and difficulty; empty: whatever comes.
        easy: questions to begin with, for synths that make hard ones of them.
    """

    hops: int = 2
    quota: Mapping[tuple[str, str], int] = field(default_factory=dict)
    easy: tuple[Item, ...] = ()


class Drop(BaseModel):
    """A draft that is not kept: which check, or rule of the synth's own, speaks against it, and why."""

    model_config = ConfigDict(frozen=True)

    check: str
    why: str
    question: str
    answer: str


class Synth(Protocol):
    """Makes questions. Modules of the seam define `synth`, an object of this kind."""

    title: ClassVar[str]
    source: ClassVar[str]
    """Paper that describes it."""
    ground: ClassVar[str]
    """The generated ground it draws from where no site is given."""
    reads: ClassVar[tuple[str, ...]]
    """The fields of an order that mean something to it."""

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question | Drop]:
        """Yield drafts, the most different ones first; endless is fine, the caller stops.

        What it was given to make them of and cannot use is yielded as a drop.
        """
        ...

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Return every answer that the ground supports, each as its parts; {} when it supports none."""
        ...
