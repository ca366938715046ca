"""What the tests of trees of thoughts share: rules made for tests, and writers of every temper."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from random import Random

from webfarer.agents.thoughts import Ask, Written
from webfarer.worlds.puzzle import Path, Problem, read_value


class Letters:
    """Spell a word: a thought is one letter; the state is what was spelled, "-" gives up."""

    def __init__(self, word: str, tells: bool = True) -> None:
        self.word, self.tells = word, tells

    @property
    def problem(self) -> Problem:
        return Problem("letters", f"Spell {self.word}", len(self.word), ())

    def next_prompt(self, problem: Problem, path: Path) -> str:
        return f"next {''.join(path)}"

    def value_prompt(self, problem: Problem, path: Path) -> str:
        return f"value {''.join(path)}"

    def thought(self, problem: Problem, path: Path, text: str) -> str | None:
        found = re.fullmatch(r"([a-z-])\W*", text)
        return found[1] if found else None

    def value(self, text: str) -> float | None:
        return read_value(text)

    def done(self, problem: Problem, path: Path) -> bool:
        return len(path) == len(self.word)

    def right(self, problem: Problem, path: Path) -> bool:
        return self.tells and "".join(path) == self.word

    def hopeless(self, problem: Problem, path: Path) -> bool:
        return "-" in path

    def answer(self, problem: Problem, path: Path) -> str:
        return "".join(path)


class Script:
    """Says of each prompt what its lines say, in the order of the calls; an exception is raised, a function awaited.

    Attributes:
        asked: the prompts, in order.
        asks: how they were asked.
        cancelled: the prompts whose writing was broken off.
    """

    def __init__(self, lines: Mapping[str, Sequence[object]], otherwise: str = "value 5") -> None:
        self._lines = {prompt: iter(said) for prompt, said in lines.items()}
        self._otherwise = otherwise
        self.asked: list[str] = []
        self.asks: list[Ask] = []
        self.cancelled: list[str] = []

    async def write(self, prompt: str, ask: Ask) -> Written:
        self.asked.append(prompt)
        self.asks.append(ask)
        said = next(self._lines.get(prompt, iter(())), self._otherwise)
        try:
            await asyncio.sleep(0)
            if callable(said):
                said = await said()
        except asyncio.CancelledError:
            self.cancelled.append(prompt)
            raise
        if isinstance(said, Exception):
            raise said
        return Written(str(said), 7, 2)


class Shuffled:
    """Writes what `say` makes of prompt and seed, each text after a number of turns drawn from `order`."""

    def __init__(self, say: Callable[[str, Random], str], order: int) -> None:
        self._say, self._turns = say, Random(order)
        self.under_way: dict[str, int] = defaultdict(int)

    async def write(self, prompt: str, ask: Ask) -> Written:
        self.under_way[prompt] += 1
        try:
            for _ in range(self._turns.randrange(8)):
                await asyncio.sleep(0)
        finally:
            self.under_way[prompt] -= 1
        return Written(self._say(prompt, Random(f"{prompt} {ask.seed}")), len(prompt), 3)
