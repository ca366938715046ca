"""DoRA: LoRA for the direction of every output's weights, and their length learnt apart.

PEFT's. Our engine does not serve it: its update is no sum, so it needs the base weights of every request's adapter.
PEFT rounds the first lengths to the model's dtype, so in bf16 an untrained one is the base model to that rounding only.
Source: Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", arXiv 2402.09353.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.train.tuners.lora import Lora


@dataclass(frozen=True)
class Dora(Lora):
    """Weight-decomposed LoRA."""

    served: ClassVar[bool] = False
    decomposed: ClassVar[bool] = True


tuner = Dora
