"""Which models the engine can run, and in what their layers differ: one row of a table per family.

Not the layers themselves (:mod:`webfarer.engine.decoder`). A model outside the table is refused by name, before its
weights are read, and so is a setting of a known family that would change what is computed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedConfig

from webfarer.core.errors import ConfigError
from webfarer.engine.rope import rotary_of
from webfarer.engine.spec import Rotary, Spec

Activation = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Activation] = {
    "gelu": functional.gelu,
    "gelu_new": partial(functional.gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(functional.gelu, approximate="tanh"),
    "relu": functional.relu,
    "silu": functional.silu,
}
_LAYERS = ("full_attention", "sliding_attention")


@dataclass(frozen=True)
class Family:
    """How a family's layer differs from Llama's.

    Attributes:
        windows: no layer has a sliding window, all have one, or the config says which ("typed").
        fused: q, k, v and gate, up are stored as one linear each.
        head_norms: queries and keys are normed per head before they are rotated.
        sandwich: what attention and the feed-forward part give is normed before it is added.
        unit_norms: a norm's factor is stored minus one.
        softcap: attention logits are capped by the config's `attn_logit_softcapping`.
    """

    windows: Literal["none", "all", "typed"] = "none"
    fused: bool = False
    head_norms: bool = False
    sandwich: bool = False
    unit_norms: bool = False
    softcap: bool = False


FAMILIES = {
    "llama": Family(),
    "mistral": Family(windows="all"),
    "qwen2": Family(windows="typed"),
    "qwen3": Family(windows="typed", head_norms=True),
    "gemma2": Family(windows="typed", sandwich=True, unit_norms=True, softcap=True),
    "gemma3_text": Family(windows="typed", sandwich=True, unit_norms=True, head_norms=True),
    "phi3": Family(windows="all", fused=True),
}

_REASONS = {
    "vision_config": "takes images",
    "audio_config": "takes audio",
    "num_experts": "is a mixture of experts",
    "num_local_experts": "is a mixture of experts",
    "n_routed_experts": "is a mixture of experts",
    "kv_lora_rank": "has multi-head latent attention",
    "linear_num_key_heads": "has linear attention",
    "ssm_state_size": "is a state-space model",
    "state_size": "is a state-space model",
    "alibi": "has ALiBi positions",
}


def family_of(config: PreTrainedConfig) -> Family:
    """Return the family of a model.

    Raises:
        ConfigError: not one of ours, or it has a setting that we do not compute; the message names it.
    """
    kind = config.model_type
    known = f"supported model types: {', '.join(FAMILIES)}"
    if kind not in FAMILIES:
        why = next((reason for name, reason in _REASONS.items() if getattr(config, name, None)), "is not known here")
        raise ConfigError(f"a model of type {kind!r} cannot be run: it {why}; {known}")
    if getattr(config, "use_bidirectional_attention", None):
        raise ConfigError(f"this {kind} model attends in both directions, so it cannot generate; {known} (causal ones)")
    activation_of(config)
    for layer in getattr(config, "layer_types", None) or ():
        if layer not in _LAYERS:
            raise ConfigError(f"layers of type {layer!r} are not supported; supported: {', '.join(_LAYERS)}")
    return FAMILIES[kind]


def activation_of(config: PreTrainedConfig) -> Activation:
    """Return the activation of the feed-forward part."""
    name = getattr(config, "hidden_activation", None) or config.hidden_act
    if name not in ACTIVATIONS:
        raise ConfigError(f"activation {name!r} is not supported; supported: {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


@dataclass(frozen=True)
class Placement:
    """Where and how a model is to run.

    Attributes:
        name: what it is called.
        dtype, device: of its keys and values.
        context: the most positions it will be asked for; None for all it was made for.
    """

    name: str
    dtype: torch.dtype
    device: torch.device
    context: int | None = None


def spec_of(config: PreTrainedConfig, placement: Placement) -> Spec:
    """Describe a model of one of our families."""
    family = family_of(config)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    kinds = _kinds(config, family)
    context = placement.context or config.max_position_embeddings
    rotary = {kind: _move(rotary_of(config, kind, context), placement.device) for kind in set(kinds)}
    return Spec(
        name=placement.name,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads or config.num_attention_heads,
        head_dim=head,
        hidden=config.hidden_size,
        vocab=config.vocab_size,
        context=context,
        scale=(getattr(config, "query_pre_attn_scalar", None) or head) ** -0.5,
        softcap=config.attn_logit_softcapping if family.softcap else None,
        windows=tuple(config.sliding_window if kind == "sliding_attention" else None for kind in kinds),
        rotary=tuple(rotary[kind] for kind in kinds),
        dtype=placement.dtype,
        device=placement.device,
    )


def _kinds(config: PreTrainedConfig, family: Family) -> list[str]:
    if family.windows == "typed":
        return list(config.layer_types)
    sliding = family.windows == "all" and config.sliding_window
    return ["sliding_attention" if sliding else "full_attention"] * config.num_hidden_layers


def _move(rotary: Rotary, device: torch.device) -> Rotary:
    return Rotary(rotary.inv_freq.to(device), rotary.dims, rotary.scaling, rotary.dynamic)
