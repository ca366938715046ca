"""An estimate of how many tokens a text is, without the model's own tokenizer.

Not a tokenizer: it may be well too high (about twice for the newest vocabularies on non-Latin text), and on ordinary
text is never too low by more than a tenth. Costs per kind of character were fitted to OpenAI's cl100k_base, the
greediest vocabulary in common use, and digits to Qwen's, which spends a token on each
(a space before a number is another one).
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from webfarer.models.base import Message, Tool

_MESSAGE = 6  # role, delimiters of the chat template
_TOOL = 24  # the server's own words around a tool's schema
_PIECE = re.compile(
    r"(?P<word>[A-Z]?[a-z]+)|(?P<caps>[A-Z]+)|(?P<digits> ?[0-9]+)|(?P<space>\s+)"
    r"|(?P<mark>(?P<one>[!-/:-@\[-`{-~])(?P=one)*)|(?P<other>.)"
)
# tokens a character costs by the code point it lies below
_COST = ((0x250, 1.4), (0x400, 1.1), (0x530, 0.6), (0x800, 1.1), (0x3040, 1.5), (0x3100, 1.2), (0xAC00, 1.6))
_COST_HANGUL, _COST_REST, _COST_ASTRAL = 1.1, 1.5, 2.7


_REMEMBERED = 4096
_estimates: dict[tuple[int, int], int] = {}  # by length and hash: the texts themselves, whole prompts, are not kept


def estimate(text: str) -> int:
    """Return about how many tokens `text` is, on the high side."""
    key = (len(text), hash(text))
    if key not in _estimates:  # a conversation is counted whole, several times at each step
        if len(_estimates) >= _REMEMBERED:
            _estimates.clear()
        _estimates[key] = int(1 + sum(map(_cost, map(re.Match.group, _PIECE.finditer(text))))) + 1
    return _estimates[key]


@lru_cache(maxsize=4096)
def _cost(piece: str) -> float:
    size = len(piece)
    found = _PIECE.match(piece)
    match found and found.lastgroup:
        case "word":
            return 1 if size <= 6 else size / 4.5
        case "caps":
            return max(1.0, size / 3.2)
        case "digits":
            return size
        case "space":
            return 0 if piece == " " else max(1.0, size / 4)
        case "mark":
            return min(size * 0.75, 1 + size / 8)
        case _:
            return _other(ord(piece))


def _other(code: int) -> float:
    for below, cost in _COST:
        if code < below:
            return cost
    if code < 0xD7B0:
        return _COST_HANGUL
    return _COST_REST if code < 0x10000 else _COST_ASTRAL


def estimate_prompt(messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
    """Return about how many tokens a prompt is with its template."""
    total = 0
    for message in messages:
        total += _MESSAGE + estimate(message.content)
        total += sum(_TOOL + estimate(call.name + str(call.arguments)) for call in message.tool_calls)
    return total + sum(_TOOL + estimate(f"{tool.name}{tool.description}{tool.parameters}") for tool in tools)
