"""What a drafter is: something that guesses a row's next tokens, so that the model can check several in one pass.

A guess never changes what comes out, only how many passes it takes; so a drafter may be wrong, and must never fail a
sequence. Rows are those of the batch: 0…n-1, and when one closes the last takes its index. One file each in
`engine/drafters/`. Source: SpecInfer (arXiv 2305.09781), SEED (arXiv 2406.18200).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import mul

import torch

from webfarer.core.registry import Seam
from webfarer.engine.loading import Loaded
from webfarer.engine.sampling import SamplingParams

DRAFTERS = Seam("webfarer.engine.drafters", "Drafter", "drafter")


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Tokens that may come next: a tree below the row's last token; a chain is a tree without forks.

    Attributes:
        tokens: of each node.
        parents: the node before each, -1 for the row's last token; parents come before their children, and siblings
            in the order they were drawn.
        probs: [forks, vocab], the distributions nodes were drawn from, in float32 or wider; None when the drafter does
            not draw but names candidates in order.
        forks: of each node, the row of `probs` it was drawn from; siblings have the same. Empty without `probs`.
    """

    tokens: tuple[int, ...] = ()
    parents: tuple[int, ...] = ()
    probs: torch.Tensor | None = None
    forks: tuple[int, ...] = ()

    @property
    def depth(self) -> int:
        """The most tokens on one path."""
        depths = [0]
        for parent in self.parents:
            depths.append(depths[parent + 1] + 1)
        return max(depths)

    @classmethod
    def chain(cls, tokens: Sequence[int], probs: torch.Tensor | None = None) -> "Draft":
        """Return a draft in which every token follows the one before."""
        count = len(tokens)
        return cls(tuple(tokens), tuple(range(-1, count - 1)), probs, () if probs is None else tuple(range(count)))


@dataclass(frozen=True, slots=True)
class Ask:
    """One row wants a draft.

    Attributes:
        prompt, drawn: its text so far; the last token of both together is the one the model reads next.
        params: how its tokens are drawn; a drafter that draws warps its own distribution in the same way.
        widths: candidates per node, depth by depth: (1, 1, 1) is a chain of three, () asks for nothing.
        named: candidates are to be the likeliest ones, in order, and no distribution is needed; else they are drawn.
        chances: numbers in [0, 1) to draw with. Where candidates are named, one for each depth, with which the model
            itself will draw there: the first candidate is best drawn with it too. Else one for each node.
        replacement: whether siblings that are drawn may be equal.
    """

    prompt: tuple[int, ...]
    drawn: Sequence[int]
    params: SamplingParams
    widths: tuple[int, ...] = ()
    named: bool = True
    chances: tuple[float, ...] = ()
    replacement: bool = False

    @property
    def text(self) -> list[int]:
        """All tokens so far."""
        return self.since(0)

    def since(self, place: int) -> list[int]:
        """Return the tokens from a place of the text on."""
        return [*self.prompt[place:], *self.drawn[max(0, place - len(self.prompt)) :]]


def nodes(widths: Sequence[int]) -> int:
    """Return how many nodes a tree of these widths has."""
    return sum(accumulate(widths, mul))


class Drafter(ABC):
    """The base of every drafter. Used by one thread at a time."""

    @property
    def forks(self) -> bool:
        """Whether it can draft trees."""
        return True

    @classmethod
    @abstractmethod
    def make(cls, argument: str, target: Loaded, rows: int) -> "Drafter":
        """Make a drafter for up to `rows` rows of `target`.

        Args:
            argument: what stood behind the drafter's id and a colon, "" for nothing.
            target: the model that checks.
            rows: how many there may be.

        Raises:
            ConfigError: the argument cannot be read, or this drafter cannot work for this model.
        """

    @abstractmethod
    def open(self, prompts: Sequence[tuple[int, ...]], limits: Sequence[int]) -> None:
        """Take further rows, in order: their prompts, and how many tokens each may draw at most."""

    @abstractmethod
    def propose(self, asks: Sequence[Ask]) -> list[Draft]:
        """Return a draft for every row, in order; any may be smaller than asked for, or empty."""

    def settle(self, asks: Sequence[Ask]) -> None:
        """Hear what every row's text is after a round, before rows close; `widths` and `chances` mean nothing here."""
        return

    @abstractmethod
    def close(self, row: int) -> None:
        """Give a row up; the last row takes its index."""
