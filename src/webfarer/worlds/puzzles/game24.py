"""Game of 24: join four numbers by + - * / until 24 is left; a thought joins two of those left.

Not the game with fractions: every result is a whole number from 0 to 199, which loses a few of the classical
problems and keeps the words few. Whether 24 can still be reached is found by exhaustion. After Tree of Thoughts.
"""

import re
from collections.abc import Iterator
from functools import cache
from random import Random

from webfarer.worlds.puzzle import Lesson, Path, Problem, draw_lesson, drawn, read_value

_TARGET = 24
_CARDS = 4
_HIGHEST_CARD = 13
_LARGEST = 199
_STEP = re.compile(r"(?<!\d)(\d+) *([-+*/]) *(\d+) *= *(\d+)(?:\W*left\W*([\d ,]*))?")
_ASKED = re.compile(r"\b(?:make|get|reach|obtain)\W+24\b|\bgame of 24\b|\b24 game\b", re.IGNORECASE)

Numbers = tuple[int, ...]


def _joins(left: Numbers) -> Iterator[tuple[str, Numbers]]:
    """Yield every legal step from these numbers: "8 - 7 = 1", and what is left after it."""
    pairs = {(left[j], left[i]) for i in range(len(left)) for j in range(i + 1, len(left))}
    for high, low in sorted(pairs):
        results = {"+": high + low, "-": high - low, "*": high * low}
        if low and high % low == 0:
            results["/"] = high // low
        for sign, result in results.items():
            if result <= _LARGEST:
                rest = list(left)
                rest.remove(high)
                rest.remove(low)
                yield f"{high} {sign} {low} = {result}", tuple(sorted((*rest, result)))


@cache
def _solution(left: Numbers) -> tuple[str, ...] | None:
    """Return steps that reach 24 from sorted numbers, or None."""
    if len(left) == 1:
        return () if left[0] == _TARGET else None
    for step, rest in _joins(left):
        further = _solution(rest)
        if further is not None:
            return (step, *further)
    return None


def _left(problem: Problem, path: Path) -> Numbers:
    """Return the numbers left after a path, sorted."""
    shown = path[-1].partition(" left ")[2].split() if path else problem.data
    return tuple(sorted(int(str(number)) for number in shown))


def _shown(left: Numbers) -> str:
    return " ".join(map(str, left))


def _make(rng: Random) -> Problem | None:
    cards = tuple(sorted(rng.randint(1, _HIGHEST_CARD) for _ in range(_CARDS)))
    return _problem(cards) if _solution(cards) is not None else None


def _problem(cards: Numbers) -> Problem:
    return Problem("game24", f"Use {', '.join(map(str, cards))} to make 24", len(cards) - 1, cards)


def _write(rng: Random, problem: Problem, path: Path, good: bool) -> str:
    steps = list(_joins(_left(problem, path)))
    solving = [step for step in steps if _solution(step[1]) is not None]
    step, rest = rng.choice(solving if good and solving else steps)
    return f"{step} left {_shown(rest)}"


def _judge(rng: Random, problem: Problem, path: Path) -> str:
    left = _left(problem, path)
    if len(left) == 1:
        return f"value {10 if left == (_TARGET,) else 0}"
    found = _solution(left)
    if len(left) > 2:
        return " , ".join((*found, "value 10")) if found is not None else "no way , value 0"
    tried = []
    for step, rest in _joins(left):
        tried.append(step)
        if rest == (_TARGET,):
            break
    return " , ".join((*tried, f"value {10 if found is not None else 0}"))


class Game24:
    """The game of 24 over whole numbers."""

    name = "game24"
    words = tuple(
        "Make 24 with + - * / from the numbers left : . Write one step , as in = Step Can of them make ? Try then end "
        "value no way to".split()
    ) + tuple(str(n) for n in range(_LARGEST + 1) if n != _TARGET)

    def draw(self, seed: int) -> Problem:
        """Return four cards from 1 to 13 that can make 24."""
        return drawn(self.name, seed, _make)

    def read(self, text: str) -> Problem | None:
        """Return the problem of two to four numbers to make 24 of, in a user's words."""
        if not _ASKED.search(text):
            return None
        cards = [int(found) for found in re.findall(r"\d+", text)]
        cards.remove(_TARGET)
        fits = 2 <= len(cards) <= _CARDS and all(1 <= card <= _LARGEST for card in cards)
        return _problem(tuple(sorted(cards))) if fits else None

    def next_prompt(self, problem: Problem, path: Path) -> str:
        """Ask for one join of two numbers left."""
        left = _shown(_left(problem, path))
        return f"Make 24 with + - * / from the numbers left : {left} . Write one step as in 9 - 7 = 2 left 2 5 . Step :"

    def value_prompt(self, problem: Problem, path: Path) -> str:
        """Ask whether 24 can still be made."""
        left = _shown(_left(problem, path))
        return f"Can + - * / make 24 of the numbers left : {left} ? Try , then end with value 0 to 10 ."

    def thought(self, problem: Problem, path: Path, text: str) -> str | None:
        """Return "8 - 7 = 1 left 1 4 8": the higher operand first, what is left in order."""
        found = _STEP.search(text.replace("×", "*").replace("÷", "/"))
        if not found:
            return None
        one, sign, other, result, said = found.groups()
        high, low = (one, other) if sign in "-/" else sorted((one, other), key=int, reverse=True)
        rest = dict(_joins(_left(problem, path))).get(f"{int(high)} {sign} {int(low)} = {int(result)}")
        if rest is None or (said and sorted(map(int, re.findall(r"\d+", said))) != list(rest)):
            return None
        return f"{int(high)} {sign} {int(low)} = {int(result)} left {_shown(rest)}"

    def value(self, text: str) -> float | None:
        """Return the value an evaluation states."""
        return read_value(text)

    def done(self, problem: Problem, path: Path) -> bool:
        """Tell whether one number is left."""
        return len(_left(problem, path)) == 1

    def right(self, problem: Problem, path: Path) -> bool:
        """Tell whether 24 is left alone."""
        return _left(problem, path) == (_TARGET,)

    def hopeless(self, problem: Problem, path: Path) -> bool:
        """Tell whether one number is left that is not 24."""
        return self.done(problem, path) and not self.right(problem, path)

    def worth(self, problem: Problem, path: Path) -> float:
        """Return 10 when 24 can still be reached, else 0."""
        return 10.0 if _solution(_left(problem, path)) is not None else 0.0

    def answer(self, problem: Problem, path: Path) -> str:
        """Return the steps as equations."""
        return " ; ".join(step.partition(" left ")[0] for step in path)

    def lesson(self, rng: Random) -> Lesson:
        """Draw one training example."""
        return draw_lesson(self, rng, _write, _judge)


puzzle = Game24()
