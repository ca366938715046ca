"""Drafts by looking up what followed the last few tokens before: in the row's own text, then in what other rows wrote.

Not a model: it names candidates, and costs next to nothing. A hash index takes a token in at constant time; longer
matches go before shorter ones, and newer before older. Branches of one task tend to repeat each other, hence the pool.
Invariant: without the pool a draft depends on the row's own text alone. Source: prompt lookup decoding.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from webfarer.core.errors import ConfigError
from webfarer.engine import drafting
from webfarer.engine.drafters._options import read
from webfarer.engine.drafting import Ask, Draft
from webfarer.engine.loading import Loaded

_FORKS = 4
"""So many different continuations of an n-gram are remembered."""


@dataclass(frozen=True)
class Options:
    """Settings of the drafter.

    Attributes:
        longest, shortest: tokens that must match, at most and at least.
        shared: whether rows look into what the other rows wrote, too.
        memory: how many n-grams an index remembers; the oldest go first.
    """

    longest: int = 4
    shortest: int = 2
    shared: bool = True
    memory: int = 1 << 17

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        if not 1 <= self.shortest <= self.longest or self.memory < 1:
            raise ConfigError("drafter ngram: needs 1 <= shortest <= longest, and a memory of at least 1")


class Index:
    """What came after each n-gram, newest first."""

    def __init__(self, options: Options) -> None:
        self._orders = range(options.shortest, options.longest + 1)
        self._memory = options.memory
        self._after: OrderedDict[tuple[int, ...], tuple[int, ...]] = OrderedDict()

    def take(self, text: Sequence[int], new: int) -> None:
        """Learn the last `new` tokens of `text`, whose earlier ones are context."""
        for at in range(len(text) - new, len(text)):
            token = text[at]
            for order in self._orders:
                if order > at:
                    break
                gram = tuple(text[at - order : at])
                older = self._after.get(gram, ())
                if not older or older[0] != token:
                    self._after[gram] = (token, *(other for other in older if other != token))[:_FORKS]
                self._after.move_to_end(gram)
                if len(self._after) > self._memory:
                    self._after.popitem(last=False)

    def after(self, gram: tuple[int, ...]) -> tuple[int, ...]:
        """Return what came after `gram`, newest first."""
        return self._after.get(gram, ())


@dataclass(slots=True)
class _Row:
    """One row: what its prompt and its output teach, and how much of the output has been taken in."""

    prompt: tuple[int, ...]
    given: Index
    written: Index
    taken: int = 0


class Drafter(drafting.Drafter):
    """N-gram lookup."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._rows: list[_Row] = []
        self._pool = Index(options)

    @classmethod
    def make(cls, argument: str, target: Loaded, rows: int) -> "Drafter":
        """Make one: "longest=4,shortest=2,shared=true"."""
        return cls(read(Options, argument, "ngram"))

    def open(self, prompts: Sequence[tuple[int, ...]], limits: Sequence[int]) -> None:
        """Take further rows; equal prompts are indexed once."""
        for prompt in prompts:
            given = next((row.given for row in self._rows if row.prompt == prompt), None)
            if given is None:
                given = Index(self._options)
                given.take(prompt, len(prompt))
            self._rows.append(_Row(prompt, given, Index(self._options)))

    def propose(self, asks: Sequence[Ask]) -> list[Draft]:
        """Name what came after each row's last tokens before."""
        self.settle(asks)
        return [self._draft(row, ask) for row, ask in zip(self._rows, asks, strict=True)]

    def settle(self, asks: Sequence[Ask]) -> None:
        """Take in what was written."""
        for row, ask in zip(self._rows, asks, strict=True):
            new = len(ask.drawn) - row.taken
            text = self._tail(row.prompt, ask.drawn, self._options.longest + new)
            row.written.take(text, new)
            if self._options.shared:
                self._pool.take(text, new)
            row.taken = len(ask.drawn)

    def close(self, row: int) -> None:
        """Forget a row; what it wrote stays in the pool."""
        self._rows[row] = self._rows[-1]
        self._rows.pop()

    def _draft(self, row: _Row, ask: Ask) -> Draft:
        tokens: list[int] = []
        parents: list[int] = []
        level = [(-1, self._tail(ask.prompt, ask.drawn, self._options.longest))]
        for width in ask.widths:
            below = []
            for parent, tail in level:
                for token in self._candidates(row, tail, width):
                    below.append((len(tokens), (*tail, token)[-self._options.longest :]))
                    tokens.append(token)
                    parents.append(parent)
            level = below
        return Draft(tuple(tokens), tuple(parents))

    def _candidates(self, row: _Row, tail: tuple[int, ...], width: int) -> list[int]:
        """Return up to `width` different tokens that came after `tail`, the best first."""
        found: dict[int, None] = {}
        for order in range(min(self._options.longest, len(tail)), self._options.shortest - 1, -1):
            gram = tail[-order:]
            for index in (row.written, row.given, self._pool):
                found.update(dict.fromkeys(index.after(gram)))
                if len(found) >= width:
                    return list(found)[:width]
        return list(found)

    @staticmethod
    def _tail(prompt: tuple[int, ...], drawn: Sequence[int], count: int) -> tuple[int, ...]:
        """Return the last `count` tokens of both, without touching the rest."""
        missing = max(count - len(drawn), 0)
        return (*prompt[len(prompt) - min(missing, len(prompt)) :], *drawn[max(len(drawn) - count, 0) :])
