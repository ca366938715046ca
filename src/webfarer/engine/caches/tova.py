"""TOVA: drop what the newest query attends to least, averaged over all heads of a layer (arXiv 2401.06104).

All heads of a layer keep the same tokens. Nothing is protected: first and newest tokens stay while attended to.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from webfarer.engine.caches._budgets import Budgeted
from webfarer.engine.view import View


@dataclass(frozen=True)
class Policy(Budgeted):
    """The tokens the latest query attends to most."""

    @property
    def reads(self) -> Literal["latest"]:
        """The latest query's attention."""
        return "latest"

    def score(self, view: View) -> torch.Tensor:
        """Return the latest query's attention, the mean over the layer's heads."""
        latest = view.received(1, "mean")
        return latest.mean(1, keepdim=True).expand_as(latest)
