"""A pool: items that can be labelled, and apart from them the key that says which answers are right.

Whoever chooses items sees :class:`PoolItem`, which has no answer; only oracles and examinations hold a :class:`Key`.
That is how no score can see a label: by type. Not training rows (:mod:`webfarer.data.row`).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict

from webfarer.core.errors import ConfigError
from webfarer.core.registry import Seam
from webfarer.evals import matching

POOLS = Seam("webfarer.train.pools", "pool", "pool")

MARKER = "####"
"""Stands before the final answer, as in GSM8K."""

Composed = Annotated[str, AfterValidator(lambda text: unicodedata.normalize("NFC", text))]
"""A text in Unicode's composed form, which tokenizers that normalise write back."""

_MINUS = re.compile(r"(?<![\w)])[-–](?=[$€£¥]?\.?\d)")
_EMPHASIS = re.compile(r"(\*+|`+)(.*)\1", re.DOTALL)
_SIGNS = str.maketrans({sign: chr(0xE000 + place) for place, sign in enumerate("#%*/&@")})  # C# is not C, 10% not 10


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
    choices: tuple[Composed, ...] = ()
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
    answer: Composed
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


def final_answer(text: str, choices: Sequence[str] = ()) -> str:
    """Return what texts with the same final answer have in common.

    That is the choice that is meant, if any; else what stands behind the last marker, or the whole text: case, spaces
    and full stops do not count, signs do.
    """
    if (whole := text.strip()) in choices:
        return whole
    said = matching.final_answer(text.rpartition(MARKER)[2]).strip()
    if emphasis := _EMPHASIS.fullmatch(said):
        said = emphasis[2]
    if said in choices:
        return said
    plain = matching.key(_MINUS.sub("−", matching.iso_dates(said)).translate(_SIGNS))
    meant = [choice for choice in choices if final_answer(choice) == plain]
    return meant[0] if len(meant) == 1 else plain


def admitted(item: PoolItem, text: str) -> str:
    """Return an answer as a label holds it: the text, or the choice that is meant; "" where it means none."""
    if not item.choices:
        return text.strip()
    meant = final_answer(unicodedata.normalize("NFC", text), item.choices)
    return meant if meant in item.choices else ""


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """A key of answers that are known; a text is right when its final answer is the same, or the same choice.

    Attributes:
        answers: by item.
        items: by id.
    """

    answers: Mapping[str, str]
    items: Mapping[str, PoolItem]

    def answer(self, item: str) -> str:
        """Return the answer.

        Raises:
            ConfigError: there is none.
        """
        if item not in self.answers:
            raise ConfigError(f"the pool's file has no answer to {item!r}: choose the oracle human or model")
        return self.answers[item]

    def right(self, item: str, text: str) -> bool:
        """Say whether a text is the answer."""
        choices = self.items[item].choices
        return final_answer(text, choices) == final_answer(self.answer(item), choices)
