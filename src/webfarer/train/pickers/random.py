"""Random: lots. What every other picker has to beat."""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.train.picker import Picked, Round, View


@dataclass(frozen=True)
class Lots:
    """The picker."""

    title: ClassVar[str] = "random"

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Draw items."""
        return Picked(at.random.sample(range(len(view)), min(count, len(view))))


picker = Lots
