"""WindowKV (arXiv 2503.17922): whole windows of neighbouring tokens stay or go, and groups of layers share one choice.

A token's score is the attention it received from the prompt's last w queries, averaged over all heads; a window's is
the mean of its tokens (aggregation), or of the better half of them (localization). The first layer of a group chooses
for all. Budgets fall in equal steps from group to group, the last being cap * sharing / beta; all layers together keep
at most L * cap. The last w tokens, and those before them that fill no window, stay and count.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import torch
from torch.nn import functional

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import check_budget, check_slots, slots
from webfarer.engine.policy import CachePolicy
from webfarer.engine.view import View


@dataclass(frozen=True)
class Policy(CachePolicy):
    """Windows of tokens, groups of layers.

    Attributes:
        budget: the cap, slots of a KV head on the mean over layers, or a share of the prompt.
        task: localization (an answer stands somewhere) or aggregation (it is spread over the text).
        suffix: last tokens of the prompt, which observe and stay; by the task when none, 32 or 16.
        size: tokens of a window.
        sharing: layers of a group.
        beta: the last group's budget is `sharing` parts in `beta` of the cap.
    """

    budget: int | float = 2048
    task: Literal["localization", "aggregation"] = "localization"
    suffix: int | None = None
    size: int = 8
    sharing: int = 8
    beta: int = 14

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        for field in ("size", "sharing", "beta"):
            check_slots(self, field, 1)
        if self.window < 1:
            raise ConfigError(f"cache policy {self.spec}: suffix must be at least 1; nothing would observe")
        if self.beta < self.sharing:
            raise ConfigError(f"cache policy {self.spec}: beta must be at least sharing, so that budgets fall")
        check_budget(self, "budget", self.window + 1)

    @property
    def frozen(self) -> bool:
        """The prompt's slots are chosen once."""
        return True

    @property
    def window(self) -> int:
        """The suffix."""
        if self.suffix is not None:
            return self.suffix
        return 32 if self.task == "localization" else 16

    def source(self, layer: int, layers: int) -> int:
        """The first layer of the group chooses."""
        return layer - layer % self.sharing

    def profile(self, layer: int, layers: int) -> int:
        """Groups differ."""
        return layer // self.sharing

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """Keep the suffix and as many whole windows as the group's budget holds."""
        budget = self.share(min(prompt, slots(self.budget, prompt)), prompt, layer, layers)
        tail = self.window + max(0, prompt - self.window) % self.size
        if budget >= prompt or budget <= tail:
            return max(1, min(budget, prompt))
        return tail + (budget - tail) // self.size * self.size

    def share(self, mean: int, prompt: int, layer: int, layers: int) -> int:
        """Return the budget of this layer's group when all layers together have layers * mean."""
        steps = (layers - 1) // self.sharing
        if steps == 0:
            return mean
        fall = sum(i // self.sharing for i in range(layers))  # steps from the first group's budget, over all layers
        last = Fraction(mean * self.sharing, self.beta)
        first = min((layers * mean * steps - last * fall) / (layers * steps - fall), Fraction(prompt))
        step = (first - mean) * layers / fall
        return int(first - layer // self.sharing * step)

    def score(self, view: View) -> torch.Tensor:
        """Score windows; what is in none comes first."""
        tokens = view.received(self.window)[0].mean(0)
        whole = max(0, len(tokens) - self.window) // self.size * self.size
        windows = tokens[:whole].view(-1, self.size)
        if self.task == "localization":
            windows = windows.topk(max(1, self.size // 2), dim=-1).values
        scores = windows.mean(-1).repeat_interleave(self.size)
        return functional.pad(scores, (0, len(tokens) - whole), value=torch.inf).expand_as(view.positions)
