"""JSON as models write it: in code blocks, several values in a row, as Python literals, with a bracket missing.

Strict reading comes first and says where it ended, so whatever a string holds (a closing tag, a label) stays text.
Guesswork comes second, on a piece of bounded length that is not visibly cut: half a call is never completed.
"""

import json
import math
import re
from typing import Any

import json_repair

from webfarer.core.errors import BadReply, boundary

_DECODER = json.JSONDecoder()
_LEAD = re.compile(r"(?:```[a-z]*|[\s,;])*", re.IGNORECASE)
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
MENDABLE = 4000  # characters of a reply; json_repair takes time that grows with the square of the length
_DEEPEST = 8


def values(text: str, start: int = 0) -> tuple[list[Any], int]:
    """Return the objects and arrays that stand one after the other at `start`, and where the last one ends."""
    found: list[Any] = []
    end = start
    while opens(text, at := lead(text, end)):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(value)
    return found, end


def opens(text: str, at: int) -> bool:
    """Say whether an object or an array may begin at `at`."""
    return text.startswith(("{", "["), at)


def lead(text: str, start: int = 0) -> int:
    """Return where the white space, commas and code fences at `start` end."""
    match = _LEAD.match(text, start)
    return match.end() if match else start


def mended(text: str, *, closed: bool, room: int = MENDABLE) -> Any:
    """Return the value that slightly broken JSON or a Python literal stands for.

    Args:
        text: the piece that is to be one value.
        closed: something after it showed that the model had finished it.
        room: longest piece to work on.

    Raises:
        ValueError: it is cut, too long or no JSON.
    """
    text = text[lead(text) :].strip().removesuffix("```").strip()
    if not opens(text, 0):
        raise ValueError("it is no JSON object")
    if not closed and not text.endswith("}"):
        raise ValueError("the JSON is not complete")
    if len(text) > room:
        raise ValueError("the JSON is broken")
    text = _THOUGHT.sub("", text)
    try:
        with boundary(BadReply, "the JSON is broken"):
            value = json_repair.loads(text)
    except BadReply as error:
        raise ValueError("the JSON is broken") from error
    if not isinstance(value, dict | list) or not value:
        raise ValueError("the JSON is broken")
    return value


def clean(value: Any, depth: int = 0) -> Any:
    """Return `value` fit for a trace and a request: no NaN, no infinity, no half characters.

    Raises:
        ValueError: it is nested too deeply.
    """
    if depth > _DEEPEST:
        raise ValueError("the arguments are nested too deeply")
    if isinstance(value, dict):
        return {clean(str(key)): clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [clean(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value
