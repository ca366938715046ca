"""What a local model said, taken apart: reasoning, text, and the tool calls its family writes into the text.

Reads `<think>` at the head of a reply, `<tool_call>{…}</tool_call>` (Hermes, Qwen), bare or `<|python_tag|>` JSON
(Llama 3) and `[TOOL_CALLS]` (Mistral). Mends nothing: what is no complete call stays text, and the caller decides.
Invariant: however a reply is cut into pieces, the pieces' readings joined are the reading of the whole.
"""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, Literal, NamedTuple

OPENING, _CLOSING = "<think>", "</think>"
_MARKERS = ("<tool_call>", "<|python_tag|>", "[TOOL_CALLS]")
SILENT = frozenset((OPENING, _CLOSING, *_MARKERS, "</tool_call>", "[ARGS]", "[CALL_ID]"))
"""What is looked for here and may be a special token, whose text decoding leaves out."""

_DECODER = json.JSONDecoder()
_MARKER = re.compile("|".join(map(re.escape, _MARKERS)))
_GAP = re.compile(r"[\s,;]*")
_CLOSED = re.compile(r"\s*</tool_call>")
_NAMED = re.compile(r"\s*([\w.-]+)(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\s*(?=\{)")  # Mistral: the name before the arguments


class Call(NamedTuple):
    """A tool the model wants called."""

    name: str
    arguments: dict[str, Any]


class Piece(NamedTuple):
    """What became certain: text, reasoning and, only at the end, calls."""

    content: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()


class ReplyReader:
    """Reads one reply as it comes.

    Args:
        thinking: the prompt has opened the model's thoughts already.
        tools: names of the tools offered; without any, no calls are looked for.
    """

    def __init__(self, *, thinking: bool = False, tools: Collection[str] = ()) -> None:
        self._tools = frozenset(tools)
        self._state: Literal["start", "thoughts", "after", "text", "calls"] = "thoughts" if thinking else "start"
        self._held = ""

    def feed(self, text: str) -> Piece:
        """Take the next piece of the reply; return what became certain."""
        self._held += text
        content = reasoning = ""
        if self._state == "start":
            self._begin()
        if self._state == "thoughts":
            reasoning = self._until(_CLOSING)
        if self._state == "after":
            self._begin()
        if self._state == "text":
            content = self._until(*(_MARKERS if self._tools else ()))
        return Piece(content, reasoning)

    def end(self) -> Piece:
        """Return what was held back; the reply is over."""
        held, self._held = self._held, ""
        if self._state == "thoughts":
            return Piece(reasoning=held)
        if self._state == "calls":
            content, calls = read_calls(held, self._tools)
            return Piece(content, calls=calls)
        return Piece("" if self._state == "after" else held)

    def _begin(self) -> None:
        """Find out what the reply, or what follows its thoughts, begins with."""
        head, first = self._held.lstrip(), self._state == "start"
        if first and head.startswith(OPENING):
            self._held, self._state = head.removeprefix(OPENING), "thoughts"
        elif head and not (first and OPENING.startswith(head)):
            self._held = self._held if first else head
            self._state = "calls" if self._tools and head[0] in "{[" else "text"

    def _until(self, *tags: str) -> str:
        """Take what stands before the first of `tags`, or before what may become one."""
        found = min(((at, tag) for tag in tags if (at := self._held.find(tag)) >= 0), default=None)
        if found:
            end, tag = found
            said, self._held = self._held[:end], self._held[end:]
            if self._state == "thoughts":
                self._held, self._state = self._held.removeprefix(tag), "after"
            else:
                self._state = "calls"
            return said
        end = len(self._held) - max((_begun(self._held, tag) for tag in tags), default=0)
        said, self._held = self._held[:end], self._held[end:]
        return said


def read_calls(text: str, tools: Collection[str]) -> tuple[str, tuple[Call, ...]]:
    """Return the calls that `text` holds, and the text beside them.

    Calls behind a marker count whatever they name, so that a model can be told of its mistake; JSON without a marker
    counts only when it is all there is and names offered tools.
    """
    starts = [marker.start() for marker in _MARKER.finditer(text)]
    if not starts:
        calls, end = _values(text, 0)
        bare = calls and not text[end:].strip() and all(call.name in tools for call in calls)
        return ("", tuple(calls)) if bare else (text, ())
    beside, found, at = [], [], 0
    for start in starts:
        if start < at:
            continue  # inside a string of the call just read
        beside.append(text[at:start])
        at = start
        calls, end = _marked(text, start)
        if calls:
            found += calls
            at = end
    beside.append(text[at:])
    return "".join(beside).strip() if found else text, tuple(found)


def _marked(text: str, start: int) -> tuple[list[Call], int]:
    """Return the calls behind the marker at `start`, and where they end."""
    marker = _MARKER.match(text, start)
    at = marker.end() if marker else start
    if named := _NAMED.match(text, at):
        value, end = _value(text, named.end())
        return ([Call(named.group(1), value)], end) if isinstance(value, dict) else ([], start)
    calls, end = _values(text, at)
    closed = _CLOSED.match(text, end)
    return calls, closed.end() if closed else end


def _values(text: str, at: int) -> tuple[list[Call], int]:
    """Return the calls that stand in a row from `at` on as JSON, and where the last one ends."""
    calls: list[Call] = []
    end = at
    while True:
        gap = _GAP.match(text, end)
        value, after = _value(text, gap.end() if gap else end)
        more = list(_calls(value))
        if not more:
            return calls, end
        calls, end = [*calls, *more], after


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, at


def _calls(value: Any) -> Iterator[Call]:
    """Yield the calls that a JSON value is; none when any part of it is something else."""
    calls = [_call(item) for item in (value if isinstance(value, list) else [value])]
    yield from (call for call in calls if call and all(calls))


def _call(item: Any) -> Call | None:
    if not isinstance(item, dict) or not isinstance(name := item.get("name"), str) or not name:
        return None
    arguments = item.get("arguments", item.get("parameters", {}))
    if isinstance(arguments, str):
        arguments, _ = _value(arguments, 0)
    return Call(name, arguments) if isinstance(arguments, dict) else None


def _begun(text: str, tag: str) -> int:
    """Return the length of the longest end of `text` with which `tag` begins."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:size])), 0)
