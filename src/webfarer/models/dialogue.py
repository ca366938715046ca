"""How a model family calls tools: what it is told, how its replies are read, how results go back to it.

A dialect is a pure translation between :class:`Turn` and messages; it never asks a model. Agents speak in turns only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from webfarer.core.registry import Seam
from webfarer.models.base import Message, Reply, Tool, ToolCall

DIALECTS = Seam("webfarer.models.dialects", "dialect", "dialect")


@dataclass(frozen=True, slots=True)
class Turn:
    """What a model said in one step: its thought, and either calls or an answer.

    Attributes:
        thought: reasoning shown to people; "" when it gave none.
        calls: tools it wants called, in order, argument names as the tool's schema has them.
        answer: its final answer, or None while it goes on.
        problem: why the reply cannot be used, in words that help the model to mend it; "" when it can.
    """

    thought: str = ""
    calls: tuple[ToolCall, ...] = ()
    answer: str | None = None
    problem: str = ""


class Dialect(Protocol):
    """One way to call tools. Modules of the seam define `dialect`, an object of this kind.

    Attributes:
        native: tools travel in the request's `tools`; otherwise only :meth:`rules` tells the model of them.
        stop: strings at which the server is to end a reply.
    """

    native: ClassVar[bool]
    stop: ClassVar[tuple[str, ...]]

    def rules(self, tools: Sequence[Tool]) -> str:
        """Return what the system prompt says about calling `tools` and about giving the final answer."""
        ...

    def read(self, reply: Reply, tools: Sequence[Tool]) -> Turn:
        """Read a reply. Never raises: what cannot be read becomes a `problem`."""
        ...

    def said(self, reply: Reply, turn: Turn, *, thoughts: bool = False) -> Message:
        """Return the reply as it enters the conversation; with `thoughts` also what was thought, else it is gone."""
        ...

    def observed(self, results: Sequence[tuple[ToolCall, str]]) -> list[Message]:
        """Return the messages that carry the results (already fenced) of one step's calls, in order."""
        ...

    def mend(self, problem: str) -> list[Message]:
        """Return the messages that tell the model its last reply could not be used, and why."""
        ...
