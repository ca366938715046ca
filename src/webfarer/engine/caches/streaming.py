"""Sinks and a window: the first tokens and the newest, at the positions they were computed at (arXiv 2309.17453).

No attention is looked at. The paper moves the keys it keeps to contiguous positions; that is `streaming_rotated`.
Here every key stays where it was, so distances are true and the trained context is the limit.
"""

from dataclasses import dataclass

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import Budgeted, check_slots
from webfarer.engine.view import View


@dataclass(frozen=True)
class Policy(Budgeted):
    """The first `sinks` tokens and the newest others.

    Attributes:
        budget: slots per KV head, sinks included.
        sinks: first tokens that stay.
    """

    budget: int = 512
    sinks: int = 4

    def __post_init__(self) -> None:
        """Refuse a budget without room for a window."""
        check_slots(self, "budget", 1)
        if not 0 <= self.sinks < self.budget:
            raise ConfigError(f"cache policy {self.spec}: sinks must be 0 or more and fewer than the budget")

    @property
    def recent(self) -> int:
        """What the sinks leave of the budget."""
        return self.budget - self.sinks

    @property
    def window(self) -> int:
        """The same after the prompt."""
        return self.recent

    def score(self, view: View) -> torch.Tensor:
        """Newer is better."""
        return view.positions.to(torch.float32)
