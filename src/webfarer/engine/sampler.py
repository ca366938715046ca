"""From logits to tokens: warping, drawing, log-probabilities, for a batch of rows with parameters of their own.

Warping gives what transformers' logits processors give, in their order. Invariant: what a row draws depends on its
own logits, parameters, history and random stream only, never on its neighbours; rows leave the device in one transfer.
Each sequence owns a `random.Random`: Python promises the same numbers for the same seed on every version and machine,
drawing on the host costs no device state, and a stream moves only when its own sequence draws.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple, Protocol

import numpy as np
import torch

from webfarer.engine.sampling import MOST_LOGPROBS, SamplingParams

_FEW = 1024
"""So many of the likeliest ids usually hold all that top-p keeps, and are found in a tenth of a sort's time."""


class Chances(Protocol):
    """Where a row's numbers in [0, 1) come from."""

    def random(self) -> float:
        """Return the next one."""


@dataclass(slots=True)
class Row:
    """What the sampler has to know of one row.

    Attributes:
        params: of its sequence.
        random: the sequence's own stream.
        seen: which ids its prompt and output hold, [vocab] bool; needed only for a repetition penalty.
        banned: ids that may not be drawn now.
    """

    params: SamplingParams
    random: Chances
    seen: torch.Tensor | None = None
    banned: Collection[int] = ()


class Drawn(NamedTuple):
    """One row's token, or None when its logits were not numbers."""

    id: int | None
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


def sample(logits: torch.Tensor, rows: Sequence[Row]) -> list[Drawn]:
    """Draw one token for each row of `logits` [rows, vocab].

    Greedy rows take the likeliest token, of equals the one with the lowest id. NaN, +inf or nothing but -inf in a row
    gives no token for that row and leaves the others alone.
    """
    scores = _adjust(logits, rows)
    ids = _likeliest(scores)
    # of numbers of which one is NaN that one is the likeliest
    peaks = logits.gather(1, ids[:, None])[:, 0] if scores is logits else logits.amax(dim=-1)
    drawing = [i for i, row in enumerate(rows) if not row.params.greedy]
    if drawing:
        at = to_device(drawing, torch.int64, logits.device)
        probs = _truncate(scores[at], [rows[i].params for i in drawing])
        chances = to_device([rows[i].random.random() for i in drawing], torch.float64, logits.device)
        ids = ids.index_copy(0, at, pick(probs, chances))
    tokens = [int(id) if isfinite(peak) else None for id, peak in _to_host(ids, peaks)]
    return _reported(tokens, logits, ids, rows)


def _likeliest(scores: torch.Tensor) -> torch.Tensor:
    """Return the id of the largest number of each row of `scores` [rows, vocab], of equals the lowest, or of a NaN."""
    if scores.device.type == "cpu":  # a tenth of the time: NumPy compares many numbers at once
        return torch.from_numpy(scores.numpy().argmax(-1))
    return scores.argmax(dim=-1)


def warp(logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
    """Return the distributions [rows, vocab] that rows with these `logits` [rows, vocab] are drawn from.

    Pure; for greedy parameters all mass is on the likeliest token, of equals the one with the lowest id.
    """
    scores = _adjust(logits, rows)
    probs = torch.zeros_like(scores).scatter(1, _likeliest(scores)[:, None], 1.0)
    drawing = [i for i, row in enumerate(rows) if not row.params.greedy]
    if drawing:
        at = to_device(drawing, torch.int64, logits.device)
        probs = probs.index_copy(0, at, _truncate(scores[at], [rows[i].params for i in drawing]))
    return probs


def judged(logits: torch.Tensor, tokens: Sequence[int], rows: Sequence[Row]) -> list[Drawn]:
    """Return tokens that were chosen otherwise, one for each row, with the log-probabilities that rows ask for."""
    return _reported(tokens, logits, to_device(list(tokens), torch.int64, logits.device), rows)


def pick(probs: torch.Tensor, chances: torch.Tensor) -> torch.Tensor:
    """Return, for each row of `probs` [rows, vocab], the id at which its cumulative sum passes `chances` [rows].

    Chances lie in [0, 1). An id of probability 0 is never returned; rows need not sum to exactly 1.
    """
    sums = probs.double().cumsum(dim=-1)
    total = sums[:, -1:].contiguous()
    ids = torch.searchsorted(sums, chances[:, None] * total, right=True)
    # a chance within rounding of 1 would fall behind the last id that has any mass
    last = torch.searchsorted(sums, total)
    # where a row is not numbers nothing is found; its id is not used, but must be one
    return torch.minimum(ids, last).clamp_(max=probs.shape[-1] - 1)[:, 0]


def seen_mask(tokens: Collection[int], vocab: int, device: torch.device) -> torch.Tensor:
    """Return which of `vocab` ids `tokens` holds, [vocab] bool."""
    mask = torch.zeros(vocab, dtype=torch.bool, device=device)
    return mask.index_fill(0, to_device(list(tokens), torch.int64, device), True)


def to_device(
    values: list[int] | list[float] | list[list[int]], dtype: torch.dtype, device: torch.device
) -> torch.Tensor:
    """Bring host values to the device without waiting for it."""
    wide = np.array(values, np.float64 if dtype.is_floating_point else np.int64)  # reads a list faster than torch does
    if device.type == "cpu":
        return torch.from_numpy(wide).to(dtype)
    tensor = torch.tensor(wide, dtype=dtype, pin_memory=device.type == "cuda")
    return tensor.to(device, non_blocking=True)


def _adjust(logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
    """Apply repetition penalties and bans; returns `logits` itself when no row has any."""
    scores = logits
    device = logits.device
    masks = {i: row.seen for i, row in enumerate(rows) if row.seen is not None}
    if masks:
        at = to_device(list(masks), torch.int64, device)
        penalty = to_device([rows[i].params.repetition_penalty for i in masks], logits.dtype, device)[:, None]
        part = scores[at]
        penalised = torch.where(part < 0, part * penalty, part / penalty)
        scores = scores.index_copy(0, at, torch.where(torch.stack(list(masks.values())), penalised, part))
    banned = [(i, token) for i, row in enumerate(rows) for token in row.banned]
    if banned:
        cells = to_device([i * logits.shape[-1] + token for i, token in banned], torch.int64, device)
        scores = scores.flatten().index_fill(0, cells, float("-inf")).view_as(scores)
    return scores


def _truncate(scores: torch.Tensor, params: Sequence[SamplingParams]) -> torch.Tensor:
    """Temperature, top-k, top-p, min-p, in that order; rows [rows, vocab] come back as probabilities."""
    scores = scores / _column([p.temperature for p in params], scores)
    if any(p.top_k or p.top_p < 1 for p in params):
        vocab = scores.shape[-1]
        few = min(vocab, max(_FEW, *(p.top_k for p in params)))
        # a GPU sorts quickly, and asking it whether a few are enough would make it wait
        width = few if scores.device.type == "cpu" else vocab
        least, enough = _least(scores, params, width)
        if width < vocab and not bool(enough.all()):
            least, _ = _least(scores, params, vocab)
        scores = scores.masked_fill(scores < least, float("-inf"))
    probs = scores.softmax(dim=-1)
    if any(p.min_p for p in params):
        least = _column([p.min_p for p in params], scores) * probs.amax(dim=-1, keepdim=True)
        probs = scores.masked_fill(probs < least, float("-inf")).softmax(dim=-1)
    return probs


def _least(scores: torch.Tensor, params: Sequence[SamplingParams], width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the least score [rows, 1] that top-k and then top-p keep, and whether looking at `width` was enough.

    What equals the least one stays too, so that the choice does not hang on the order of equals.
    """
    values = scores.topk(width, dim=-1).values
    places = to_device([min(p.top_k or width, width) - 1 for p in params], torch.int64, scores.device)
    unbounded = _column([0.0 if p.top_k else float("inf") for p in params], scores)
    kth = values.gather(1, places[:, None]) - unbounded
    total = scores.masked_fill(scores < kth, float("-inf")).logsumexp(dim=-1, keepdim=True)
    sums = (values - total).exp().masked_fill(values < kth, 0.0).cumsum(dim=-1)
    share = _column([p.top_p for p in params], scores)
    # one stays as long as those before it have not filled the share; the first always does
    kept = 1 + (sums[:, :-1] < share).sum(dim=-1, keepdim=True)
    nucleus = torch.where(share < 1, values.gather(1, kept - 1), kth)
    limited = _column([float(p.top_k > 0) for p in params], scores) > 0
    return torch.maximum(kth, nucleus), (share >= 1) | limited | (sums[:, -1:] >= share)


def _column(values: list[float], like: torch.Tensor) -> torch.Tensor:
    """Return one value per row, [rows, 1]."""
    return to_device(values, like.dtype, like.device)[:, None]


def _to_host(ids: torch.Tensor, peaks: torch.Tensor) -> Iterable[tuple[float, float]]:
    """Return the ids and the numbers of all rows in pairs, by one transfer; ids are exact in float32."""
    if ids.device.type == "cpu":
        return zip(ids.tolist(), peaks.tolist(), strict=True)
    return torch.stack([ids.to(peaks.dtype), peaks], -1).tolist()


def _reported(
    tokens: Sequence[int | None], logits: torch.Tensor, ids: torch.Tensor, rows: Sequence[Row]
) -> list[Drawn]:
    """Return the tokens with log-probabilities and alternatives, before any warping, for the rows that asked."""
    drawn = [Drawn(token) for token in tokens]
    asking = [i for i, row in enumerate(rows) if row.params.logprobs is not None]
    if not asking:
        return drawn
    at = to_device(asking, torch.int64, logits.device)
    part = logits[at]
    total = part.logsumexp(dim=-1, keepdim=True)
    chosen = (part.gather(1, ids[at][:, None]) - total)[:, 0]
    # always the same width: which of equals come first must not depend on what neighbours ask for
    values, tops = part.topk(min(MOST_LOGPROBS, logits.shape[-1]), dim=-1)
    for i, logprob, *top in zip(asking, chosen.tolist(), tops.tolist(), (values - total).tolist(), strict=True):
        if tokens[i] is not None:
            drawn[i] = Drawn(tokens[i], logprob, tuple(zip(*top, strict=True))[: rows[i].params.logprobs])
    return drawn
