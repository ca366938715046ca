"""A pool: items that can be labelled, and apart from them the key that says which answers are right.

Whoever chooses items sees :class:`PoolItem`, which has no answer; only oracles and examinations hold a :class:`Key`.
That is how no score can see a label: by type. Not training rows (:mod:`webfarer.data.row`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from webfarer.core.registry import Seam

POOLS = Seam("webfarer.train.pools", "pool", "pool")


class PoolItem(BaseModel):
    """Something that can be labelled.

    Attributes:
        id: unique within the pool.
        prompt: what the model is asked.
        choices: the possible answers, where there are few; () for free text.
        cells: kind, difficulty: what results are broken down by.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    prompt: str
    choices: tuple[str, ...] = ()
    cells: dict[str, str] = {}


class Label(BaseModel):
    """An answer that somebody gave.

    Attributes:
        item: its id.
        answer: the whole text that the model is to learn: reasoning, if any, and the final answer.
        by: who: a person's name, a model's, "key".
        cost: by meter of the fare: turns of people, usd, tokens.
    """

    model_config = ConfigDict(frozen=True)

    item: str
    answer: str
    by: str
    cost: dict[str, float] = {}


class Key(Protocol):
    """What is right. Only oracles and examinations have one."""

    def answer(self, item: str) -> str:
        """Return the text of a right answer."""
        ...

    def right(self, item: str, text: str) -> bool:
        """Say whether a text gives the right final answer."""
        ...


@dataclass(frozen=True, slots=True)
class Set:
    """Items to label, items to be examined on, and the key of both."""

    pool: Sequence[PoolItem]
    held_out: Sequence[PoolItem]
    key: Key


class Pool(Protocol):
    """Makes items. Modules of the seam define `pool`, an object of this kind."""

    title: ClassVar[str]
    published: ClassVar[Mapping[str, str]]
    """Names and files of the published sets whose format :meth:`read` reads."""

    def draw(self, size: int, held_out: int, seed: int, skew: float = 0.0) -> Set:
        """Generate items; with skew most of the pool is of one easy kind, and the held-out items are not."""
        ...
