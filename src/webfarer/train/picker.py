"""A picker: which items of a pool are labelled next, by what models think of them without knowing the answers.

It asks a :class:`View` for numbers and returns rows of it. Source: STAR (arXiv 2403.01165), with every score taken on
what the model itself generates. Invariant: the same view, round and seed pick the same items; none twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

from webfarer.core.registry import Seam

if TYPE_CHECKING:
    from numpy import ndarray

PICKERS = Seam("webfarer.train.pickers", "picker", "picker")

Who = Literal["base", "adapted"]


class View(Protocol):
    """What may be known of the unlabelled items, row by row in their order. Arrays are float64 on the host.

    What was computed is kept until the model changes, what the base model says until the end.
    """

    def __len__(self) -> int:
        """Return how many items there are."""
        ...

    @property
    def closed(self) -> bool:
        """Whether every item of the pool has choices."""
        ...

    def part(self, rows: Sequence[int]) -> "View":
        """Return the view of some of the items, the others having been picked; what was computed is not lost."""
        ...

    def nll(self, who: Who, passes: int = 0) -> "ndarray":
        """Return −Σ log p(y_j | x, y_<j) of the model's own greedy output y: (items,), or (passes, items) with dropout.

        Outputs are the adapted model's for "adapted" and the base model's for "base"; :meth:`lengths` normalises.
        """
        ...

    def entropy(self, who: Who, passes: int = 0) -> "ndarray":
        """Return Σ_j H(p(· | x, y_<j)) over the model's own greedy output; shapes as for :meth:`nll`."""
        ...

    def information(self, passes: int) -> "ndarray":
        """Return Σ_j I(y_j; dropout mask), by which the passes of the adapted model differ on its output: (items,)."""
        ...

    def lengths(self, who: Who) -> "ndarray":
        """Return how many tokens each output has, its end included: (items,)."""
        ...

    def choices(self, who: Who, passes: int = 0) -> "list[ndarray]":
        """Return probabilities of each item's choices: (choices,), or (passes, choices); for items that have some.

        Raises:
            ConfigError: an item has none.
        """
        ...

    def samples(self, count: int, seed: int) -> Sequence[Sequence[str]]:
        """Return `count` sampled outputs of the adapted model for every item, as text."""
        ...

    def embeddings(self) -> "ndarray":
        """Return the adapted model's mean last hidden state over each prompt: (items, width)."""
        ...

    def picked(self) -> "ndarray":
        """Return the same of the items that were picked before, refused ones among them: (those, width)."""
        ...

    def gradients(self) -> "tuple[ndarray, ndarray]":
        """Return BADGE's gradient embeddings at the first output token, its greedy token taken for the label.

        An embedding is the outer product of two rows: of (items, tokens) and of (items, width).
        """
        ...

    def leaders(self) -> "ndarray":
        """Return the adapted model's probabilities of the two likeliest first output tokens: (items, 2)."""
        ...


@dataclass(frozen=True, slots=True)
class Round:
    """Where the loop is.

    Attributes:
        number: of rounds of labelling so far, from 0.
        rounds: how many there will be.
        random: draws lots.
        calibration: expected calibration error of the base and the adapted model on the labels that came last, before
            any was trained on; None in the first round.
    """

    number: int
    rounds: int
    random: Random
    calibration: tuple[float, float] | None = None


class Picked(NamedTuple):
    """What was picked.

    Attributes:
        rows: of the view, the most wanted first.
        weight: of the base model in the score, for pickers that mix both models'.
        overlap: the share of the rows that the adapted model's score alone would have picked, for the same.
    """

    rows: list[int]
    weight: float | None = None
    overlap: float | None = None


@runtime_checkable
class Dropping(Protocol):
    """A picker that may read dropout passes of the adapted model, which then has to be trained with dropout.

    Attributes:
        passes: how many; 0 for none.
    """

    passes: int


class Picker(Protocol):
    """Picks items. Modules of the seam define `picker`, a frozen dataclass whose fields have defaults.

    Fields are set by a spec, "star:schedule=calibrated" (:mod:`webfarer.core.specs`).
    """

    title: ClassVar[str]

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Pick `count` items."""
        ...
