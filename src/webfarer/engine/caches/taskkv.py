"""Task-KV-style (after arXiv 2501.15113, whose exact formulas and thresholds are not published): some heads keep all.

Heads whose attention output lies far from the others' contribute something of their own. With o_h the mean output of
the prompt's last w queries, d_h = ||o_h - mean of o||, for a KV head the largest of its query heads. A fraction of the
heads, those with the largest d_h, keeps the whole prompt; the others share what is left of the layer's budget evenly:
first tokens, last tokens, and of the middle those that SnapKV's score prefers. Our reading, not the authors' system.
"""

import math
from dataclasses import dataclass

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.attention import prompt_attention
from webfarer.engine.caches._budgets import check_budget, check_slots
from webfarer.engine.caches._observed import Observed
from webfarer.engine.view import View


@dataclass(frozen=True)
class Policy(Observed):
    """Heterogeneous heads keep everything.

    Attributes:
        budget: prompt slots of a KV head on the mean over a layer's heads; below 1.0 a share of the prompt.
        heterogeneous: the fraction of KV heads that keep the whole prompt; fewer, where the budget does not reach.
        sinks: first tokens, kept by every head.
    """

    budget: int | float = 0.4
    heterogeneous: float = 0.25
    sinks: int = 4

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        super().__post_init__()
        check_slots(self, "sinks", 0)
        check_budget(self, "budget", self.sinks + self.window + 1)
        if not 0 <= self.heterogeneous < 1:
            raise ConfigError(f"cache policy {self.spec}: heterogeneous must be a fraction of the heads, 0 to below 1")

    @property
    def ragged(self) -> bool:
        """Heads keep different numbers."""
        return True

    def allot(self, view: View, scores: torch.Tensor, total: int) -> torch.Tensor:
        """Give the most distant heads the prompt, the others equal parts; a remainder goes to the more distant."""
        heads, prompt = scores.shape[1:]
        least = min(self.sinks + self.window, total // heads)
        whole = min(math.ceil(self.heterogeneous * heads), (total - heads * least) // (prompt - least))
        part, more = divmod(total - whole * prompt, heads - whole)
        sizes = [prompt] * whole + [part + 1] * more + [part] * (heads - whole - more)
        rank = self.distances(view).argsort(descending=True, stable=True).argsort()
        return torch.tensor(sizes).to(rank.device, non_blocking=True)[rank][None]

    def distances(self, view: View) -> torch.Tensor:
        """Return how far each KV head's output lies from the mean of all heads', [KV heads]."""
        wide = torch.promote_types(view.keys.dtype, torch.float32)
        last = view.queries[:, :, -self.window :]
        outputs = prompt_attention(last, view.keys[0], view.values[0], view.heads).to(wide).mean(2)
        apart = outputs - outputs.mean((0, 1))
        return apart.square().sum(-1).sqrt().amax(-1)
