"""AdaKV (arXiv 2407.11550): the heads of a layer compete for one budget, so a head gets as many slots as it can use.

The H * budget best of all heads' slots together stay; every head's best floor(alpha * budget) and its pins are among
them whatever the others have. A layer keeps exactly H * budget slots, and holds no more: heads differ in length, and
no head is padded to the longest. The scores are another policy's, SnapKV's as in the paper unless another is named.
"""

from dataclasses import dataclass

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import check_budget, check_slots, slots
from webfarer.engine.caches._wrapping import load
from webfarer.engine.policy import CachePolicy
from webfarer.engine.view import Group, View


@dataclass(frozen=True)
class Policy(CachePolicy):
    """One budget for all heads of a layer.

    Attributes:
        budget: prompt slots of a KV head on the mean over a layer's heads; below 1.0 a share of the prompt.
        alpha: the part of the mean that every head gets; 1 gives all heads the same.
        window: last tokens of the prompt, kept by every head.
        kernel, group: of the scorer, if it has them.
        scorer: id of the policy whose score of the prompt is used.
    """

    budget: int | float = 2048
    alpha: float = 0.2
    window: int = 32
    kernel: int = 7
    group: Group = "mean"
    scorer: str = "snapkv"

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        check_slots(self, "window", 0)
        check_budget(self, "budget", self.window + 1)
        if not 0 <= self.alpha <= 1:
            raise ConfigError(f"cache policy {self.spec}: alpha must be a part of the mean budget, 0 to 1")
        if self.inner.ragged:
            raise ConfigError(f"cache policy {self.spec}: {self.scorer} divides slots among heads itself; use it alone")

    @property
    def inner(self) -> CachePolicy:
        """The policy that scores the prompt."""
        settings = ("window", self.window), ("kernel", self.kernel), ("group", self.group), ("budget", self.budget)
        return load(self.scorer, settings)

    @property
    def frozen(self) -> bool:
        """The prompt's slots are chosen once."""
        return True

    @property
    def ragged(self) -> bool:
        """Heads keep different numbers."""
        return True

    @property
    def sinks(self) -> int:
        """As the scorer."""
        return self.inner.sinks

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """Keep the budget, on the mean."""
        return min(prompt, slots(self.budget, prompt))

    def score(self, view: View) -> torch.Tensor:
        """As the scorer."""
        return self.inner.score(view)

    def allot(self, view: View, scores: torch.Tensor, total: int) -> torch.Tensor:
        """Count each head's part of the best `total` slots; pins and the floor come first."""
        heads, prompt = scores.shape[1:]
        floor = int(self.alpha * (total // heads))
        ranked = scores[0].sort(descending=True).values
        ranked[:, :floor] = torch.inf
        head = ranked.flatten().argsort(descending=True, stable=True)[:total] // prompt
        return torch.zeros(heads, dtype=torch.int64, device=head.device).index_add(0, head, torch.ones_like(head))[None]
