"""A learner: a model that can be taught, as the loop sees it; whatever it is made of stays behind this.

Not a tuner, which is a part of one (:mod:`webfarer.train.tuner`). An adapter is a folder; None stands for the model as
it came. Invariant: the same labels, seed and start give the same adapter.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from webfarer.train.picker import View
from webfarer.train.pool import Label, PoolItem


class Answered(BaseModel):
    """What a model answered to an item, and how sure it is of that, from 0 to 1."""

    model_config = ConfigDict(frozen=True)

    item: str
    text: str
    confidence: float


class Learner(Protocol):
    """Teaches a model and asks it.

    Attributes:
        name: what is trained, and how; under another name a learning is not gone on with.
    """

    name: str

    def check(self, item: PoolItem, answer: str) -> None:
        """See that an answer can be taught.

        Raises:
            ConfigError: it cannot, for a reason of this item and answer.
        """
        ...

    def teach(self, labels: Sequence[tuple[PoolItem, Label]], into: Path, seed: int, start: Path | None) -> None:
        """Train an adapter on labels, from `start` or anew, and write it to `into`.

        A training that was killed may have left something there, of which it may make use.
        """
        ...

    def answers(self, items: Sequence[PoolItem], adapter: Path | None) -> list[Answered]:
        """Answer items, one for one."""
        ...

    def view(self, pool: Sequence[PoolItem], rows: Sequence[int], adapter: Path) -> View:
        """Return what pickers may know of some rows of the pool."""
        ...

    def figures(self, adapter: Path) -> Mapping[str, float]:
        """Return what is worth keeping of an adapter: norms, the last loss."""
        ...
