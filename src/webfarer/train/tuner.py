"""A tuner: which parameters of a model are trained, and what is added to the loss to keep them in bounds.

PEFT does the work where it has the method. Not an optimiser. Invariant: a tuner that has not been trained changes
nothing (LoRA's B begins at 0), and whatever it saves is loaded by PEFT and by :mod:`webfarer.engine.adapters`, or it
says that it is not.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from webfarer.core.registry import Seam

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

TUNERS = Seam("webfarer.train.tuners", "tuner", "tuner")


class Tuner(Protocol):
    """Makes a model trainable. Modules of the seam define `tuner`, a frozen dataclass whose fields have defaults.

    Fields are set by a spec, "lora:rank=16,alpha=32" (:mod:`webfarer.core.specs`).
    """

    served: ClassVar[bool]
    """Whether our engine can serve what it saves."""

    def attach(self, model: "Module", seed: int) -> "Module":
        """Return the model with what is to be trained, all else frozen; the seed draws first values."""
        ...

    def groups(self, model: "Module", decay: float = 0.0) -> list[dict[str, Any]]:
        """Return an optimiser's parameter groups; `decay` is that of matrices, unless the tuner has its own."""
        ...

    def penalty(self, model: "Module") -> "Tensor | None":
        """Return what is added to the loss, or None."""
        ...

    def save(self, model: "Module", folder: Path) -> None:
        """Write what was trained, whole or not at all."""
        ...
