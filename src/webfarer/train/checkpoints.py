"""The checkpoint of a fine-tuning: what was trained, the optimiser's state, the steps done, and what it belongs to.

One file, written whole or not at all, by the first of several processes and read by all. Not the result (tuners save
that). Order and dropout are functions of seed and step, so no state of a random generator is in it.
"""

from pathlib import Path
from typing import Any

import torch
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

from webfarer.core.errors import ConfigError, WebfarerError, boundary
from webfarer.evals.records import whole
from webfarer.train.fitting import Fitting
from webfarer.train.sharding import TRAINED

NAME = "checkpoint.pt"
_PART = StateDictOptions(full_state_dict=True, strict=False)  # frozen weights are not in it


def save(fitting: Fitting, folder: Path, identity: str) -> None:
    """Write the checkpoint; every process calls it.

    Raises:
        WebfarerError: it cannot be written, or the weights have run away; the one before it is still there.
    """
    fitting.check()
    model, optimiser = get_state_dict(fitting.model, _inner(fitting), options=TRAINED)
    if not fitting.accelerator.is_main_process:
        return
    state = {"identity": identity, "model": model, "optimiser": optimiser, **fitting.state()}
    advice = "make room and give the same command again: it goes on from the checkpoint before, if there was one"
    failed = f"step {fitting.step} was not saved in {folder}; {advice}"
    with boundary(WebfarerError, failed), whole(folder / NAME) as file:
        try:
            torch.save(state, file)
        except RuntimeError as error:  # torch's writer hides what the disk said
            raise (error.__context__ or error) from None


def restore(fitting: Fitting, folder: Path, identity: str) -> bool:
    """Go on from the folder's checkpoint; False where there is none.

    Raises:
        ConfigError: it cannot be read, or belongs to other rows, another model or other settings.
    """
    path = folder / NAME
    if not path.exists():
        return False
    with boundary(ConfigError, f"{path} cannot be read; delete it to begin anew"):
        state: dict[str, Any] = torch.load(path, weights_only=True, mmap=True)
    if state["identity"] != identity:
        raise ConfigError(
            f"{path} belongs to a training of other rows, of another model or with other settings; "
            "give the same, or another --out, or delete it"
        )
    set_state_dict(
        fitting.model,
        _inner(fitting),
        model_state_dict=state["model"],
        optim_state_dict=state["optimiser"],
        options=_PART,
    )
    fitting.go_on(state)
    return True


def _inner(fitting: Fitting) -> torch.optim.Optimizer:
    """Return torch's optimiser, which accelerate has wrapped."""
    return getattr(fitting.optimiser, "optimizer", fitting.optimiser)
