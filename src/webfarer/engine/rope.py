"""Rotary positions: which frequencies a layer has, and turning queries and keys by them.

Frequencies come from transformers' own functions, so every published scaling is what its model was trained with.
Not a table: angles are computed once per forward for all layers that share them, which needs no largest position.
Invariant: angles are computed in float32 whatever the model's dtype, as transformers does; halves layout.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from webfarer.core.errors import ConfigError
from webfarer.engine.spec import Rotary

SCALINGS = ("default", "dynamic", "linear", "llama3", "longrope", "yarn")


class Turn(NamedTuple):
    """Angles of one forward: [N, 1, dims]; the sine's first half is negative, for halves that change places."""

    cos: Tensor
    sin: Tensor


def rotary_of(config: PreTrainedConfig, kind: str, context: int) -> Rotary:
    """Work out the rotary embedding of a layer.

    Scalings whose frequencies depend on the length (longrope, dynamic) are fixed to those for `context`, so that keys
    that are kept stay valid and a text's rotations do not change while it grows.

    Args:
        config: of the model.
        kind: the layer's type, for models with parameters by type.
        context: the most positions the model will be asked for.
    """
    parameters = config.rope_parameters
    by_kind = kind in parameters
    if by_kind:
        parameters = parameters[kind]
    scaling = parameters.get("rope_type", "default")
    if scaling not in SCALINGS:
        raise ConfigError(f"rotary scaling {scaling!r} is not supported; supported: {', '.join(SCALINGS)}")
    if scaling == "default":
        head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        dims = int(head * parameters.get("partial_rotary_factor", 1.0))
        inv_freq = 1.0 / (parameters["rope_theta"] ** (torch.arange(0, dims, 2, dtype=torch.float32) / dims))
        return Rotary(inv_freq, dims)
    options = {"layer_type": kind} if by_kind else {}
    inv_freq, factor = ROPE_INIT_FUNCTIONS[scaling](config, seq_len=context, **options)
    return Rotary(inv_freq.float(), 2 * len(inv_freq), float(factor))


def turn_of(rotary: Rotary, positions: Tensor, dtype: torch.dtype) -> Turn:
    """Compute the angles of tokens at `positions` [N]."""
    angles = positions[:, None, None] * rotary.signed  # in float32, whatever integers are
    cos = angles.cos()
    sin = angles.sin()
    if rotary.scaling != 1.0:
        cos *= rotary.scaling
        sin *= rotary.scaling
    return Turn(cos.to(dtype), sin.to(dtype))


def rotate(x: Tensor, turn: Turn) -> Tensor:
    """Turn the leading dimensions of heads [N, H, D]; the rest passes."""
    dims = turn.cos.shape[-1]
    part = x if dims == x.shape[-1] else x[..., :dims]
    turned = torch.addcmul(part * turn.cos, part.roll(dims // 2, -1), turn.sin)
    return turned if part is x else torch.cat((turned, x[..., dims:]), dim=-1)
