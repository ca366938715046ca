"""Pools whose items are generated, kind by kind, and the key that goes with them.

A pool says which kinds of item it has and how each is made; drawing, skew and the key are the same for all. Tokens
stand between single spaces, from a closed vocabulary, so that small pupils can read them. Invariant: an item that can
be drawn is in no lesson that a pupil was raised on, and no prompt comes twice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from zlib import crc32

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, read, row_id
from webfarer.train.pool import AnswerKey, PoolItem, Set
from webfarer.worlds.puzzle import Lesson

_HELD_BACK = 5
_TRIES = 1000


@dataclass(frozen=True, slots=True)
class Made:
    """One item with its answer; `choices` as in :class:`PoolItem`."""

    prompt: str
    answer: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of item: what it is called, how hard it is, and how one is made."""

    name: str
    difficulty: str
    make: Callable[[Random], Made]


@dataclass(frozen=True)
class MadePool:
    """A pool of generated items, which also reads the published set it resembles.

    Attributes:
        title, published: see :class:`webfarer.train.pool.Pool`.
        kinds: of items; the first is the easy one that a skewed pool is full of.
        vocabulary: returns every token of items and lessons, in a fixed order.
        lore: draws what a pupil is raised on beside items of the first kind: the skills that the others need.
        row: makes an item, but for its id, of a row of the published set.
    """

    title: str
    published: Mapping[str, str]
    kinds: tuple[Kind, ...]
    vocabulary: Callable[[], tuple[str, ...]]
    lore: Callable[[Random], Lesson]
    row: Callable[[Row], Made] | None = None

    def draw(self, size: int, held_out: int, seed: int, skew: float = 0.0) -> Set:
        """Generate items; `skew` is the share of the pool that is of the first kind, the rest is of all kinds evenly.

        Raises:
            ConfigError: a number that makes no pool, or more items than there are.
        """
        if size < 0 or held_out < 0 or not 0 <= skew <= 1:
            raise ConfigError(f"a pool needs sizes from 0 up and a skew from 0 to 1: {size}, {held_out}, {skew}")
        rng, answers, seen = Random(f"{self.title} {seed}"), dict[str, str](), set[str]()
        examined = self._items(rng, "held", self._evenly(held_out), answers, seen)
        easy = round(skew * size)
        labelled = [self.kinds[0]] * easy + self._evenly(size - easy)
        rng.shuffle(labelled)
        pool = self._items(rng, "pool", labelled, answers, seen)
        return Set(pool, examined, AnswerKey(answers, {item.id: item for item in (*pool, *examined)}))

    def lesson(self, rng: Random) -> Lesson:
        """Draw one training example for a pupil: lore, or an item of the first kind that no pool holds."""
        if rng.random() < 1 / (1 + len(self.kinds)):
            made = self._drawn(rng, self.kinds[0], held_back=False)
            return Lesson(made.prompt, made.answer)
        return self.lore(rng)

    def read(self, path: Path) -> Set:
        """Read a file of the published set as a pool; nothing of it is held out.

        Raises:
            ConfigError: there is no such set, or the file or a row of it is not as published.
        """
        if self.row is None:
            raise ConfigError(f"{self.title} resembles no published set; draw a pool instead")
        items, answers = [], {}
        for row in read(path):
            made = self.row(row)
            name = row_id(row, made.prompt)
            items.append(PoolItem(id=name, prompt=made.prompt, choices=made.choices))
            answers[name] = made.answer
        return Set(items, (), AnswerKey(answers, {item.id: item for item in items}))

    def _evenly(self, count: int) -> list[Kind]:
        return [self.kinds[number % len(self.kinds)] for number in range(count)]

    def _items(
        self, rng: Random, part: str, kinds: Iterable[Kind], answers: dict[str, str], seen: set[str]
    ) -> Sequence[PoolItem]:
        items = []
        for number, kind in enumerate(kinds):
            made = next((m for _ in range(_TRIES) if (m := self._drawn(rng, kind)).prompt not in seen), None)
            if made is None:
                raise ConfigError(f"{self.title} has no more items of kind {kind.name}; ask for fewer")
            seen.add(made.prompt)
            name = f"{part}-{number:05d}"
            answers[name] = made.answer
            cells = {"kind": kind.name, "difficulty": kind.difficulty}
            items.append(PoolItem(id=name, prompt=made.prompt, choices=made.choices, cells=cells))
        return items

    def _drawn(self, rng: Random, kind: Kind, *, held_back: bool = True) -> Made:
        """Draw until the prompt is one that pools, or that lessons, may have: pools have a fifth of all."""
        while True:
            made = kind.make(rng)
            if (crc32(made.prompt.encode()) % _HELD_BACK == 0) == held_back:
                return made


def shuffled(rng: Random, *options: str) -> list[str]:
    """Return the options in another order."""
    return rng.sample(options, len(options))
