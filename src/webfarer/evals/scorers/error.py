"""Mean absolute error and root of the mean squared error of a number, as LaMP-3 defines them.

What is no number counts as the farther end of the scale (`item.data["range"]`, 1 to 5 by default; the upper end when
both are as far). One attempt's two errors are the same number; they part in the total. Smaller is better.
Source: Salemi et al., "LaMP: When Large Language Models Meet Personalization", ACL 2024, and its evaluation script.
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

from webfarer.core.errors import ConfigError
from webfarer.evals.scorer import Attempt, Marks, means
from webfarer.evals.scorers._averaged import Averaged

_RANGE = (1.0, 5.0)
_MOST = 1e9  # anything beyond is no rating; its square must stay a number


class Error(Averaged):
    """How far the number given is from the reference."""

    decides: ClassVar[bool] = False
    metrics = ("mae", "rmse")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer.

        Raises:
            ConfigError: the reference is no number.
        """
        true = _number(attempt.item.answer)
        if true is None:
            raise ConfigError(f"item {attempt.item.id}: the scorer error needs a number as reference answer")
        said = _number(attempt.text)
        if said is None:
            low, high = attempt.item.data.get("range", _RANGE)
            said = float(low if abs(low - true) > abs(high - true) else high)
        return Marks({"mae": abs(said - true), "rmse": abs(said - true)}, {"read": said})

    def total(self, marks: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
        """Return the mean of the errors, and the root of the mean of their squares."""
        squares = means([{"rmse": each["rmse"] ** 2} for each in marks])
        return means([{"mae": each["mae"]} for each in marks]) | {name: math.sqrt(v) for name, v in squares.items()}


def _number(text: str) -> float | None:
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if abs(value) <= _MOST else None


scorer = Error()
