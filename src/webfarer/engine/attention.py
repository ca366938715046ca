"""Attention kernels: over a prompt, over slots, over a shared prefix, over heads of different lengths; exact merging.

Pure functions of tensors. Query heads that share a KV head are the G axis, so keys are never repeated. Nothing here
builds a matrix of prompt x prompt: queries are taken in blocks. Merging partial results by their log-sum-exp is exact
(FlashAttention, arXiv 2205.14135; cascade attention).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

BLOCK = 256


@dataclass(frozen=True, slots=True)
class Heads:
    """How a layer attends: the factor on q·k, the logit soft-cap, and how many latest positions a query sees."""

    scale: float
    softcap: float | None = None
    window: int | None = None


def capped(logits: torch.Tensor, softcap: float | None) -> torch.Tensor:
    """Apply the soft-cap, if there is one."""
    return logits if softcap is None else torch.tanh(logits / softcap) * softcap


def _hidden(start: int, stop: int, length: int, window: int | None, device: torch.device) -> torch.Tensor:
    """True where query i of [start, stop) must not see key j of [0, length): the future, or before the window."""
    i = torch.arange(start, stop, device=device)[:, None]
    j = torch.arange(length, device=device)[None]
    return (j > i) if window is None else (j > i) | (j <= i - window)


def prompt_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: Heads) -> torch.Tensor:
    """Causal attention of the last Q tokens of a sequence over all of it.

    Args:
        q: [Hkv, G, Q, D]. k, v: [Hkv, P, D] with P >= Q.
        heads: how the layer attends.

    Returns:
        [Hkv, G, Q, D]
    """
    (kv, groups, count, dim), length = q.shape, k.shape[1]
    plain = heads.softcap is None and (heads.window is None or heads.window >= length)
    if plain and count == length:
        flat = q.reshape(1, kv * groups, count, dim)
        out = functional.scaled_dot_product_attention(
            flat, k[None], v[None], is_causal=True, scale=heads.scale, enable_gqa=groups > 1
        )
        return out.view(kv, groups, count, dim)
    out = torch.empty_like(q)
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        weights = _block(q, k, heads, start, stop)
        out[:, :, start:stop] = (weights.flatten(1, 2) @ v[:, : weights.shape[-1]]).view(kv, groups, stop - start, dim)
    return out


def _block(q: torch.Tensor, k: torch.Tensor, heads: Heads, start: int, stop: int) -> torch.Tensor:
    """Return softmax weights of queries [start, stop) over the keys they may see, [Hkv, G, stop - start, seen]."""
    kv, groups, count, _ = q.shape
    past = k.shape[1] - count
    seen = past + stop
    block = q[:, :, start:stop].flatten(1, 2)
    logits = capped(block @ k[:, :seen].transpose(1, 2) * heads.scale, heads.softcap).view(kv, groups, -1, seen)
    hidden = _hidden(past + start, past + stop, seen, heads.window, q.device)
    return logits.masked_fill(hidden, -torch.inf).softmax(-1)


def received(
    q: torch.Tensor, k: torch.Tensor, heads: Heads, group: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Sum, over the last Q queries, of the attention each key received: column sums of the causal softmax.

    Args:
        q: [Hkv, G, Q, D]. k: [Hkv, P, D].
        heads: how the layer attends.
        group: aggregates [Hkv, G, P] to [Hkv, P].

    Returns:
        [Hkv, P]; memory is one block of queries x P.
    """
    kv, groups, count, _ = q.shape
    wide = torch.promote_types(q.dtype, torch.float32)
    q, k = q.to(wide), k.to(wide)
    sums = torch.zeros(kv, groups, k.shape[1], dtype=wide, device=q.device)
    for start in range(0, count, BLOCK):
        weights = _block(q, k, heads, start, min(start + BLOCK, count))
        sums[:, :, : weights.shape[-1]] += weights.sum(2)
    return group(sums)


def slot_logits(
    q: torch.Tensor, k: torch.Tensor, bias: torch.Tensor | None, scale: float, softcap: float | None
) -> torch.Tensor:
    """Attention logits of a few queries per KV head over slots.

    Args:
        q: [B, H, G, D]. k: [B, H, S, D].
        bias: [B, H, G or 1, S], 0 or -inf (an empty slot, or one the query must not see); None where it is 0.
        scale, softcap: of the layer.

    Returns:
        [B * H, G, S]
    """
    flat_q, flat_k = q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2)
    if softcap is None and bias is not None:
        return torch.baddbmm(bias.flatten(0, 1), flat_q, flat_k, alpha=scale)
    # the factor within the product costs nothing; what would be added is not looked at
    logits = capped(torch.baddbmm(q.new_empty(1, 1, 1), flat_q, flat_k, beta=0, alpha=scale), softcap)
    return logits if bias is None else logits + bias.flatten(0, 1)


def head_attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, owner: torch.Tensor, heads: Heads
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention where every head holds a number of slots of its own, all heads in one flat list.

    Args:
        q: [B, H, G, D]. k, v: [B, N, D]. owner: [B, N], the head a slot belongs to, -1 where it is empty.
        heads: how the layer attends.

    Returns:
        out [B, H, G, D] and its log-sum-exp [B, H, G] (-inf for a head without slots), in float32 or wider.
    """
    rows, kv, groups, dim = q.shape
    wide = torch.promote_types(q.dtype, torch.float32)
    q, k, v = q.to(wide), k.to(wide), v.to(wide)
    index = owner.clamp(min=0).long()
    mine = q.gather(1, index[:, :, None, None].expand(-1, -1, groups, dim))
    logits = capped(torch.einsum("bngd,bnd->bng", mine, k) * heads.scale, heads.softcap)
    logits = logits.masked_fill((owner < 0)[..., None], -torch.inf)
    spread = index[..., None].expand_as(logits)
    top = logits.new_full((rows, kv, groups), -torch.inf).scatter_reduce(1, spread, logits, "amax")
    safe = top.masked_fill(top == -torch.inf, 0)
    weights = (logits - safe.gather(1, spread)).exp()
    total = torch.zeros_like(top).scatter_add(1, spread, weights)
    out = torch.zeros_like(q).scatter_add(
        1, index[:, :, None, None].expand(-1, -1, groups, dim), weights[..., None] * v[:, :, None]
    )
    return out / total.clamp(min=torch.finfo(total.dtype).tiny)[..., None], total.log() + safe


def merge(
    one: tuple[torch.Tensor, torch.Tensor], other: tuple[torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Put two partial attentions, out [..., D] and log-sum-exp [...], over disjoint keys together; one may be empty."""
    lse = torch.logaddexp(one[1], other[1])
    shares = [(part[1] - lse).masked_fill(part[1] == -torch.inf, -torch.inf).exp() for part in (one, other)]
    return one[0] * shares[0][..., None] + other[0] * shares[1][..., None], lse
