"""Calls as JSON between `<tool_call>` tags, results between `<tool_response>` tags in a user message.

What Hermes, Qwen, WebDancer and Tongyi DeepResearch models are trained on. Needs nothing of the server but text.
Source: Wu et al., "WebDancer: Towards Autonomous Information Seeking Agency", NeurIPS 2025.
"""

import json
from collections.abc import Sequence
from typing import ClassVar

from webfarer.models.base import Message, Reply, Tool, ToolCall
from webfarer.models.dialects._tagged import scan
from webfarer.models.dialects._turns import ONE_OR_THE_OTHER, mend, prose, read, shown, thought, written
from webfarer.models.dialogue import Turn

_FORM = (
    'Call a tool with <tool_call>{"name": …, "arguments": {…}}</tool_call>, or give the final answer between '
    "<answer> and </answer>."
)


class Tags:
    """The dialect of `<tool_call>` tags."""

    native: ClassVar[bool] = False
    # after a line break: JSON never holds a raw one inside a string, so no call is cut
    stop: ClassVar[tuple[str, ...]] = ("\n<tool_response>",)

    def rules(self, tools: Sequence[Tool]) -> str:
        """Return the tools' schemas and the form of a reply."""
        schemas = "\n".join(
            json.dumps(
                {"name": tool.name, "description": tool.description, "parameters": tool.parameters}, ensure_ascii=False
            )
            for tool in tools
        )
        return (
            f"You can call these tools; their arguments are given as JSON schemas:\n<tools>\n{schemas}\n</tools>\n\n"
            "In every reply, first think between <think> and </think>. Then either call tools, each as a JSON object "
            "between tags of its own:\n"
            '<tool_call>\n{"name": "the tool", "arguments": {"argument": "value"}}\n</tool_call>\n'
            "and stop: the results come back between <tool_response> and </tool_response>. Or give the final answer:\n"
            f"<answer>\nthe answer\n</answer>\n{ONE_OR_THE_OTHER}"
        )

    def read(self, reply: Reply, tools: Sequence[Tool]) -> Turn:
        """Read a reply. Never raises; an answer beside calls is dropped."""
        return read(reply, tools, scan, _FORM)

    def said(self, reply: Reply, turn: Turn, *, thoughts: bool = False) -> Message:
        """Return the prose, and the calls or the answer written out properly."""
        if turn.problem:
            return Message("assistant", shown(reply))
        kept = thought(reply, turn, scan) if thoughts else ""
        parts = [*([f"<think>\n{kept}\n</think>"] if kept else []), *prose(reply, turn, scan)]
        for call in turn.calls:
            parts.append(f'<tool_call>\n{{"name": "{call.name}", "arguments": {written(call)}}}\n</tool_call>')
        if turn.answer is not None:
            parts.append(f"<answer>\n{turn.answer}\n</answer>")
        return Message("assistant", "\n".join(parts))

    def observed(self, results: Sequence[tuple[ToolCall, str]]) -> list[Message]:
        """Return one user message with all results."""
        blocks = [f"<tool_response>\n{text}\n</tool_response>" for _, text in results]
        return [Message("user", "\n".join(blocks))] if blocks else []

    def mend(self, problem: str) -> list[Message]:
        """Return the message that asks for another reply."""
        return mend(problem)


dialect = Tags()
