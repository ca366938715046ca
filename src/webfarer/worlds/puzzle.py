"""Puzzles solved thought by thought, with their truth: what a tree of thoughts searches and small models learn.

Machinery, not a puzzle: each file of `puzzles/` defines one `puzzle`. Prompts are plain sentences whose tokens stand
between single spaces, from `Puzzle.words`, so that a chat model and a word-level pupil read the same. A problem is a
function of its seed, and no problem drawn for an examination is ever drawn for training. After Tree of Thoughts.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from random import Random
from typing import Protocol
from zlib import crc32

from webfarer.core.registry import Seam

PUZZLES = Seam("webfarer.worlds.puzzles", "puzzle", "puzzle")
FIRST_TRAINING_SEED = 1_000_000
MOST_VALUE = 10

_HELD_OUT = 5
_GOOD_THOUGHTS = 0.85
_SHARE_OF_VALUES = 0.4
_VALUE = re.compile(r"(?:value|score|rating)\D{0,12}?(\d+(?:\.\d+)?)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem.

    Attributes:
        puzzle: the id of its kind.
        text: the problem in plain English, as `Puzzle.read` takes it.
        depth: thoughts of a complete path, at most.
        data: the problem as its puzzle parsed it.
    """

    puzzle: str
    text: str
    depth: int
    data: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One training example: a prompt and an ideal output."""

    prompt: str
    output: str


class Rules(Protocol):
    """What a search asks of a problem's kind. A path holds thoughts in canonical form, as `thought` returns them."""

    def next_prompt(self, problem: Problem, path: Path) -> str:
        """Ask for one next thought."""

    def value_prompt(self, problem: Problem, path: Path) -> str:
        """Ask how good a path is, from 0 to MOST_VALUE."""

    def thought(self, problem: Problem, path: Path, text: str) -> str | None:
        """Return the canonical form of a written thought, or None when it is malformed or illegal."""

    def value(self, text: str) -> float | None:
        """Return the value an evaluation states, or None when it states none."""

    def done(self, problem: Problem, path: Path) -> bool:
        """Tell whether the path is complete."""

    def right(self, problem: Problem, path: Path) -> bool:
        """Tell whether the path is complete and solves the problem; False where nobody can tell."""

    def hopeless(self, problem: Problem, path: Path) -> bool:
        """Tell whether any reader sees at a glance that the path cannot succeed. Looks at no solution."""

    def answer(self, problem: Problem, path: Path) -> str:
        """Return what a complete path answers, as a person would write it."""


class Puzzle(Rules, Protocol):
    """One kind of puzzle, whose truth is known.

    Attributes:
        name: its id.
        words: every token of its prompts and lessons, in a fixed order.
    """

    name: str
    words: tuple[str, ...]

    def draw(self, seed: int) -> Problem:
        """Return a solvable problem; seeds below FIRST_TRAINING_SEED are for examinations."""

    def read(self, text: str) -> Problem | None:
        """Return the problem a user wrote, or None when it is not of this kind."""

    def worth(self, problem: Problem, path: Path) -> float:
        """Return the true value of a path. For lessons and examinations; a search must not look."""

    def lesson(self, rng: Random) -> Lesson:
        """Draw one training example: a next thought or a value."""


def drawn(name: str, seed: int, make: Callable[[Random], Problem | None]) -> Problem:
    """Return the first problem that `make` draws from this seed and that this seed may have.

    A fifth of all problems, by their text, is held out for examinations; training seeds draw the others.
    """
    rng = Random(f"{name} {seed}")
    while True:
        problem = make(rng)
        if problem and (crc32(problem.text.encode()) % _HELD_OUT == 0) == (seed < FIRST_TRAINING_SEED):
            return problem


def draw_lesson(
    puzzle: Puzzle,
    rng: Random,
    write: Callable[[Random, Problem, Path, bool], str],
    judge: Callable[[Random, Problem, Path], str],
) -> Lesson:
    """Draw a problem and a path of mostly good thoughts, and make the end of the path a lesson.

    Args:
        puzzle: what is taught.
        rng: decides everything.
        write: writes a thought, a good one or any.
        judge: writes the true evaluation of a path.
    """
    problem = puzzle.draw(FIRST_TRAINING_SEED + rng.randrange(2**40))
    asks_value = rng.random() < _SHARE_OF_VALUES
    length = rng.randint(1, problem.depth) if asks_value else rng.randrange(problem.depth)
    path: Path = ()
    while len(path) < length and not puzzle.done(problem, path):
        last = len(path) == length - 1
        good = rng.random() < (0.5 if asks_value and last else _GOOD_THOUGHTS)
        text = write(rng, problem, path, good)
        step = puzzle.thought(problem, path, text)
        if step is None:
            raise AssertionError(f"{puzzle.name} wrote an illegal thought: {text}")
        path = (*path, step)
    if asks_value or puzzle.done(problem, path):
        return Lesson(puzzle.value_prompt(problem, path), judge(rng, problem, path))
    text = write(rng, problem, path, rng.random() < _GOOD_THOUGHTS)
    return Lesson(puzzle.next_prompt(problem, path), text)


def read_value(text: str) -> float | None:
    """Return the last value stated by name ("value 7"), else the last number of the text; None outside 0 to 10."""
    stated = _VALUE.findall(text) or _NUMBER.findall(re.sub(r"/\s*10\b", "", text))
    return float(stated[-1]) if stated and float(stated[-1]) <= MOST_VALUE else None
