"""Tools as the agents offer them, and replies as the models of each dialect write them."""

import json

from webfarer.models.base import Reply, Tool, ToolCall
from webfarer.models.dialogue import DIALECTS, Dialect, Turn

TEXT = {"type": "string"}
LIST = {"type": "array", "items": TEXT}


def tool(name: str, optional: dict | None = None, **properties: dict) -> Tool:
    schema = {"type": "object", "properties": properties | (optional or {}), "required": list(properties)}
    return Tool(name, f"What {name} does.", schema)


TOOLS = (
    tool("search", {"since": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}, query=LIST),
    tool("visit", url=LIST, goal=TEXT),
    tool("walk", url=TEXT, goal=TEXT),
    tool("find", url=TEXT, text=TEXT),
)


def search(*query: str, number: int = 1) -> ToolCall:
    return ToolCall(f"call_{number}", "search", {"query": list(query)})


def load(dialect_id: str) -> Dialect:
    dialect: Dialect = DIALECTS.load(dialect_id)
    return dialect


def reply(dialect_id: str, turn: Turn) -> Reply:
    """Return `turn` as a model of that dialect says it."""
    return {"native": _native, "tags": _tags, "react": _react}[dialect_id](turn)


def _native(turn: Turn) -> Reply:
    finish = "tool_calls" if turn.calls else "stop"
    return Reply(turn.answer or "", reasoning=turn.thought, tool_calls=turn.calls, finish=finish)


def _tags(turn: Turn) -> Reply:
    parts = [f"<think>{turn.thought}</think>"]
    for call in turn.calls:
        body = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
        parts.append(f"<tool_call>\n{body}\n</tool_call>")
    if turn.answer is not None:
        parts.append(f"<answer>{turn.answer}</answer>")
    return Reply("\n".join(parts))


def _react(turn: Turn) -> Reply:
    parts = [f"Thought: {turn.thought}"]
    parts += [f"Action: {call.name}\nAction Input: {json.dumps(call.arguments)}" for call in turn.calls]
    if turn.answer is not None:
        parts.append(f"Final Answer: {turn.answer}")
    return Reply("\n".join(parts))
