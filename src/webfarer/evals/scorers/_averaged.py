"""What most scorers have in common: no judge, and totals that are means."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from webfarer.evals.scorer import means


class Averaged:
    """A scorer whose totals are the means of its metrics."""

    needs_judge: ClassVar[bool] = False
    decides: ClassVar[bool] = True
    metrics: tuple[str, ...] = ()

    def total(self, marks: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
        """Return the mean of each metric over the attempts that have it."""
        return means(marks)
