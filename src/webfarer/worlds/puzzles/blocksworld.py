"""Blocksworld: three to five coloured blocks in stacks; a thought moves one block that has nothing on it.

Stacks are written from the bottom and have no place on the table. One move more than needed is allowed, so a wasted
move can be mended once and never undone. Distances are exact, by breadth-first search over shapes of goals.
"""

import re
from collections import deque
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import cast

from webfarer.worlds.puzzle import Lesson, Path, Problem, draw_lesson, drawn, read_value

_BLOCKS = tuple("red blue green yellow white".split())
_TABLE = "table"
_SLACK = 1
_TOLD = re.compile(r"stacks\W+bottom first\W+(.+?)\.\W*goal\W+(.+)", re.IGNORECASE | re.DOTALL)
_MOVE = re.compile(r"\bmove (?:the )?(\w+)(?: block)? (?:onto|on|to) (?:the )?(\w+)", re.IGNORECASE)

State = tuple[tuple[str, ...], ...]


def _moves(state: State) -> Iterator[tuple[str, str, State]]:
    """Yield block, destination and the state after, for every move that changes something."""
    for i, stack in enumerate(state):
        block, below = stack[-1], stack[:-1]
        others = [other for j, other in enumerate(state) if j != i]
        rest = [below] if below else []
        for j, other in enumerate(others):
            yield block, other[-1], tuple(sorted((*others[:j], (*other, block), *others[j + 1 :], *rest)))
        if below:
            yield block, _TABLE, tuple(sorted((*others, *rest, (block,))))


@cache
def _distances(goal: State) -> dict[State, int]:
    """Return how many moves every state is away from a goal; moves can be undone, so it is searched from there."""
    found, waiting = {goal: 0}, deque([goal])
    while waiting:
        state = waiting.popleft()
        for _, _, after in _moves(state):
            if after not in found:
                found[after] = found[state] + 1
                waiting.append(after)
    return found


def _distance(state: State, goal: State) -> int:
    """Return the moves needed. Blocks are renamed by their place in the goal, so few goals need a search."""
    ordered = sorted(goal, key=len)
    names = {block: chr(ord("a") + n) for n, block in enumerate(block for stack in ordered for block in stack)}
    plain, aim = (tuple(sorted(tuple(names[b] for b in stack) for stack in s)) for s in (state, goal))
    return _distances(aim)[plain]


def _read_state(text: str) -> State | None:
    stacks = [tuple(re.findall(r"[a-z]+", stack.lower())) for stack in re.split(r"[;|]", text)]
    blocks = [block for stack in stacks for block in stack]
    sound = all(stacks) and len({*blocks}) == len(blocks) and {*blocks} <= {*_BLOCKS}
    return tuple(sorted(stacks)) if sound else None


def _shown(state: State) -> str:
    return " ; ".join(" ".join(stack) for stack in state)


def _problem(start: State, goal: State) -> Problem:
    text = f"Stacks, bottom first: {_shown(start)}. Goal: {_shown(goal)}.".replace(" ;", ";")
    return Problem("blocksworld", text, _distance(start, goal) + _SLACK, (start, goal))


def _stack(rng: Random, blocks: list[str]) -> State:
    stacks: list[list[str]] = []
    for block in rng.sample(blocks, len(blocks)):
        if stacks and rng.random() < 0.6:
            rng.choice(stacks).append(block)
        else:
            stacks.append([block])
    return tuple(sorted(map(tuple, stacks)))


def _make(rng: Random) -> Problem | None:
    blocks = rng.sample(_BLOCKS, rng.randint(3, 5))
    start, goal = _stack(rng, blocks), _stack(rng, blocks)
    return _problem(start, goal) if _distance(start, goal) > 1 else None


def _goal(problem: Problem) -> State:
    return cast(State, problem.data[1])


def _states(problem: Problem, path: Path) -> list[State]:
    """Return the states a path passes, the first included."""
    states = [cast(State, problem.data[0])]
    for step in path:
        _, block, _, onto = step.split()
        states.append(next(after for b, to, after in _moves(states[-1]) if (b, to) == (block, onto)))
    return states


def _write(rng: Random, problem: Problem, path: Path, good: bool) -> str:
    state, goal = _states(problem, path)[-1], _goal(problem)
    moves = list(_moves(state))
    near = [move for move in moves if _distance(move[2], goal) < _distance(state, goal)]
    block, onto, after = rng.choice(near if good else moves)
    return f"move {block} onto {onto} leaves {_shown(after)}"


def _judge(rng: Random, problem: Problem, path: Path) -> str:
    state, goal = _states(problem, path)[-1], _goal(problem)
    placed = {stack[:n] for stack in goal for n in range(1, len(stack) + 1)}
    wrong = [stack[n] for stack in state for n in range(len(stack)) if stack[: n + 1] not in placed]
    needed, left = _distance(state, goal), problem.depth - len(path)
    return f"must move {' '.join(wrong) or 'none'} , needs {needed} of {left} , value {puzzle.worth(problem, path):.0f}"


class Blocksworld:
    """Restacking of three to five blocks."""

    name = "blocksworld"
    words = (
        *"Stacks , bottom first : ; . Goal Name one move of a block with nothing on it as in pink onto table".split(),
        *"Move leaves Moves left Can the goal be reached ? Say what must then end value to none needs".split(),
        *_BLOCKS,
        *map(str, range(11)),
    )

    def draw(self, seed: int) -> Problem:
        """Return start and goal, at least two moves apart."""
        return drawn(self.name, seed, _make)

    def read(self, text: str) -> Problem | None:
        """Return the problem in "Stacks, bottom first: red blue; green. Goal: green red; blue."."""
        told = _TOLD.search(text)
        if not told:
            return None
        start, goal = _read_state(told[1]), _read_state(told[2])
        if start is None or goal is None or {b for s in start for b in s} != {b for s in goal for b in s}:
            return None
        return _problem(start, goal)

    def next_prompt(self, problem: Problem, path: Path) -> str:
        """Ask for one move."""
        told = _told(problem, path)
        return f"{told} Name one move of a block with nothing on it , as in move pink onto table . Move :"

    def value_prompt(self, problem: Problem, path: Path) -> str:
        """Ask whether the goal can be reached with the moves left."""
        told, left = _told(problem, path), problem.depth - len(path)
        return (
            f"{told} Moves left : {left} . Can the goal be reached ? Say what must move , then end with value 0 to 10 ."
        )

    def thought(self, problem: Problem, path: Path, text: str) -> str | None:
        """Return "move red onto blue"."""
        found = _MOVE.search(text)
        if not found or self.done(problem, path):
            return None
        block, onto = found[1].lower(), found[2].lower()
        legal = {(b, to) for b, to, _ in _moves(_states(problem, path)[-1])}
        return f"move {block} onto {onto}" if (block, onto) in legal else None

    def value(self, text: str) -> float | None:
        """Return the value an evaluation states."""
        return read_value(text)

    def done(self, problem: Problem, path: Path) -> bool:
        """Tell whether the goal is reached or the moves are used up."""
        return self.right(problem, path) or len(path) >= problem.depth

    def right(self, problem: Problem, path: Path) -> bool:
        """Tell whether the goal is reached."""
        return _states(problem, path)[-1] == _goal(problem)

    def hopeless(self, problem: Problem, path: Path) -> bool:
        """Tell whether the moves are used up, or the path returns to where it was: only one move can be wasted."""
        states = _states(problem, path)
        return len({*states}) < len(states) or (len(path) >= problem.depth and not self.right(problem, path))

    def worth(self, problem: Problem, path: Path) -> float:
        """Return 10 with a move to spare, 5 when every move left is needed, 0 when they are too few."""
        needed, left = _distance(_states(problem, path)[-1], _goal(problem)), problem.depth - len(path)
        if needed > left:
            return 0.0
        return 5.0 if 0 < needed == left else 10.0

    def answer(self, problem: Problem, path: Path) -> str:
        """Return the moves."""
        return " ; ".join(path)

    def lesson(self, rng: Random) -> Lesson:
        """Draw one training example."""
        return draw_lesson(self, rng, _write, _judge)


def _told(problem: Problem, path: Path) -> str:
    return f"Stacks , bottom first : {_shown(_states(problem, path)[-1])} . Goal : {_shown(_goal(problem))} ."


puzzle = Blocksworld()
