"""Makes our decoder of a transformers model: the same weights, joined where they read the same input.

Not a loader: the model is in memory already, made by whichever library understands its files.
Invariant: with `release`, no more than one layer's weights exist twice at any time; a head that shares the embedding's
table has a copy of its own where matrices are packed (:mod:`webfarer.engine.linears`).
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from webfarer.engine.adapters import Layout, Slot
from webfarer.engine.decoder import Decoder, Layer, Vocabulary
from webfarer.engine.families import Family, Placement, activation_of, family_of, spec_of
from webfarer.engine.linears import parameter, project
from webfarer.engine.norms import Norm
from webfarer.engine.spec import Spec


def decoder_of(model: PreTrainedModel, *, name: str = "", context: int | None = None, release: bool = False) -> Decoder:
    """Build the decoder of a causal language model of one of our families.

    Args:
        model: on the device and in the dtype it is to run in; its classes may be quantised.
        name: what the decoder is called; the model's own name by default.
        context: the most positions it will be asked for; all it was made for by default.
        release: take the weights out of `model`, which cannot be used any more.

    Raises:
        ConfigError: the model is not one we can run; the message names what is missing.
    """
    config, family = model.config, family_of(model.config)
    body: Any = model.model
    table = parameter(body.embed_tokens, "weight")
    placement = Placement(name or config.name_or_path or config.model_type, table.dtype, table.device, context)
    spec = spec_of(config, placement)
    layers = [_layer(layer, spec, family, release=release) for layer in body.layers]
    ends = _ends(model, family, release=release)
    return Decoder(spec, _layout(config, spec, family), layers, ends, activation_of(config))


def _layer(layer: Any, spec: Spec, family: Family, *, release: bool) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    qkv = [attention.qkv_proj] if family.fused else [attention.q_proj, attention.k_proj, attention.v_proj]
    gate_up = [mlp.gate_up_proj] if family.fused else [mlp.gate_proj, mlp.up_proj]
    norms = {"before_attention": layer.input_layernorm, "before_mlp": layer.post_attention_layernorm}
    if family.sandwich:
        norms["after_attention"] = layer.post_attention_layernorm
        norms["before_mlp"] = layer.pre_feedforward_layernorm
        norms["after_mlp"] = layer.post_feedforward_layernorm
    return Layer(
        qkv=project(qkv, release=release),
        out=project([attention.o_proj], release=release),
        gate_up=project(gate_up, release=release),
        down=project([mlp.down_proj], release=release),
        heads=_head_norm(attention, spec, family) if family.head_norms else None,
        **{key: Norm(_factor(module, family), _eps(module)) for key, module in norms.items()},
    )


def _head_norm(attention: Any, spec: Spec, family: Family) -> Norm:
    queries = _factor(attention.q_norm, family).expand(spec.heads, -1)
    keys = _factor(attention.k_norm, family).expand(spec.kv_heads, -1)
    return Norm(torch.cat((queries, keys)), _eps(attention.q_norm))


def _factor(norm: nn.Module, family: Family) -> Tensor:
    weight = parameter(norm, "weight")
    if not family.unit_norms:
        return weight
    return 1.0 + (weight if weight.dtype == torch.float64 else weight.float())


def _eps(norm: Any) -> float:
    return float(norm.variance_epsilon if hasattr(norm, "variance_epsilon") else norm.eps)


def _ends(model: Any, family: Family, *, release: bool) -> Vocabulary:
    embedding, head = model.model.embed_tokens, model.lm_head
    table = parameter(embedding, "weight")
    factor = getattr(embedding, "embed_scale", None)
    return Vocabulary(
        table=table,
        factor=None if factor is None else float(factor.to(table.dtype)),
        norm=Norm(_factor(model.model.norm, family), _eps(model.model.norm)),
        head=project([head], release=release),
        softcap=getattr(model.config, "final_logit_softcapping", None),
    )


def _layout(config: PreTrainedConfig, spec: Spec, family: Family) -> Layout:
    queries, keys = spec.heads * spec.head_dim, spec.kv_heads * spec.head_dim
    inner = config.intermediate_size
    slots = {"o_proj": Slot("out", 0, spec.hidden), "down_proj": Slot("down", 0, spec.hidden)}
    if family.fused:
        slots["qkv_proj"] = Slot("qkv", 0, queries + 2 * keys)
        slots["gate_up_proj"] = Slot("gate_up", 0, 2 * inner)
    else:
        slots["q_proj"] = Slot("qkv", 0, queries)
        slots["k_proj"] = Slot("qkv", queries, keys)
        slots["v_proj"] = Slot("qkv", queries + keys, keys)
        slots["gate_proj"] = Slot("gate_up", 0, inner)
        slots["up_proj"] = Slot("gate_up", inner, inner)
    sizes = {
        "qkv": (spec.hidden, queries + 2 * keys),
        "out": (queries, spec.hidden),
        "gate_up": (spec.hidden, 2 * inner),
        "down": (inner, spec.hidden),
    }
    return Layout(spec.layers, slots, sizes, spec.dtype, spec.device)
