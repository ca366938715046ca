"""What a chat model is: messages and tools in, one reply with its usage out.

Source of the field names: OpenAI's chat completions, which every server named in the docs speaks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from webfarer.core.run import Call


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model wants called; `arguments` is parsed JSON."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool offered to the model; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the model is to answer.

    Attributes:
        temperature: 0 for greedy.
        top_p: nucleus share.
        max_tokens: upper bound of the reply.
        seed: passed on where the server takes one.
        stop: strings that end the reply.
        json_schema: JSON schema the reply's text must fit, or None.
        seconds: deadline of the whole call with its retries.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024
    seed: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: dict[str, Any] | None = None
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; `estimated` when the server did not report them."""

    tokens_in: int = 0
    tokens_out: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that failed before the reply came: error class, message, seconds waited afterwards."""

    error: str
    message: str
    waited: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said.

    Attributes:
        text: the answer, reasoning removed.
        reasoning: what the model thought aloud (`reasoning_content`, `<think>`), kept apart.
        tool_calls: tools it wants called.
        finish: the server's finish reason ("stop", "length", "tool_calls").
        usage: tokens.
        attempts: failed tries before this reply.
        degraded: what the server did not offer and was done without ("json_schema", "tools", "seed", …).
        prompt_ids, token_ids: of the prompt, and of what was drawn with the token that ended it; () where not known.
        logprobs: of each drawn token, under the model as it is: before temperature and the like.
    """

    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    usage: Usage = Usage()
    attempts: tuple[Attempt, ...] = ()
    degraded: tuple[str, ...] = field(default=())
    prompt_ids: tuple[int, ...] = ()
    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()


class ChatModel(Protocol):
    """A chat model.

    Attributes:
        name: the model's name at its server; also the key into the price table.
        context: context window in tokens.
    """

    name: str
    context: int

    def count(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        """Return the number of prompt tokens, never too low by more than a tenth (an estimate may be high)."""
        ...

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling = Sampling(),
        call: Call | None = None,
    ) -> Reply:
        """Return the model's reply.

        Raises:
            ModelError: of the tree in :mod:`webfarer.core.errors`; `cost` holds tokens already paid for.
        """
        ...

    async def close(self) -> None:
        """Release connections; the model is not used afterwards."""
        ...
