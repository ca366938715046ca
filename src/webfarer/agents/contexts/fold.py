"""Shows everything until a share of the window is full; then all older steps become one summary, and it goes on.

Between two folds nothing shown is changed. A summary takes in the one before it, so each step is read by the
summariser once. Source: Wu et al., "ReSum: Unlocking Long-Horizon Search Intelligence via Context Summarization", 2025.
"""

from collections.abc import Sequence
from itertools import chain
from typing import ClassVar

from webfarer.agents.contexts._room import Shape, fitted, to_drop
from webfarer.agents.history import Room, Step
from webfarer.core.errors import BudgetExceeded, ModelAuth, ModelError
from webfarer.models.base import Message

_SHARE = 0.8


class Fold:
    """The policy that folds older steps into a summary."""

    stable_prefix: ClassVar[bool] = True

    def __init__(self) -> None:
        self._summary = ""
        self._gone = 0  # steps folded or left out
        self._left = 0  # steps left out

    async def view(self, head: Sequence[Message], steps: Sequence[Step], room: Room) -> list[Message]:
        """Return head, summary and the steps since."""
        shape = self._shape(head, steps)
        empty = room.count(head)
        full = empty + _SHARE * (room.tokens - empty)
        if len(shape.steps) > 1 and room.count(shape.prompt()) > full:
            if not await self._fold(shape.steps[:-1], room):
                self._drop(to_drop(shape, room, full))
            shape = self._shape(head, steps)
        dropped, prompt = fitted(shape, room)
        self._drop(dropped)
        return prompt

    def _shape(self, head: Sequence[Message], steps: Sequence[Step]) -> Shape:
        return Shape(head, steps[self._gone :], self._left, self._summary)

    def _drop(self, count: int) -> None:
        self._gone += count
        self._left += count

    async def _fold(self, older: Sequence[Step], room: Room) -> bool:
        """Fold `older` and say whether a summary could be had."""
        messages = list(chain.from_iterable((step.said, *step.observed) for step in older))
        try:
            summary = await room.summarise(messages, self._summary)
        except ModelAuth:
            raise  # for the user to mend
        except (ModelError, BudgetExceeded):
            return False  # what is left of the budget may still pay for an answer
        if not summary.strip():
            return False
        self._summary = summary
        self._gone += len(older)
        return True


context = Fold
