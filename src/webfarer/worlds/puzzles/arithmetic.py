"""Word problems of two to four sums: a thought asks one question on the way and answers it with a sum.

Not free text: problems follow a few sentence patterns, so that the right sums are known. A thought is legal when it
joins two numbers that are given or found and not yet used, and its sum is true; whether it leads to the answer is
what has to be judged. After the grade-school word problems of GSM8K.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import cast

from webfarer.worlds.puzzle import Lesson, Path, Problem, draw_lesson, drawn, read_value

_LARGEST = 199
_NAMES = tuple("Ana Ben Eva Ida Leo Max Mia Tom".split())
_ITEMS = tuple("apples books cards eggs pears pens shells stamps".split())
_QUESTIONS = {
    "finds": "How many after finding ?",
    "gives": "How many after giving ?",
    "buys": "How many after buying ?",
    "bags": "How many in the bags ?",
    "boxes": "How many boxes ?",
    "costs": "How many coins ?",
}
_SIGNS = {"finds": "+", "gives": "-", "buys": "+", "bags": "*", "boxes": "/", "costs": "*"}
_SENTENCES = {
    "finds": "{name} finds {0} more .",
    "gives": "{name} gives away {0} .",
    "bags": "{name} buys {0} bags of {1} .",
    "boxes": "{name} packs them in boxes of {0} . How many boxes are there ?",
    "costs": "Each costs {0} coins . What do they cost ?",
    "rest": "How many are there now ?",
}
_START = re.compile(r"(?P<name>[A-Z][a-z]+) has (?P<start>\d+) (?P<item>[a-z]+) \.")
_PATTERNS = {
    kind: re.compile(re.sub(r"([.?])", r"\\\1", told.format(r"(\d+)", r"(\d+)", name="[A-Z][a-z]+")))
    for kind, told in _SENTENCES.items()
}
_SUM = re.compile(r"(?<!\d)(\d+) *([-+*/]) *(\d+) *= *(\d+)")

Event = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Sum:
    """One sum of the solution: what it finds out, and the sum in canonical form."""

    kind: str
    text: str


def _join(one: int, sign: str, other: int) -> str | None:
    """Return "12 + 3 = 15", the higher number first unless the order matters; None when the result is not allowed."""
    if sign in "+*" and one < other:
        one, other = other, one
    if sign == "/" and (not other or one % other):
        return None
    result = {"+": one + other, "-": one - other, "*": one * other, "/": one // other if other else -1}[sign]
    return f"{one} {sign} {other} = {result}" if 0 <= result <= _LARGEST else None


def _result(text: str) -> int:
    return int(text.rpartition(" ")[2])


def _solve(start: int, events: tuple[Event, ...]) -> tuple[_Sum, ...] | None:
    """Return the sums that solve a problem, or None when a number on the way is not allowed."""
    have, sums = start, []
    for kind, numbers in events:
        operand = numbers[0] if numbers else 0
        if kind == "bags":
            bags = _join(numbers[0], "*", numbers[1])
            if bags is None:
                return None
            sums.append(_Sum("bags", bags))
            kind, operand = "buys", _result(bags)
        if kind == "rest":
            continue
        text = _join(have, _SIGNS[kind], operand)
        if text is None:
            return None
        sums.append(_Sum(kind, text))
        have = _result(text)
    return tuple(sums)


def _problem(name: str, item: str, start: int, events: tuple[Event, ...]) -> Problem | None:
    sums = _solve(start, events)
    if sums is None or not 2 <= len(sums) <= 4:
        return None
    told = (_SENTENCES[kind].format(*numbers, name=name) for kind, numbers in events)
    text = " ".join((f"{name} has {start} {item} .", *told))
    return Problem("arithmetic", re.sub(r" ([.?])", r"\1", text), len(sums), (name, item, start, events))


def _make(rng: Random) -> Problem | None:
    events: list[Event] = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(("finds", "gives", "bags"))
        events.append((kind, tuple(rng.randint(2, 6 if kind == "bags" else 12) for _ in range(1 + (kind == "bags")))))
    last = rng.choice(("rest", "boxes", "costs"))
    events.append((last, () if last == "rest" else (rng.randint(2, 5),)))
    return _problem(rng.choice(_NAMES), rng.choice(_ITEMS), rng.randint(3, 30), tuple(events))


def _parsed(problem: Problem) -> tuple[int, tuple[Event, ...]]:
    return cast(tuple[int, tuple[Event, ...]], problem.data[2:])


@lru_cache(maxsize=256)
def _sums(problem: Problem) -> tuple[_Sum, ...]:
    sums = _solve(*_parsed(problem))
    assert sums is not None
    return sums


def _unused(problem: Problem, path: Path) -> Counter[int]:
    """Return the numbers that are given or found and not yet used."""
    start, events = _parsed(problem)
    numbers = Counter((start, *(number for _, given in events for number in given)))
    for step in path:
        one, _, other, _, result = step.split()
        numbers.subtract((int(one), int(other)))
        numbers[int(result)] += 1
    return +numbers


def _on_the_way(problem: Problem, path: Path) -> list[_Sum]:
    """Return the sums of the solution that can come next, none when the path has left it."""
    wanted = Counter(s.text for s in _sums(problem))
    wanted.subtract(path)
    if min(wanted.values()) < 0:
        return []
    unused, last = _unused(problem, path), len(path) + 1 == problem.depth
    ready = [s for s in _sums(problem) if wanted[s.text] > 0 and _fits(s.text, unused)]
    return [s for s in ready if last or _on_the_way(problem, (*path, s.text))]


def _fits(text: str, unused: Counter[int]) -> bool:
    one, _, other, *_ = text.split()
    return Counter((int(one), int(other))) <= unused


def _write(rng: Random, problem: Problem, path: Path, good: bool) -> str:
    ready = _on_the_way(problem, path)
    if good and ready:
        chosen = rng.choice(ready)
        return f"{_QUESTIONS[chosen.kind]} {chosen.text}"
    numbers = sorted(_unused(problem, path).elements())
    while True:
        one, other = rng.sample(numbers, 2)
        kind = rng.choice(sorted(_SIGNS))
        text = _join(max(one, other), _SIGNS[kind], min(one, other))
        if text is not None:
            return f"{_QUESTIONS[kind]} {text}"


def _judge(rng: Random, problem: Problem, path: Path) -> str:
    wanted = {s.text for s in _sums(problem)}
    said = []
    for step in path:
        said.append(f"{step} {'fits' if step in wanted else 'fails'} ,")
        if step not in wanted:
            break
    return f"{' '.join(said)} value {puzzle.worth(problem, path):.0f}"


class Arithmetic:
    """Word problems of two to four sums."""

    name = "arithmetic"
    words = tuple(
        dict.fromkeys(
            (
                *"has Steps : none ; . Ask the next question and answer it as in How many ? Are these steps toward the "
                "answer Check each , then end with value 0 to 10 fits fails + - * / =".split(),
                *(w for s in (*_SENTENCES.values(), *_QUESTIONS.values()) for w in s.split() if "{" not in w),
                *_NAMES,
                *_ITEMS,
                *map(str, range(_LARGEST + 1)),
            )
        )
    )

    def draw(self, seed: int) -> Problem:
        """Return a word problem."""
        return drawn(self.name, seed, _make)

    def read(self, text: str) -> Problem | None:
        """Return the problem when every sentence follows one of the patterns."""
        spaced = " ".join(re.sub(r"([.?])", r" \1 ", text).split())
        started = _START.match(spaced)
        if not started:
            return None
        events: list[Event] = []
        at = started.end()
        while at < len(spaced):
            found = ((kind, pattern.match(spaced, at + 1)) for kind, pattern in _PATTERNS.items())
            kind, match = next(((kind, match) for kind, match in found if match), ("", None))
            if match is None:
                return None
            events.append((kind, tuple(map(int, match.groups()))))
            at = match.end()
        if not events or [kind in ("rest", "boxes", "costs") for kind, _ in events] != [False] * (len(events) - 1) + [
            True
        ]:
            return None
        return _problem(started["name"], started["item"], int(started["start"]), tuple(events))

    def next_prompt(self, problem: Problem, path: Path) -> str:
        """Ask for one question on the way and its answer."""
        return f"{_shown(problem, path)} Ask the next question and answer it , as in How many ? 9 - 7 = 2 ."

    def value_prompt(self, problem: Problem, path: Path) -> str:
        """Ask whether the steps lead to the answer."""
        return f"{_shown(problem, path)} Are these steps toward the answer ? Check each , then end with value 0 to 10 ."

    def thought(self, problem: Problem, path: Path, text: str) -> str | None:
        """Return the sum alone, "12 + 3 = 15": how the question is worded does not matter."""
        found = _SUM.search(text.replace("×", "*").replace("÷", "/"))
        if not found:
            return None
        one, sign, other, result = found.groups()
        joined = _join(int(one), sign, int(other))
        if joined is None or _result(joined) != int(result) or not _fits(joined, _unused(problem, path)):
            return None
        return joined

    def value(self, text: str) -> float | None:
        """Return the value an evaluation states."""
        return read_value(text)

    def done(self, problem: Problem, path: Path) -> bool:
        """Tell whether every number is used."""
        return len(path) == problem.depth

    def right(self, problem: Problem, path: Path) -> bool:
        """Tell whether the last sum gives the answer."""
        return self.done(problem, path) and _result(path[-1]) == _result(_sums(problem)[-1].text)

    def hopeless(self, problem: Problem, path: Path) -> bool:
        """Return False: a wrong step looks like a right one."""
        return False

    def worth(self, problem: Problem, path: Path) -> float:
        """Return 10 when all steps belong to the solution, or end in its answer; else 0."""
        if self.done(problem, path):
            return 10.0 if self.right(problem, path) else 0.0
        return 10.0 if _on_the_way(problem, path) else 0.0

    def answer(self, problem: Problem, path: Path) -> str:
        """Return the last number and what it counts."""
        _, events = _parsed(problem)
        unit = {"boxes": "boxes", "costs": "coins"}.get(events[-1][0], str(problem.data[1]))
        return f"{_result(path[-1])} {unit}" if path else ""

    def lesson(self, rng: Random) -> Lesson:
        """Draw one training example."""
        return draw_lesson(self, rng, _write, _judge)


def _shown(problem: Problem, path: Path) -> str:
    told = re.sub(r"([.?])", r" \1", problem.text)
    return f"{told} Steps : {' ; '.join(path) or 'none'} ."


puzzle = Arithmetic()
