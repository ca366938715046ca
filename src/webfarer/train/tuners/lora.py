"""LoRA: W x + (alpha / rank) B A x, where W is frozen and only A and B are trained.

PEFT's. A is drawn uniformly as for a linear layer, B begins at 0. Not the output head, which our engine does not adapt.
Sources: Hu et al., "LoRA", arXiv 2106.09685; all linears by default, Schulman et al., "LoRA Without Regret", 2025.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn import Linear, Module
from transformers import PreTrainedModel

from webfarer.core.errors import ConfigError
from webfarer.train.sharding import trained_state
from webfarer.train.tuners._base import Base, written


@dataclass(frozen=True)
class Lora(Base):
    """LoRA.

    Attributes:
        rank: rows of A, columns of B.
        alpha: the update is scaled by alpha / rank.
        dropout: of the input of A, while training.
        targets: "all" linears but the output head, or names joined by "+": "q_proj+v_proj".
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: str = "all"

    rank_stabilised: ClassVar[bool] = False
    decomposed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise ConfigError(f"{self}: rank and alpha are above 0, dropout is at least 0 and below 1")

    def attach(self, model: Module, seed: int) -> Module:
        """Return a `PeftModel` around the model; its `unload()` gives the base model back, weights still frozen.

        Raises:
            ConfigError: the model has an adapter already, or no linear of a name among the targets.
        """
        if isinstance(model, PeftModel) or not isinstance(model, PreTrainedModel):
            raise ConfigError(f"LoRA is attached to a plain model of transformers, not to a {type(model).__name__}")
        config = LoraConfig(
            task_type="CAUSAL_LM",
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=self._targets(model),
            use_rslora=self.rank_stabilised,
            use_dora=self.decomposed,
        )
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)  # PEFT reads it
            torch.manual_seed(seed)  # PEFT draws on the host, also for a model on a device
            adapted = get_peft_model(model, config)
        # PEFT makes a set of them, whose order, and with it the saved file, would differ between processes
        config.target_modules = sorted(config.target_modules or ())
        return adapted.train(model.training)

    def save(self, model: Module, folder: Path) -> None:
        """Write PEFT's adapter_config.json and adapter_model.safetensors.

        Raises:
            ConfigError: the folder cannot be written.
        """
        assert isinstance(model, PeftModel)
        if state := trained_state(model):
            with written(folder, "adapter_config.json") as part:
                model.save_pretrained(str(part), save_embedding_layers=False, state_dict=state)
                (part / "README.md").unlink()  # a form in which nothing is filled in

    def _targets(self, model: PreTrainedModel) -> str | list[str]:
        if self.targets == "all":
            return "all-linear"
        head = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        linears = {name: part for name, part in model.named_modules() if isinstance(part, Linear) and part is not head}
        known = sorted({name.rpartition(".")[2] for name in linears})
        wanted = self.targets.split("+")
        if unknown := [name for name in wanted if name not in known]:
            raise ConfigError(f"the model has no linear {', '.join(unknown)}; it has {', '.join(known)}")
        return wanted


tuner = Lora
