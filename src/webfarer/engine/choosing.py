"""From a policy's scores to slots: which of a prompt stay, which of many a step reads, and at which positions.

Pins are the engine's, not the policy's: what must stay gets an infinite score before the highest are taken. Between
equal scores the newer token stays. Chosen slots are unique and ascend by position.
"""

import torch

from webfarer.engine.policy import CachePolicy
from webfarer.engine.spec import Rotary
from webfarer.engine.view import View


def choose(policy: CachePolicy, view: View, keep: int) -> torch.Tensor:
    """Choose what stays of a prompt.

    Args:
        policy: scores and pins.
        view: the prompt, [1, H, S].
        keep: how many slots every head keeps (ragged policies: on average).

    Returns:
        Indices [H, keep], ascending; for ragged policies a mask [H, S], True for what stays.
    """
    heads, count = view.positions.shape[1:]
    everything = torch.arange(count, device=view.keys.device).expand(heads, count)
    if keep >= count:
        return torch.ones_like(everything, dtype=torch.bool) if policy.ragged else everything
    scores = policy.score(view)[0].clone()
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    window = min(policy.window, keep)  # where there is no room for all pins, the latest stay
    pinned = (everything >= count - window) | (view.positions[0] < min(policy.sinks, keep - window))
    scores.masked_fill_(pinned, torch.inf)
    by_score = scores.flip(-1).argsort(dim=-1, descending=True, stable=True)
    best = count - 1 - by_score
    if not policy.ragged:
        return best[:, :keep].sort(-1).values
    counts = policy.allot(view, scores[None], keep * heads)[0]
    rank = torch.empty_like(best).scatter_(1, best, everything)
    return rank < counts[:, None]


def select(policy: CachePolicy, view: View) -> torch.Tensor:
    """Choose the slots one step reads, [B, H, policy.read]: sinks, the recent, and the best of the others."""
    scores = policy.score(view).to(torch.float32)
    pinned = (view.positions < policy.sinks) | (view.positions >= view.now - policy.recent)
    scores = scores.masked_fill(pinned, torch.inf).masked_fill(view.positions < 0, -torch.inf)
    return scores.topk(int(policy.read or 1), dim=-1).indices


def rotate(x: torch.Tensor, shift: torch.Tensor, rotary: Rotary) -> torch.Tensor:
    """Rotate keys [..., D] that already carry their positions by `shift` [...] more positions, in float32 or wider.

    Rotations add up (RoPE, arXiv 2104.09864), so this gives the key as if it had been computed `shift` positions later.
    """
    wide = torch.promote_types(x.dtype, torch.float32)
    angle = shift[..., None].to(wide) * rotary.inv_freq.to(x.device, wide)
    cos, sin = angle.cos(), angle.sin()
    half = rotary.dims // 2
    one, two, rest = x[..., :half].to(wide), x[..., half : rotary.dims].to(wide), x[..., rotary.dims :]
    return torch.cat([(one * cos - two * sin).to(x.dtype), (two * cos + one * sin).to(x.dtype), rest], -1)


def rotate_to_ranks(
    keys: torch.Tensor, positions: torch.Tensor, now: torch.Tensor, held: torch.Tensor, rotary: Rotary
) -> torch.Tensor:
    """Move keys [B, H, S, D] to contiguous positions that end where the latest query stands.

    A query that stays at its own position sees every key at the distance it would have if the kept tokens were all
    there is. `now` [B, 1, 1] is the position after the latest key's, `held` [B, 1, 1] the number of filled slots.
    """
    late = positions.where(positions >= 0, torch.iinfo(torch.int32).max)
    rank = late.argsort(-1).argsort(-1)
    return rotate(keys, rank - positions + (now - held), rotary)
