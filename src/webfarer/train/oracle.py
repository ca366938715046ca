"""An oracle: who says what is right of the items that were picked: a file, a model, people.

The only one besides examinations who may know a key. Invariant: an item that was answered or refused is never asked
again; who asks (:mod:`webfarer.train.active`) keeps what was said.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from webfarer.core.config import Settings
from webfarer.core.registry import Seam
from webfarer.train.pool import Key, Label, PoolItem

ORACLES = Seam("webfarer.train.oracles", "oracle", "oracle")

GUIDELINES = """\
Answer from the text that is shown and from nothing else.
Write what a good answer would be word for word: a model is going to learn it.
Where there are choices, give one of them as it stands.
Skip what you cannot answer, or what has no right answer; another item is asked instead."""


class Said(Label):
    """What was said of an item.

    Attributes:
        word: "skip": refused, `answer` is ""; "undo": the same person's last word on it is taken back.
        why: an answer was made a refusal.
    """

    word: Literal["label", "skip", "undo"] = "label"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """What oracles work with.

    Attributes:
        folder: of the command, for all its learnings: queue, recorded calls.
        key: of generated and published items; None where nobody has one.
        answers: a file of labels, which goes before the key.
        settings: model, budget and prices.
        guidelines: for people and models.
        people: how many label each item.
    """

    folder: Path
    key: Key | None = None
    answers: Path | None = None
    settings: Settings = field(default_factory=Settings)
    guidelines: str = GUIDELINES
    people: int = 1


class Oracle(Protocol):
    """Labels items. Modules of the seam define `oracle`, a class that takes a Desk.

    Attributes:
        name: who labels, and how; under another name a learning is not gone on with.
    """

    name: str

    def __init__(self, desk: Desk) -> None:
        """Begin a learning, or go on with it."""
        ...

    def label(self, items: Sequence[PoolItem]) -> AsyncIterator[Said]:
        """Yield what is said of items, each as soon as it is; those that have to wait are left out.

        Raises:
            ConfigError: there is no answer to be had.
            BudgetExceeded: there is no room for the next one.
        """
        ...
