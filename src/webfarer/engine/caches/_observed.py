"""Prompt slots by the attention of the prompt's last queries: what SnapKV and its relatives share. Not a plugin.

A window of last tokens observes the others: a slot's score is the attention it received from the window's queries,
pooled over neighbouring tokens so that what is kept is more than single words. The pool ends where the window begins
and at the prompt's ends; nothing from outside counts (SnapKV, arXiv 2404.14469).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch.nn import functional

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import check_budget, slots
from webfarer.engine.policy import CachePolicy
from webfarer.engine.view import Group, View

Pooling = Literal["max", "avg"]


def pooled(scores: torch.Tensor, kernel: int, pooling: Pooling) -> torch.Tensor:
    """Pool [H, n] over `kernel` neighbours; beyond the ends there is nothing to count."""
    if kernel == 1 or not scores.shape[-1]:
        return scores
    half = kernel // 2
    if pooling == "max":
        return functional.max_pool1d(scores, kernel, 1, half)
    return functional.avg_pool1d(scores, kernel, 1, half, count_include_pad=False)


def observed(view: View, window: int, kernel: int, pooling: Pooling, group: Group) -> torch.Tensor:
    """Return the pooled attention each slot received from the last `window` queries; the window's own slots get 0."""
    sums = view.received(window, group)[0]
    pool = pooled(sums[:, : max(0, sums.shape[-1] - window)], kernel, pooling)
    return functional.pad(pool, (0, sums.shape[-1] - pool.shape[-1]))[None]


@dataclass(frozen=True)
class Observed(CachePolicy):
    """The parameters and the score; how many slots stay is each policy's own.

    Attributes:
        budget: prompt slots of a KV head, the window included; below 1.0 a share of the prompt.
        window: last tokens of the prompt, which observe and are kept.
        kernel: neighbours pooled together, odd; 1 for none.
        pooling: their maximum or their average.
        group: how query heads that share a KV head are put together.
    """

    budget: int | float = 2048
    window: int = 32
    kernel: int = 7
    pooling: Pooling = "max"
    group: Group = "mean"

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        Raises:
            ConfigError: says which parameter to change.
        """
        if self.window < 1:
            raise ConfigError(f"window={self.window} observes nothing; take at least 1")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ConfigError(f"kernel={self.kernel} must be odd: a slot stands in the middle of its neighbours")
        check_budget(self, "budget", self.window + 1)

    @property
    def frozen(self) -> bool:
        """The prompt's slots are chosen once."""
        return True

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """Keep the budget."""
        return min(prompt, slots(self.budget, prompt))

    def score(self, view: View) -> torch.Tensor:
        """Attention received from the window, pooled."""
        return observed(view, self.window, self.kernel, self.pooling, self.group)
