"""OpenAI's own tools: calls and results travel beside the text, the final answer is a reply without calls.

Servers without a parser for their model's calls leave these in the text; they are read from there as well.
Source: OpenAI's chat completions.
"""

from collections.abc import Sequence
from typing import ClassVar

from webfarer.models.base import Message, Reply, Tool, ToolCall
from webfarer.models.dialects._schema import signature
from webfarer.models.dialects._tagged import scan
from webfarer.models.dialects._turns import ONE_OR_THE_OTHER, Found, mend, prose, read, shown, thought
from webfarer.models.dialogue import Turn

_FORM = "Call a tool, or reply with the final answer as plain text."


class Native:
    """The dialect of servers that know tools."""

    native: ClassVar[bool] = True
    stop: ClassVar[tuple[str, ...]] = ()

    def rules(self, tools: Sequence[Tool]) -> str:
        """Return one line per tool; the request itself carries the schemas."""
        lines = "\n".join(f"- {signature(tool)}" for tool in tools)
        return (
            f"You can call these tools, several in one reply where they do not depend on each other:\n{lines}\n"
            f"When you know the answer, reply with it as plain text and call nothing. {ONE_OR_THE_OTHER}"
        )

    def read(self, reply: Reply, tools: Sequence[Tool]) -> Turn:
        """Read a reply. Never raises; text beside calls is a thought."""
        return read(reply, tools, scan if reply.tool_calls else _scan, _FORM)

    def said(self, reply: Reply, turn: Turn, *, thoughts: bool = False) -> Message:
        """Return the text and the calls as they can be made; a call that cannot gets no result, so it is left out."""
        if turn.problem:
            return Message("assistant", shown(reply))
        kept = [thought(reply, turn, scan)] if thoughts else []
        beside = [turn.answer] if turn.answer is not None else prose(reply, turn, scan)
        return Message("assistant", "\n".join(filter(None, [*kept, *beside])), tool_calls=turn.calls)

    def observed(self, results: Sequence[tuple[ToolCall, str]]) -> list[Message]:
        """Return one tool message per result."""
        return [Message("tool", text, tool_call_id=call.id) for call, text in results]

    def mend(self, problem: str) -> list[Message]:
        """Return the message that asks for another reply."""
        return mend(problem)


def _scan(text: str, tools: Sequence[Tool]) -> Found:
    found = scan(text, tools)
    if not found.calls and found.answer is None and not found.problem:
        found.answer, found.prose = "\n".join(filter(None, found.prose)), []
        found.sure = False  # plain text has no end mark
    return found


dialect = Native()
