"""KeyDiff: keys that point away from the mean direction of all keys stay (arXiv 2504.15364).

s_j = -cos(k_j, mean of k/||k||). Needs no attention; redundant keys go first.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional

from webfarer.engine.caches._budgets import Budgeted
from webfarer.engine.view import View


@dataclass(frozen=True)
class Policy(Budgeted):
    """The keys least like the others."""

    def score(self, view: View) -> torch.Tensor:
        """Return how little each key is like the mean direction of those present."""
        wide = torch.promote_types(view.keys.dtype, torch.float32)
        directions = functional.normalize(view.keys.to(wide), dim=-1)
        mean = directions.masked_fill((view.positions < 0)[..., None], 0).sum(2, keepdim=True)
        return -functional.cosine_similarity(directions, mean, dim=-1)
