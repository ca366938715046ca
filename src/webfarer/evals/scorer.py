"""A scorer: how one answer is marked, and how marks of many are put together.

Not statistics (:mod:`webfarer.evals.statistics`). Invariant: an answer that is missing is marked, as wrong, never left
out; what a judge said is kept word for word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from webfarer.core.registry import Seam
from webfarer.core.types import Answer
from webfarer.evals.task import Item
from webfarer.models.metered import Metered

SCORERS = Seam("webfarer.evals.scorers", "scorer", "scorer")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer to be marked.

    Attributes:
        item: the question and the truth.
        answer: what the system gave; None when it failed.
        opened: addresses of the pages it read, in order, as the item writes them.
        judge: the model that judges, its calls recorded and charged; None without one.
    """

    item: Item
    answer: Answer | None
    opened: tuple[str, ...] = ()
    judge: Metered | None = None

    @property
    def text(self) -> str:
        """The answer's text; "" when there is none."""
        return self.answer.text if self.answer else ""


@dataclass(frozen=True, slots=True)
class Marks:
    """What a scorer found.

    Attributes:
        values: by metric. The first is the scorer's own; as a scorer that decides what is right it is 0 or 1.
        detail: anything JSON can hold, for people: what matched, what a judge wrote.
    """

    values: Mapping[str, float]
    detail: Mapping[str, Any] = field(default_factory=dict)


class Scorer(Protocol):
    """Marks answers. Modules of the seam define `scorer`, an object of this kind."""

    needs_judge: ClassVar[bool]
    decides: ClassVar[bool]
    """Whether its own metric is a share, 1 for right, so that it can stand first and decide what counts as right."""
    metrics: tuple[str, ...]
    """Every metric it may give, its own first. Some may be absent from one attempt, where they mean nothing."""

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer. A judge that cannot be understood is not a wrong answer: it raises a ModelError."""
        ...

    def total(self, marks: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
        """Return what many marks come to, by metric: usually the mean of each (:func:`means`)."""
        ...


def means(marks: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each metric over the attempts that have it."""
    names = dict.fromkeys(name for each in marks for name in each)
    columns = {name: [each[name] for each in marks if name in each] for name in names}
    return {name: sum(values) / len(values) for name, values in columns.items()}
