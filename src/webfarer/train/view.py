"""What two models, the base and the adapted one, know of a pool's items: the numbers that pickers ask for.

Each number is computed at the first question and kept: the base model's for all rounds, the adapted model's for one.
Not a picker. Invariant: nothing here has a key; outputs that are scored are the model's own unless a caller hands over
others (:mod:`webfarer.train.released`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from torch import nn

from webfarer.core.errors import ConfigError
from webfarer.train.language import Ids, Language
from webfarer.train.picker import Who
from webfarer.train.pool import PoolItem
from webfarer.train.scoring import Asked, Limits, Scorer, Scores, States


class Readings:
    """What one model says of some items.

    Args:
        scorer: the model.
        asked: the items.
        outputs: what is scored in place of the model's own output.
    """

    def __init__(self, scorer: Scorer, asked: Sequence[Asked], outputs: Sequence[Ids] | None = None) -> None:
        self.asked, self._scorer, self._outputs = asked, scorer, outputs
        self._scores: dict[int, Scores] = {}
        self._choices: dict[int, list[np.ndarray]] = {}
        self._drawn: dict[tuple[int, int], list[Ids]] = {}

    @cached_property
    def prompts(self) -> list[Ids]:
        """The items' prompts."""
        return [one.prompt for one in self.asked]

    @cached_property
    def outputs(self) -> list[Ids]:
        """What is scored."""
        if self._outputs is not None:
            return list(self._outputs)
        written, self._scores[0] = self._scorer.answer(self.prompts)
        return written

    def scores(self, passes: int) -> Scores:
        """Return what the model thinks of the outputs."""
        outputs = self.outputs  # the model's own are scored as they are written
        if passes not in self._scores:
            self._scores[passes] = self._scorer.score(self.prompts, outputs, passes)
        return self._scores[passes]

    def choices(self, passes: int) -> list[np.ndarray]:
        """Return probabilities of each item's choices."""
        if passes not in self._choices:
            self._choices[passes] = self._scorer.choose(self.asked, passes)
        return self._choices[passes]

    @cached_property
    def states(self) -> States:
        """What the model makes of the prompts."""
        return self._scorer.states(self.prompts)

    def drawn(self, seed: int, number: int, rows: Sequence[int], longest: int) -> list[Ids]:
        """Return sampled outputs; each item has its own lots by its row, whatever other items there are."""
        if (seed, number) not in self._drawn:
            lots = np.stack([np.random.default_rng((seed, number, row)).random(longest) for row in rows])
            self._drawn[seed, number] = self._scorer.write(self.prompts, lots)
        return self._drawn[seed, number]


@dataclass(frozen=True)
class ModelView:
    """The view of one round (:class:`webfarer.train.picker.View`).

    Attributes:
        base: of the whole pool.
        adapted: of the items that had no label when the round began.
        rows: their numbers in the pool.
        places: of those among them that were not picked since.
        decode: turns an output into text.
        longest: tokens of a sampled output.
        before: of the items that were picked before the round, by the adapted model.
    """

    base: Readings
    adapted: Readings
    rows: Sequence[int]
    places: Sequence[int]
    decode: Callable[[Ids], str]
    longest: int
    before: Readings

    def __len__(self) -> int:
        """Return how many items there are."""
        return len(self.places)

    @property
    def closed(self) -> bool:
        """Whether every item of the pool has choices."""
        return all(one.choices for one in self.base.asked)

    def part(self, rows: Sequence[int]) -> "ModelView":
        """Return the view of some of the items."""
        return replace(self, places=[self.places[row] for row in rows])

    def nll(self, who: Who, passes: int = 0) -> np.ndarray:
        """Return −Σ log p(y_j) of each output y."""
        return self._mine(who, self._of(who).scores(passes).nll)

    def entropy(self, who: Who, passes: int = 0) -> np.ndarray:
        """Return Σ_j H(p_j) over each output."""
        return self._mine(who, self._of(who).scores(passes).entropy)

    def information(self, passes: int) -> np.ndarray:
        """Return Σ_j of the mutual information between token j and the dropout mask."""
        return self._mine("adapted", self.adapted.scores(passes).information)

    def lengths(self, who: Who) -> np.ndarray:
        """Return how many tokens each output has."""
        return self._mine(who, np.array([len(output) for output in self._of(who).outputs], float))

    def choices(self, who: Who, passes: int = 0) -> list[np.ndarray]:
        """Return probabilities of each item's choices."""
        if not self.closed:
            raise ConfigError("the pool has items without choices; take a picker that reads outputs, such as pe")
        found = self._of(who).choices(passes)
        return [found[place] for place in self._index(who)]

    def samples(self, count: int, seed: int) -> list[list[str]]:
        """Return sampled outputs."""
        written = [self.adapted.drawn(seed, number, self.rows, self.longest) for number in range(count)]
        return [[self.decode(outputs[place]) for outputs in written] for place in self.places]

    def embeddings(self) -> np.ndarray:
        """Return the mean last hidden state over each prompt."""
        return self.adapted.states.mean[self._index("adapted")]

    def picked(self) -> np.ndarray:
        """Return the same of the items that were picked before."""
        since = sorted({*range(len(self.rows))} - {*self.places})
        means = [self.before.states.mean] if self.before.asked else []
        return np.concatenate([*means, self.adapted.states.mean[since]])

    def gradients(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the two factors of BADGE's gradient embeddings."""
        left = self._index("adapted")
        return self.adapted.states.residual[left], self.adapted.states.last[left]

    def leaders(self) -> np.ndarray:
        """Return probabilities of the two likeliest first tokens."""
        return self.adapted.states.top[self._index("adapted")]

    def _of(self, who: Who) -> Readings:
        return self.adapted if who == "adapted" else self.base

    def _index(self, who: Who) -> list[int]:
        """Return where the items are among those that a model was asked."""
        return list(self.places) if who == "adapted" else [self.rows[place] for place in self.places]

    def _mine(self, who: Who, values: np.ndarray) -> np.ndarray:
        return values[..., self._index(who)]


class Views:
    """Makes the view of each round.

    Args:
        base: the model, whose adapters, if any, are passed over; its own weights must not change.
        language: its tokens.
        pool: all items, labelled or not.
        limits: of outputs and memory.
        outputs: what is scored in place of the models' own outputs, item by item.
    """

    def __init__(
        self,
        base: nn.Module,
        language: Language,
        pool: Sequence[PoolItem],
        limits: Limits | None = None,
        outputs: Sequence[Ids] | None = None,
    ) -> None:
        self._language, self._limits, self._outputs = language, limits or Limits(), outputs
        self._asked = [_asked(item, language) for item in pool]
        self._base = Readings(Scorer(base, language.ends, self._limits, plain=True), self._asked, outputs)

    def at(self, adapted: nn.Module, rows: Sequence[int]) -> ModelView:
        """Return what may be known of these items of the pool, now that the model is as it is."""
        outputs = None if self._outputs is None else [self._outputs[row] for row in rows]
        scorer = Scorer(adapted, self._language.ends, self._limits)
        readings = Readings(scorer, [self._asked[row] for row in rows], outputs)
        before = Readings(scorer, [self._asked[row] for row in sorted({*range(len(self._asked))} - {*rows})])
        return ModelView(
            self._base, readings, rows, range(len(rows)), self._language.text, self._limits.longest, before
        )


def _asked(item: PoolItem, language: Language) -> Asked:
    prompt, _ = language.exchange(item.prompt, "?")
    return Asked(prompt, tuple(language.exchange(item.prompt, choice)[1] for choice in item.choices))
