"""Shows every thought and call, but only the last few results in full; older ones become one line.

Good for long runs at small windows: what was done stays visible, what it gave must be in the thoughts. The prompt
changes in the middle at every step, so a server's prefix cache helps little.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from webfarer.agents.contexts._room import Shape, fitted
from webfarer.agents.history import Room, Step
from webfarer.models.base import Message

_FULL = 5


class KeepLast:
    """The policy that keeps the last results."""

    stable_prefix: ClassVar[bool] = False

    async def view(self, head: Sequence[Message], steps: Sequence[Step], room: Room) -> list[Message]:
        """Return head and steps; the fewer results in full the less room there is, and at last fewer steps."""
        brief = [_brief(step) for step in steps]
        shape = Shape(head, steps)
        for full in range(_FULL, 0, -1):
            shape = Shape(head, [*brief[:-full], *steps[-full:]])
            if room.count(shape.prompt()) <= room.tokens:
                break
        return fitted(shape, room)[1]


def _brief(step: Step) -> Step:
    names = {call.id: call.name for call in step.said.tool_calls}
    return Step(step.said, tuple(_line(message, names.get(message.tool_call_id, "")) for message in step.observed))


def _line(message: Message, tool: str) -> Message:
    what = f"The result of {tool}" if tool else "What came back"
    line = f"({what} is no longer shown: {len(message.content)} characters. Make the call again to see it.)"
    return replace(message, content=line) if len(line) < len(message.content) else message


context = KeepLast
