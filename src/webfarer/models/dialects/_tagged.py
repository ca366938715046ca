"""Reads replies written with `<think>`, `<tool_call>` and `<answer>` tags, however untidy, in one pass.

A tag inside a complete JSON string or a finished thought is text. Not a dialect: the dialects share it, because models
fall back on these tags whatever they were told.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import partial

from webfarer.models.base import Tool
from webfarer.models.dialects._json import MENDABLE, lead, mended, opens, values
from webfarer.models.dialects._turns import Found, bare, named

_TAG = re.compile(r"<(/?)(think|thinking|tool_call|tool_response|answer)>", re.IGNORECASE)


class _Tags:
    """Where the tags of a text are."""

    def __init__(self, text: str) -> None:
        self._end = len(text)
        self._spans: dict[str, list[tuple[int, int]]] = {}
        for tag in _TAG.finditer(text):
            kind = (tag.group(1) + tag.group(2)).lower().replace("thinking", "think")
            self._spans.setdefault(kind, []).append(tag.span())

    def next(self, at: int, *kinds: str) -> tuple[int, int, str]:
        """Return start, end and kind of the first such tag from `at` on; the end of the text when there is none."""
        found = [(self._end, self._end, "")]
        for kind in kinds:
            spans = self._spans.get(kind, [])
            place = bisect_left(spans, (at, at))
            found += [(*span, kind) for span in spans[place : place + 1]]
        return min(found)

    def last(self, kind: str, start: int, end: int) -> tuple[int, int]:
        """Return the last such tag within the range; its end twice when there is none."""
        spans = self._spans.get(kind, [])
        place = bisect_left(spans, (end, end)) - 1
        return spans[place] if place >= 0 and spans[place][0] >= start else (end, end)


def scan(text: str, tools: Sequence[Tool]) -> Found:
    """Return what a reply holds."""
    tags, found, at = _Tags(text), Found(), 0
    first = partial(tags.next, 0)
    if (closing := first("/think"))[2] and closing < first("think", "tool_call", "answer"):
        found.thoughts.append(text[: closing[0]])
        at = closing[1]
    while not found.problem:
        start, end, kind = tags.next(at, "think", "tool_call", "tool_response", "answer")
        found.prose.append(_TAG.sub("", text[at:start]).strip())
        if kind == "think":
            at = _thought(text, end, tags, found)
        elif kind == "tool_call":
            at = _call(text, end, tags, found, tools)
        elif kind == "answer":
            at = _answer(text, end, tags, found)
        else:  # the end, or a result that the model made up: what follows rests on it
            break
    if not found.calls and found.answer is None and not found.problem:
        plain = "\n".join(filter(None, found.prose))
        if calls := bare(plain, tools):
            found.calls, found.prose = calls, []
    return found


def _thought(text: str, at: int, tags: _Tags, found: Found) -> int:
    """Read a thought; one that is not closed reaches to the first call or answer."""
    start, end, kind = tags.next(at, "/think")
    if not kind:
        start = end = tags.next(at, "tool_call", "answer")[0]
    found.thoughts.append(text[at:start])
    return end


def _call(text: str, at: int, tags: _Tags, found: Found, tools: Sequence[Tool]) -> int:
    """Read what a call tag holds; one that is not closed reaches to the next call or answer."""
    objects, end = values(text, at)
    limit = tags.next(end, "tool_call", "tool_response", "answer")[0]
    broken = opens(text, lead(text, end)) or not objects
    stop, after = tags.last("/tool_call", end, limit) if broken else tags.next(end, "/tool_call")[:2]
    if stop > limit:
        stop = after = end
    try:
        if broken:
            found.sure, room = False, MENDABLE - found.guessed
            objects = [*objects, mended(text[end:stop], closed=after > stop, room=room)]
            found.guessed += stop - end
        found.calls += [call for value in objects for call in named(value, tools)]
    except ValueError as problem:
        found.problem = f"in <tool_call>, {problem}. Write one JSON object with `name` and `arguments`."
    return after


def _answer(text: str, at: int, tags: _Tags, found: Found) -> int:
    """Read an answer; the last one counts, and one that is not closed reaches to the next call or the end."""
    start, end, kind = tags.next(at, "/answer")
    if not kind:
        start = end = tags.next(at, "tool_call")[0]
        found.sure = False
    found.answer = text[at:start].strip()
    return end
