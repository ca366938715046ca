"""What a school does, as data: the shape of the pupil, the curriculum, the rate of learning.

Not code that runs. A recipe and a seed determine a training completely.
"""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to raise one pupil.

    Attributes:
        name: of the recipe and of the pupil.
        hidden, layers, heads, kv_heads, head_dim, inner: the decoder's shape.
        spread: standard deviation of the initial weights.
        echo: how strongly attention passes on what it sees, at first.
        exams: what is taught.
        puzzles: puzzles taught by single lessons; one named twice has two turns.
        pools: pools of which the pupil learns the language and the easy kind, but not the other kinds; turns as for
            puzzles.
        smallest: the sheets' size at first, as a share of the full one.
        grow: the shares of the steps at which growth begins and ends.
        late_start: share of the sheets whose numbers begin later than 1, so that high numbers are learnt early.
        drills: share of the steps, from the first on, in which copying is drilled beside the exams.
        steps: optimiser steps.
        tokens: tokens of one step, about; exams and puzzles take turns.
        rate, warmup, decay: peak learning rate, steps until then, weight decay.
    """

    name: str
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    inner: int = 384
    spread: float = 0.06
    echo: float = 0.06
    exams: tuple[str, ...] = ("arithmetic", "lookup", "recall")
    puzzles: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    smallest: float = 0.2
    grow: tuple[float, float] = (0.25, 0.7)
    late_start: float = 0.5
    drills: float = 0.2
    steps: int = 9500
    tokens: int = 1536
    rate: float = 2e-3
    warmup: int = 100
    decay: float = 0.05

    def growth(self, step: int) -> float:
        """Return the size of the sheets at a step, as a share of the full one."""
        begin, end = self.grow
        done = min(1.0, max(0.0, (step / self.steps - begin) / (end - begin)))
        return float(self.smallest ** (1 - done))

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: linear warm-up, then half a cosine down to a thirtieth."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.rate * (1 / 30 + 29 / 30 * (1 + math.cos(math.pi * done)) / 2)


_THINKER = Recipe(
    "thinker",
    hidden=256,
    layers=5,
    heads=8,
    kv_heads=4,
    inner=512,
    exams=(),
    puzzles=("game24", "arithmetic", "blocksworld", "game24", "constraints", "blocksworld"),
    drills=0.0,
    steps=7500,
    tokens=1024,
    rate=1.5e-3,
)

_THINKER_DRAFT = replace(
    _THINKER, name="thinker-draft", hidden=96, layers=2, heads=3, kv_heads=1, inner=192, steps=9000, rate=3e-3
)

_LEARNER = Recipe(
    "learner",
    hidden=96,
    layers=3,
    inner=256,
    exams=(),
    pools=("arithmetic", "links", "passages", "facts", "links", "passages"),
    drills=0.0,
    steps=7000,
    tokens=3000,
    rate=3e-3,
)

RECIPES = {recipe.name: recipe for recipe in (Recipe("longwork"), _THINKER, _THINKER_DRAFT, _LEARNER)}
