"""What decoder tests compare with: dense attention for our decoder, and transformers' models made exact.

transformers norms and softmaxes in float32 even in a float64 model; :func:`exact` lifts that, so that float64 tests can
demand agreement to the last digits. Angles stay float32 on both sides.
"""

import types
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

from webfarer.engine.decoder import Attend
from webfarer.engine.spec import Spec


def dense(spec: Spec, lengths: Sequence[int]) -> Attend:
    """Attend over whole sequences of the given lengths: causal, windowed and capped as the spec says."""

    def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        parts = zip(q.split(lengths), k.split(lengths), v.split(lengths), strict=True)
        return torch.cat([one(layer, *part) for part in parts])

    def one(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        keys, values = (x.repeat_interleave(spec.groups, dim=1) for x in (k, v))
        scores = torch.einsum("qhd,khd->hqk", q, keys) * spec.scale
        if spec.softcap is not None:
            scores = torch.tanh(scores / spec.softcap) * spec.softcap
        positions = torch.arange(len(q), device=q.device)
        distance = positions[:, None] - positions
        seen = (distance >= 0) & (distance < (spec.windows[layer] or len(q)))
        weights = scores.masked_fill(~seen, float("-inf")).softmax(-1)
        return torch.einsum("hqk,khd->qhd", weights, values)

    return attend


def _exact_norm(self: Any, x: Tensor) -> Tensor:
    eps = self.variance_epsilon if hasattr(self, "variance_epsilon") else self.eps
    factor = 1.0 + self.weight if type(self).__name__.startswith("Gemma") else self.weight
    return factor * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def _exact_attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    groups = query.shape[1] // key.shape[1]
    keys, values = (x.repeat_interleave(groups, dim=1) for x in (key, value))
    scores = query @ keys.transpose(2, 3) * options["scaling"]
    if (cap := options.get("softcap")) is not None:
        scores = torch.tanh(scores / cap) * cap
    if mask is not None:
        scores = scores + mask
    return (scores.softmax(-1) @ values).transpose(1, 2).contiguous(), None


AttentionInterface.register("exact", _exact_attention)
AttentionMaskInterface.register("exact", eager_mask)


def exact(model: Any) -> Any:
    """Let a float64 model norm and softmax in float64; returns it."""
    model.set_attn_implementation("exact")
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            module.forward = types.MethodType(_exact_norm, module)
    return model


def logits(decoder: Any, *prompts: Tensor, adapters: Any = None, ends: Any = None) -> list[Tensor]:
    """Run prompts in one forward; return the logits of each, or only of the last token, with `ends` to read them."""
    lengths = [len(prompt) for prompt in prompts]
    positions = torch.cat([torch.arange(length) for length in lengths]).to(prompts[0].device)
    attend = dense(decoder.spec, lengths)
    if ends is None:
        hidden = decoder.forward(torch.cat(prompts), positions, attend, adapters)
        return list(decoder.logits(hidden).split(lengths))
    last = torch.tensor(lengths).cumsum(0) - 1
    return list(decoder.logits(decoder.forward(torch.cat(prompts), positions, attend, adapters, (last, ends))))
