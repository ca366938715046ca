"""rsLoRA: LoRA whose update is scaled by alpha / √rank, so that a high rank does not make it vanish.

PEFT's. Not another shape: parameters are those of LoRA. Source: Kalajdzievski, "A Rank Stabilization Scaling Factor for
Fine-Tuning with LoRA", arXiv 2312.03732.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.train.tuners.lora import Lora


@dataclass(frozen=True)
class RsLora(Lora):
    """LoRA with alpha / √rank."""

    rank_stabilised: ClassVar[bool] = True


tuner = RsLora
