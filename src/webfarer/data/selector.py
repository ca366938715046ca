"""A selector: which of many rows are worth training on.

It sees texts and cells, never what a model would score on them. Invariant: the same rows, count and seed select the
same ones, in the order of their worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from webfarer.core.registry import Seam
from webfarer.data.row import Row
from webfarer.models.base import ChatModel

SELECTORS = Seam("webfarer.data.selectors", "selector", "selector")


@dataclass(frozen=True, slots=True)
class Pool:
    """What is selected from.

    Attributes:
        rows: all of them.
        seed: of whatever draws lots.
        pairs: a file of preferences, for selectors that learn from them; each names the better and the worse row.
        model: judges rows, for selectors that ask one; its calls are recorded and charged.
    """

    rows: Sequence[Row]
    seed: int = 0
    pairs: Path | None = None
    model: ChatModel | None = None


class Selector(Protocol):
    """Selects rows. Modules of the seam define `selector`, an object of this kind."""

    title: ClassVar[str]
    source: ClassVar[str]

    async def select(self, pool: Pool, count: int) -> Sequence[int]:
        """Return the numbers of at most `count` rows, best first, none twice.

        Raises:
            ConfigError: something is missing that it needs.
        """
        ...
