"""What was done when: bars of a chart, of real work and of simulated work alike.

Not a clock: who works notes the times. Spans of one timeline share a clock, and nothing else is promised of them: work
of several threads overlaps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["draft", "verify", "decode"]
"""Drafting, a pass of the model over drafts, a pass over last tokens only."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of work.

    Attributes:
        kind: of work.
        numbers: whose: sequences by their places in the order of submission, or a simulation's branches.
        start, end: seconds of `time.perf_counter`, or a simulation's time.
    """

    kind: Kind
    numbers: tuple[int, ...]
    start: float
    end: float


Record = Callable[[Span], None]
"""Hears of every stretch of work, from whichever thread did it."""
