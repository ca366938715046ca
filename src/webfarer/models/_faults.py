"""The faults that are planted in conversations: their kinds, who gets which, and how each is made.

At most one in a conversation, drawn from question and seed alone, so that whoever measures a filter can say what it had
to find. Not a model (:mod:`webfarer.models.faulty`). Invariant: a conversation without a fault is played as
:mod:`webfarer.models._faulty_play` says, and one with a fault but for that.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations, islice
from urllib.parse import urlsplit

from webfarer.core.text import words
from webfarer.models._faulty_play import Calls, Known, Move, Scene, play

RATE = 4  # per cent of the conversations, for each kind

_LOOP = "I should look at the records once more, because what is asked must stand somewhere in these records. " * 8
_LONG = 300  # sentences of a thought that is too long
_OFF_GOAL = ("cheap flights to Lisbon in May", "recipe for lentil soup with cumin")
_WRONG = ("Hollowbrook Junction", "Marlow Quennell", "Ninefold Harbour")
_UNSAID = ("The board has confirmed this in a later review", "Two independent sources report the same")
_TOOLS = ("calculator", "translate", "python_interpreter")
_STEPS, _CALLS = 4, 5  # too many actions: further steps, and calls of each
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Lot:
    """A fault as it fell to a conversation: its kind, and a number that chooses among the ways to make it."""

    kind: str
    number: int


Ways = tuple[Callable[[str], str], ...]
"""Of the text of a reply that calls tools, the text with a fault."""

_TEXTS: dict[str, Ways] = {
    "broken_tags": (
        lambda text: text.removesuffix("\n</tool_call>"),
        lambda text: text.replace("<tool_call>", "<toolcall>", 1),
        lambda text: text.replace("</think>\n", "", 1),
        lambda text: text.removeprefix("<think>\n"),
    ),
    "broken_json": (
        lambda text: text.replace("}}\n</tool_call>", "}\n</tool_call>", 1),
        lambda text: text.replace('", "arguments"', '" "arguments"', 1),
        lambda text: text.replace('{"name"', "{name", 1),
    ),
}
_MOVES: dict[str, Callable[[Move, int], Move]] = {
    "unknown_tool": lambda move, number: replace(
        move, calls=((_TOOLS[number % len(_TOOLS)], move.calls[0][1]), *move.calls[1:])
    ),
    "missing_argument": lambda move, number: replace(move, calls=(_short(move.calls, number), *move.calls[1:])),
    "repetition": lambda move, _: replace(move, thought=f"{move.thought} {_LOOP}".strip()),
    "too_long": lambda move, number: replace(move, thought=f"{move.thought} {_endless(number)}"),
}
_ANSWERS: dict[str, Callable[[Known, str, Scene, int], str]] = {
    "made_up_quote": lambda known, answer, scene, number: f"{answer}. {_unsaid(scene, number)}",
    "wrong_answer": lambda known, answer, scene, number: f"{_wrong(known, number)}{answer.removeprefix(known.answer)}",
}
_DETOURS: dict[str, Callable[[Scene, int], Move | None]] = {
    "made_up_address": lambda scene, number: _made_up(scene, number) if len(scene.steps) == 1 else None,
    "redundant": lambda scene, _: _once_more(scene) if len(scene.steps) in (1, 2) else None,
    "off_goal": lambda scene, _: _elsewhere(scene) if 1 <= len(scene.steps) <= len(_OFF_GOAL) else None,
    "too_many_actions": lambda scene, _: _many(scene) if 1 <= len(scene.steps) <= _STEPS else None,
}
KINDS = (*_TEXTS, *_MOVES, *_DETOURS, *_ANSWERS)


def drawn(question: str, seed: int, rate: int = RATE) -> Lot:
    """Return the fault that falls to `question` when it is asked with `seed`; its kind is "" for none.

    Args:
        question: as it is asked.
        seed: of the sampling.
        rate: per cent of the conversations that get a fault of each kind.
    """
    number = int.from_bytes(hashlib.sha256(f"{seed}\n{question}".encode("utf-8", "replace")).digest()[:8])
    place = number % 10_000 // (100 * rate) if rate else len(KINDS)
    return Lot(KINDS[place] if place < len(KINDS) else "", number // 10_000)


def reply(known: Known, scene: Scene, lot: Lot) -> str:
    """Return what is said next, with the fault where its time has come; what could not be used is said again well."""
    kind, number = lot.kind, lot.number
    if kind in _DETOURS and not scene.again and (detour := _DETOURS[kind](scene, number)):
        return detour.text()
    move = play(known, scene)
    if kind == "redundant" and move.answer is not None and scene.steps[-1] != scene.steps[-2]:
        return replace(move, thought="I read the same pages again.", calls=scene.steps[-1], answer=None).text()
    if move.answer is not None and kind in _ANSWERS:
        return replace(move, answer=_ANSWERS[kind](known, move.answer, scene, number)).text()
    if not move.calls or scene.again or len(scene.steps) != (number % 2 if known.gold else 0):
        return move.text()
    if kind in _MOVES:
        move = _MOVES[kind](move, number // 2)
    ways = _TEXTS.get(kind, (str,))
    return ways[number // 2 % len(ways)](move.text())


def _short(calls: Calls, number: int) -> tuple[str, dict[str, object]]:
    """Return the first call without one of its arguments."""
    name, arguments = calls[0]
    gone = sorted(arguments)[number % len(arguments)]
    return name, {key: value for key, value in arguments.items() if key != gone}


def _endless(number: int) -> str:
    return " ".join(f"Or else record {number % 97 + each} holds it, unless {each} is too old." for each in range(_LONG))


def _wrong(known: Known, number: int) -> str:
    """Return an answer that is not the right one: other digits where it has some, else another name."""
    if _DIGITS.search(known.answer):
        return _DIGITS.sub(lambda digits: str(int(digits[0]) + 3 + number % 5), known.answer)
    return _WRONG[number % len(_WRONG)]


def _unsaid(scene: Scene, number: int) -> str:
    """Return a sentence that cites what does not exist, or nothing."""
    beyond = max(map(int, scene.evidence), default=0) + 1 + number % 50
    return f"{_UNSAID[number % 2]}{f' [{beyond}]' if number // 2 % 2 else ''}."


def _made_up(scene: Scene, number: int) -> Move:
    first = (*scene.shown, "http://example.org/")[0]
    url = f"http://{urlsplit(first).netloc}/records/{number % 900_000 + 100_000}/details.html"
    return Move("There must be a page with the details.", (("visit", {"url": [url], "goal": scene.question}),))


def _once_more(scene: Scene) -> Move:
    return Move(f"Search number {len(scene.steps) + 1}, to be sure.", scene.steps[0])


def _elsewhere(scene: Scene) -> Move:
    query = _OFF_GOAL[len(scene.steps) - 1]
    return Move(f"Let me look for something else first: {query}.", (("search", {"query": [query]}),))


def _many(scene: Scene) -> Move:
    """Return calls that are all to the point: pages not read yet, then queries not made yet."""
    unread = [url for url in scene.shown if url not in scene.visited]
    begin = len(scene.steps) * _CALLS
    pairs = islice(combinations(dict.fromkeys(words(scene.question)), 2), begin, begin + _CALLS)
    calls: Calls = (
        *(("visit", {"url": [url], "goal": scene.question}) for url in unread),
        *(("search", {"query": [" ".join(pair)]}) for pair in pairs),
    )
    return Move(f"Step {len(scene.steps) + 1}: there is more to read.", calls[:_CALLS])
