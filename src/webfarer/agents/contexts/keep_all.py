"""Shows the whole conversation, word for word, until it no longer fits; then the oldest steps go.

Best where prompts are cached by prefix: nothing shown once is ever changed. Steps are dropped several at a time, so
that the next prompts share a prefix again.
"""

from collections.abc import Sequence
from typing import ClassVar

from webfarer.agents.contexts._room import Shape, fitted
from webfarer.agents.history import Room, Step
from webfarer.models.base import Message


class KeepAll:
    """The policy that keeps everything."""

    stable_prefix: ClassVar[bool] = True

    def __init__(self) -> None:
        self._left = 0

    async def view(self, head: Sequence[Message], steps: Sequence[Step], room: Room) -> list[Message]:
        """Return head and steps, without the oldest where they do not fit."""
        dropped, prompt = fitted(Shape(head, steps).without(self._left), room)
        self._left += dropped
        return prompt


context = KeepAll
