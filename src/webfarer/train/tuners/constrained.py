"""Constrained LoRA: dropout on the input of A, and γ‖B‖² in the loss.

The hybrid regularisation of STAR (arXiv 2403.01165), against over-confidence. Its authors' program decays B by AdamW
instead, whose whole effect is (1 − rate · decay)^steps, a few per cent: "gamma=0,decay=0.5" is that.
Not a cap: how small B stays is for gamma, rate and steps together.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module

from webfarer.core.errors import ConfigError
from webfarer.train.tuners.lora import Lora


@dataclass(frozen=True)
class Constrained(Lora):
    """LoRA with a small B.

    Attributes:
        gamma: weight of the sum of all squares in B, beside a loss that is a mean over taught tokens.
        decay: AdamW's decoupled weight decay of B.
    """

    dropout: float = 0.1
    gamma: float = 0.01
    decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gamma < 0 or self.decay < 0:
            raise ConfigError(f"{self}: gamma and decay are at least 0")

    def groups(self, model: Module, decay: float = 0.0) -> list[dict[str, Any]]:
        """Return A with the optimiser's decay, and B with its own."""
        ups = _ups(model)
        downs = [weight for name, weight in model.named_parameters() if "lora_A" in name]
        return [{"params": downs, "weight_decay": decay}, {"params": ups, "weight_decay": self.decay}]

    def penalty(self, model: Module) -> Tensor | None:
        """Return γ Σ‖B‖²_F."""
        if not self.gamma:
            return None
        return self.gamma * torch.stack([up.square().sum() for up in _ups(model)]).sum()


def _ups(model: Module) -> list[Tensor]:
    return [weight for name, weight in model.named_parameters() if "lora_B" in name]


tuner = Constrained
