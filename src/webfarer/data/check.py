"""A check of a question by machine: a name, and a reason why a question cannot be kept.

Not a matter of taste: whatever a person has to judge goes to the review queue. Invariant: a check drops, it never
mends; what it says is kept with the count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from webfarer.core.registry import Seam
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.models.base import ChatModel

CHECKS = Seam("webfarer.data.checks", "check", "check")


@dataclass(frozen=True, slots=True)
class Desk:
    """What checks work with.

    Attributes:
        model: its calls recorded and charged; None without one.
        apart: questions of other splits, whose pages and answers must not come again.
        seed: of whatever draws lots.
    """

    model: ChatModel | None = None
    apart: Sequence[Question] = ()
    seed: int = 0


class Check(Protocol):
    """Checks questions, one after the other. Modules of the seam define `check`, a class that takes a Desk."""

    order: ClassVar[int]
    """When it is made: cheap ones first, those that ask a model last."""
    whole: ClassVar[bool]
    """Whether it compares a question with those kept before it; else a question and its ground are all it sees."""
    asks: ClassVar[bool]
    """Whether it asks a model; without one it is left out."""

    def __init__(self, desk: Desk) -> None:
        """Begin a set."""
        ...

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return why the question cannot be kept; "" when it can. A whole check then counts it as kept."""
        ...
