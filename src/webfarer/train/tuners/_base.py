"""What all tuners share: parameter groups, no penalty, and how a folder is written.

Not a tuner. Invariant: a folder holds what was there before or what is saved now, never some of each; a process killed
between the two leaves a folder without a configuration, which every loader refuses.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import Module

from webfarer.core.errors import ConfigError, boundary


class Base:
    """A tuner without a constraint, whose format our engine reads."""

    served: ClassVar[bool] = True

    def groups(self, model: Module, decay: float = 0.0) -> list[dict[str, Any]]:
        """Return an optimiser's parameter groups; `decay` is the weight decay of matrices, vectors have none."""
        trained = [weight for weight in model.parameters() if weight.requires_grad]
        matrices, vectors = ([w for w in trained if (w.dim() > 1) is large] for large in (True, False))
        groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
        return [group for group in groups if group["params"]]

    def penalty(self, model: Module) -> Tensor | None:
        """Return None: the loss is the loss."""
        return None


@contextmanager
def written(folder: Path, config: str) -> Iterator[Path]:
    """Yield an empty folder whose files go to `folder` in the end, `config` last; other files there stay.

    Raises:
        ConfigError: it cannot be written; what was there before is still there.
    """
    part = folder / ".part"
    with boundary(ConfigError, f"nothing was saved to {folder}"):
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            yield part
            for path in part.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            (folder / config).unlink(missing_ok=True)
            for path in sorted(part.iterdir(), key=lambda path: path.name == config):
                path.replace(folder / path.name)
        finally:
            shutil.rmtree(part, ignore_errors=True)
