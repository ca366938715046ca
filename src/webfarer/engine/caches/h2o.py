"""H2O: the tokens that received most attention so far, and the newest (arXiv 2306.14048).

A slot's score is the attention it received from every query since it was written, s_j = Σ_{i>=j} A_ij, prompt and
generated tokens alike. Half of the budget goes to the highest scores, half to the newest tokens. Early tokens
were seen by more queries, so they win where attention carries no signal; `normalise` divides by the number of queries.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from webfarer.engine.caches._budgets import Budgeted, check_slots
from webfarer.engine.view import Group, View


@dataclass(frozen=True)
class Policy(Budgeted):
    """Heavy hitters and recent tokens.

    Attributes:
        budget: slots per KV head; the larger half for heavy hitters.
        group: how query heads that share a KV head are put together.
        normalise: divide by how many queries could see the slot; the paper does not.
    """

    budget: int = 512
    group: Group = "mean"
    normalise: bool = False

    def __post_init__(self) -> None:
        """Refuse a budget that has no halves."""
        check_slots(self, "budget", 2)

    @property
    def reads(self) -> Literal["accumulated"]:
        """The sum over all queries."""
        return "accumulated"

    @property
    def recent(self) -> int:
        """Half of the budget."""
        return self.budget // 2

    @property
    def window(self) -> int:
        """The same half after the prompt."""
        return self.recent

    def score(self, view: View) -> torch.Tensor:
        """Return the attention received so far."""
        received = view.received(None, self.group)
        return received / (view.now - view.positions) if self.normalise else received
