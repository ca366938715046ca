"""Full fine-tuning: every weight is trained.

What the others are compared with. Not a low-rank update: it saves a whole model, without a tokenizer, which whoever
trains writes beside it.
"""

from dataclasses import dataclass
from pathlib import Path

from torch.nn import Module
from transformers import PreTrainedModel

from webfarer.train.sharding import trained_state
from webfarer.train.tuners._base import Base, written


@dataclass(frozen=True)
class Full(Base):
    """All weights."""

    def attach(self, model: Module, seed: int) -> Module:
        """Return the model itself; nothing is drawn."""
        return model.requires_grad_(True)

    def save(self, model: Module, folder: Path) -> None:
        """Write config.json and model.safetensors.

        Raises:
            ConfigError: the folder cannot be written.
        """
        assert isinstance(model, PreTrainedModel)
        if state := trained_state(model):
            own = {name: weight for name, weight in state.items() if name not in model.all_tied_weights_keys}
            with written(folder, "config.json") as part:
                model.save_pretrained(part, state_dict=own)


tuner = Full
