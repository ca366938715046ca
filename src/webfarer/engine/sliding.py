"""The policy of layers that see only their last positions, whatever policy the others have."""

from dataclasses import dataclass

import torch

from webfarer.engine.policy import CachePolicy, Place
from webfarer.engine.view import View


@dataclass(frozen=True)
class Sliding(CachePolicy):
    """A layer that sees only its last `span` positions needs no more of them; every such layer has this policy."""

    span: int = 1

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """One less than the window: the next token completes it."""
        return min(prompt, max(1, self.span - 1))

    def room(self, t: int, place: Place) -> int | None:
        """As after the prompt."""
        return max(1, self.span - 1)

    def score(self, view: View) -> torch.Tensor:
        """Newer is better."""
        return view.positions.to(torch.float32)
