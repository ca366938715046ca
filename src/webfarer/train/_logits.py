"""What logits say: log-probabilities, entropies, tokens that are drawn; and a gradient that is made short.

Functions of tensors; nothing here knows a model. Narrow types are widened first, so sums over a vocabulary hold.
"""

import numpy as np
import torch
from torch import Tensor

BUCKETS = 1024
"""Of a gradient's vocabulary part."""


def log_chances(logits: Tensor) -> Tensor:
    """Return log-probabilities, in 32 bits at least."""
    return torch.log_softmax(wide(logits), -1)


def entropy(logs: Tensor, chances: Tensor) -> Tensor:
    """Return −Σ p log p along the last axis; a token that cannot be, whose logarithm is not finite, adds nothing."""
    return -(chances * logs.clamp(min=torch.finfo(logs.dtype).min)).sum(-1)


def drawn(logs: Tensor, draws: Tensor) -> Tensor:
    """Return a token for each row of log-probabilities, by the inverse of its distribution at a number in [0, 1)."""
    sums = logs.double().exp().cumsum(-1)
    places = torch.searchsorted(sums, draws[:, None] * sums[:, -1:], right=True)
    return torch.clamp(places.squeeze(1), max=sums.shape[1] - 1)


def bucketed(residual: Tensor) -> Tensor:
    """Add up the columns of a large vocabulary in buckets, with random signs, which keeps inner products on average."""
    size = residual.shape[1]
    if size <= BUCKETS:
        return residual
    signs = torch.randint(0, 2, (size,), generator=torch.Generator().manual_seed(0)).to(residual) * 2 - 1
    buckets = torch.arange(size, device=residual.device) % BUCKETS
    return residual.new_zeros(len(residual), BUCKETS).index_add_(1, buckets, residual * signs)


def wide(logits: Tensor) -> Tensor:
    """Return logits in 32 bits at least."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def host(values: Tensor) -> np.ndarray:
    """Return values as an array of float64."""
    found: np.ndarray = values.double().cpu().numpy()
    return found
