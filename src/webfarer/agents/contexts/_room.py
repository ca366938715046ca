"""How a conversation is made to fit: the oldest steps go first, whole; the last one is trimmed when all else failed.

What was left out is said in one line, in a pair of messages of its own, so that roles go on alternating. Never splits
a step: a result without its call is an error to most servers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from webfarer.agents.history import Room, Step
from webfarer.models.base import Message
from webfarer.models.prompts import shorten

_SPARE = 0.75  # share of the room that is filled after dropping: every drop costs a server its cached prefix


@dataclass(frozen=True, slots=True)
class Shape:
    """What the model is shown of a conversation.

    Attributes:
        head: the messages that are always shown.
        steps: the steps that may be shown, oldest first.
        left: how many steps before these are not shown and stand in no summary.
        summary: of steps before these, fenced; "" when there is none.
    """

    head: Sequence[Message]
    steps: Sequence[Step]
    left: int = 0
    summary: str = ""

    def without(self, count: int) -> "Shape":
        """Return the shape without its `count` oldest steps."""
        return replace(self, steps=self.steps[count:], left=self.left + count)

    def prompt(self) -> list[Message]:
        """Return the messages."""
        shown = chain.from_iterable((step.said, *step.observed) for step in self.steps)
        return [*self.head, *self._before(), *shown]

    def _before(self) -> list[Message]:
        parts = [f"Summary of the earlier steps:\n{self.summary}"] if self.summary else []
        parts += [f"(Earlier steps left out for lack of room: {self.left}.)"] if self.left else []
        if not parts:
            return []
        return [Message("assistant", "(What came before?)"), Message("user", "\n\n".join(parts))]


def fitted(shape: Shape, room: Room) -> tuple[int, list[Message]]:
    """Return how many of the oldest steps had to go, and the prompt."""
    prompt = shape.prompt()
    if room.count(prompt) <= room.tokens:
        return 0, prompt
    dropped = to_drop(shape, room, room.tokens)
    prompt = shape.without(dropped).prompt()
    return dropped, prompt if room.count(prompt) <= room.tokens else _last(shape, room)


def to_drop(shape: Shape, room: Room, tokens: float) -> int:
    """Return how many of the oldest steps have to go to get below `tokens`, by a good margin where that can be."""
    most = max(0, len(shape.steps) - 1)
    for limit in (tokens * _SPARE, tokens):
        dropped = _fewest(most, lambda count, limit=limit: room.count(shape.without(count).prompt()) <= limit)  # type: ignore[misc]
        if dropped < most:
            return dropped
    return most


def _last(shape: Shape, room: Room) -> list[Message]:
    """Return head and last step alone, its results trimmed if need be."""

    def cut(characters: int) -> list[Message]:
        observed = (replace(part, content=shorten(part.content, longest - characters)) for part in last.observed)
        return Shape(shape.head, [Step(last.said, tuple(observed))]).prompt()

    if not shape.steps:
        return shape.prompt()
    last = shape.steps[-1]
    longest = max((len(part.content) for part in last.observed), default=0)
    if room.count(whole := cut(0)) <= room.tokens:
        return whole
    return cut(_fewest(longest, lambda characters: room.count(cut(characters)) <= room.tokens))


def _fewest(most: int, enough: Callable[[int], bool]) -> int:
    """Return the smallest number up to `most` that is enough, or `most` when none is."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low
