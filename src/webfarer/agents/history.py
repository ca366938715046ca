"""The conversation of a searching agent, and what of it the model is shown.

A context policy chooses what goes into the next prompt; the history itself is never changed, so what was folded away
is still in the trace. Prefix stability matters to whoever pays for prompts: a server (ours too) reuses the key-value
cache of the longest common prefix with an earlier prompt.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from webfarer.core.registry import Seam
from webfarer.models.base import Message

CONTEXTS = Seam("webfarer.agents.contexts", "context", "context policy")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what the model said, and the messages that answered it."""

    said: Message
    observed: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """What a prompt may take.

    Attributes:
        tokens: longest prompt, in tokens, that leaves room for the reply.
        count: number of tokens of some messages.
        summarise: asks the model for a summary of some messages, given the summary so far ("" at first); it costs.
            What it returns is fenced already; a ModelError or an empty text means that there is none.
    """

    tokens: int
    count: Callable[[Sequence[Message]], int]
    summarise: Callable[[Sequence[Message], str], Awaitable[str]]


class ContextPolicy(Protocol):
    """Chooses what the model sees. Modules of the seam define `context`, a class made without arguments, one per run.

    Attributes:
        stable_prefix: every prompt begins with the whole of the one before, as long as nothing had to be dropped or
            folded for lack of room.
    """

    stable_prefix: ClassVar[bool]

    async def view(self, head: Sequence[Message], steps: Sequence[Step], room: Room) -> list[Message]:
        """Return the next prompt: `head` (system prompt and question) always whole, then what is shown of `steps`.

        The result fits `room.tokens` whenever `head` and the last step do; it never splits a step's calls from their
        results.
        """
        ...
