"""PyramidKV (arXiv 2406.02069): SnapKV's score under budgets that fall from the first layer to the last.

With c = budget - w: the last layer gets low = c // beta beside the window, the first 2c - low, or all the prompt has,
and then low rises by what the first cannot use. Between them the budgets fall in equal steps over L - 1 intervals,
rounded by largest remainders, so that all layers together keep exactly L * budget slots.
"""

from dataclasses import dataclass

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import slots
from webfarer.engine.caches._observed import Observed


def falling(first: int, last: int, count: int) -> list[int]:
    """Return `count` whole numbers in equal steps from `first` down to `last`; their sum is not rounded."""
    if count == 1:
        return [(first + last) // 2]
    spans = count - 1
    exact = [first * spans - i * (first - last) for i in range(count)]
    whole = [e // spans for e in exact]
    by_remainder = sorted(range(count), key=lambda i: (-(exact[i] % spans), i))
    for i in by_remainder[: count * (first + last) // 2 - sum(whole)]:
        whole[i] += 1
    return whole


@dataclass(frozen=True)
class Policy(Observed):
    """Budgets differ between layers; `budget` is their mean.

    Attributes:
        beta: the last layer's share is one part in `beta` of the mean, the window aside.
    """

    beta: int = 20

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        super().__post_init__()
        if self.beta < 1:
            raise ConfigError(f"beta={self.beta} must be at least 1, which gives every layer the same budget")

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """Keep this layer's share of layers * budget."""
        mean = min(prompt, slots(self.budget, prompt))
        window = min(self.window, mean)
        spare = mean - window
        last = spare // self.beta
        first = min(2 * spare - last, prompt - window)
        return window + falling(first, 2 * spare - first, layers)[layer]

    def profile(self, layer: int, layers: int) -> int:
        """Every layer has a budget of its own."""
        return layer
