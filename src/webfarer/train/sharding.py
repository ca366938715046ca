"""Sharding: every weight of a model divided among processes, so that none holds more than its part and one layer.

torch's FSDP2: a layer is gathered when it is at work, and its gradients are added up into each process's part. Weights
on disk are mapped, not read, so a process copies what it keeps and no more. Not a way to share the work, which
:mod:`webfarer.train.fitting` does. Invariant: sharded or not, a training takes the same steps.
"""

from typing import cast

import torch
from torch import Tensor
from torch.distributed import get_world_size, is_initialized
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn import Module
from transformers import PreTrainedModel

from webfarer.core.errors import ConfigError

TRAINED = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True)
"""Of a state of what is trained, whole and on the host, in the first of several processes."""


def shard(model: Module, device: torch.device, bf16: bool) -> None:
    """Divide a model among the processes, in place, layer by layer; its tuner is attached already.

    Args:
        model: not on a device yet.
        device: of this process.
        bf16: passes are in bfloat16: frozen weights become that, trained ones float32.

    Raises:
        ConfigError: there is one process only, or transformers does not say what a layer of the model is.
    """
    if not is_initialized() or get_world_size() < 2:
        raise ConfigError(
            "sharding needs several processes: torchrun --nproc-per-node N --no-python webfarer train sft …"
        )
    base = cast(PreTrainedModel, getattr(model, "get_base_model", lambda: model)())
    kinds = set(base._no_split_modules or ())
    layers = [part for part in model.modules() if type(part).__name__ in kinds]
    if not layers:
        raise ConfigError(f"{type(base).__name__} cannot be sharded: transformers does not say what its layers are")
    mesh = init_device_mesh(device.type, (get_world_size(),))
    for part in (*reversed(layers), model):  # a layer inside another goes first
        if bf16:
            cast_weights(part)
        # the outermost too: what is gathered must be in parts again whenever someone looks at the weights
        fully_shard(part, mesh=mesh, reshard_after_forward=True)


def cast_weights(model: Module) -> None:
    """Make trained weights float32 and frozen ones bfloat16, for passes in bfloat16."""
    for weight in model.parameters():
        kind = torch.float32 if weight.requires_grad else torch.bfloat16
        if weight.dtype != kind:
            weight.data = weight.data.to(kind)


def trained_state(model: Module) -> dict[str, Tensor]:
    """Return what is trained, by name, in the first process and nothing in the others; every process calls it."""
    return cast(dict[str, Tensor], get_model_state_dict(model, options=TRAINED))


def value_of(value: Tensor) -> float:
    """Return the value of a tensor that may be a sum over all parts."""
    return float(value.full_tensor() if isinstance(value, DTensor) else value)
