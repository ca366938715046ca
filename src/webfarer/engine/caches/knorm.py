"""Key norms: keys of low L2 norm receive most attention, so those stay (arXiv 2406.11430).

Needs no attention at all. The relation does not hold in the first layers, which therefore may keep everything.
"""

from dataclasses import dataclass

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import Budgeted
from webfarer.engine.policy import Place
from webfarer.engine.view import View


@dataclass(frozen=True)
class Policy(Budgeted):
    """The keys of lowest norm.

    Attributes:
        budget: slots per KV head, or a share of the prompt.
        skip: first layers that keep everything.
    """

    skip: int = 2

    def __post_init__(self) -> None:
        """Refuse parameters that cannot be."""
        super().__post_init__()
        if self.skip < 0:
            raise ConfigError(f"cache policy {self.spec}: skip must be 0 layers or more")

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """As many as the budget holds, but everything in the first layers."""
        return prompt if layer < self.skip else super().keep(prompt, layer, layers)

    def room(self, t: int, place: Place) -> int | None:
        """The budget, but no limit in the first layers."""
        return None if place.layer < self.skip else super().room(t, place)

    def profile(self, layer: int, layers: int) -> int:
        """Two kinds of layers."""
        return int(layer < self.skip)

    def score(self, view: View) -> torch.Tensor:
        """Return the negative norm of each key."""
        wide = torch.promote_types(view.keys.dtype, torch.float32)
        return -view.keys.to(wide).square().sum(-1).sqrt()
