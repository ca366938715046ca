"""Prompt slots outside a row's own: a prefix that several rows share, or heads with different numbers of slots.

Both are frozen: written once, read by every step, dropped never. A step attends to them beside the row's own slots and
puts the two results together by their log-sum-exp, which is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from webfarer.engine.attention import Heads, capped, head_attention, merge


@dataclass(eq=False)
class Prefix:
    """A prompt's slots, stored once for all rows that begin with it.

    Attributes:
        tokens: of the prompt; the logical length is their number.
        keys, values: per layer, [H, n, D].
        positions: per layer, [H, n], ascending; fewer than the tokens where a policy dropped some.
    """

    tokens: tuple[int, ...]
    keys: list[torch.Tensor] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)
    positions: list[torch.Tensor] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Bytes of keys, values and positions."""
        return sum(t.numel() * t.element_size() for part in (self.keys, self.values, self.positions) for t in part)

    def head(self, length: int) -> "Prefix":
        """Return the first `length` tokens of a prefix that holds all of them, as views of the same memory."""
        return Prefix(
            self.tokens[:length],
            [k[:, :length] for k in self.keys],
            [v[:, :length] for v in self.values],
            [p[:, :length] for p in self.positions],
        )


def attend_prefix(
    q: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, heads: Heads
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention of several rows over one shared prefix: q [g, H, G, D] stacked over keys [H, n, D].

    Returns:
        out [g, H, G, D] and its log-sum-exp [g, H, G], in float32 or wider.
    """
    rows, kv, groups, dim = q.shape
    wide = torch.promote_types(q.dtype, torch.float32)
    stacked = q.transpose(0, 1).reshape(kv, rows * groups, dim)
    logits = capped(torch.bmm(stacked, keys.transpose(1, 2)).to(wide) * heads.scale, heads.softcap)
    lse = logits.logsumexp(-1)
    out = torch.bmm((logits - lse[..., None]).exp().to(values.dtype), values).to(wide)
    shape = (kv, rows, groups)
    return out.view(*shape, dim).transpose(0, 1), lse.view(shape).transpose(0, 1)


@dataclass(eq=False)
class Ragged:
    """One layer's prompt slots under per-head budgets, all heads of a row in one flat list of exactly their total.

    Attributes:
        keys, values: per row, [N, D]. owner: per row, [N], the head. positions: per row, [N].
    """

    keys: list[torch.Tensor] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)
    owner: list[torch.Tensor] = field(default_factory=list)
    positions: list[torch.Tensor] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Bytes of everything."""
        parts = (self.keys, self.values, self.owner, self.positions)
        return sum(t.numel() * t.element_size() for part in parts for t in part)

    def enter(self, like: torch.Tensor) -> None:
        """Add a row that holds nothing yet; `like` [..., D] has the type of its keys."""
        nothing, none = like.new_zeros(0, like.shape[-1]), like.new_zeros(0, dtype=torch.int32)
        parts = nothing, nothing, none, none
        for rows, part in zip((self.keys, self.values, self.owner, self.positions), parts, strict=True):
            rows.append(part)

    def put(self, row: int, chosen: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Set a row, from keys, values [H, P, D] and `chosen` [H, P], True where the slot stays."""
        head, position = chosen.nonzero(as_tuple=True)
        parts = (keys[head, position], values[head, position], head.to(torch.int32), position.to(torch.int32))
        for rows, part in zip((self.keys, self.values, self.owner, self.positions), parts, strict=True):
            rows[row] = part

    def leave(self, row: int) -> None:
        """Take a row out; the last row takes its index."""
        for rows in (self.keys, self.values, self.owner, self.positions):
            rows[row] = rows[-1]
            rows.pop()

    def select(self, rows: Sequence[int]) -> None:
        """Make row i what row `rows[i]` was; nothing is copied, for nothing is ever written."""
        for name in ("keys", "values", "owner", "positions"):
            old = getattr(self, name)
            setattr(self, name, [old[row] for row in rows])

    def attend(self, q: torch.Tensor, heads: Heads) -> tuple[torch.Tensor, torch.Tensor]:
        """Attention of q [B, H, G, D], row by row."""
        parts = [
            head_attention(q[b : b + 1], self.keys[b][None], self.values[b][None], self.owner[b][None], heads)
            for b in range(q.shape[0])
        ]
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def merge_rows(
    own: tuple[torch.Tensor, torch.Tensor], rows: torch.Tensor, other: tuple[torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Merge a partial attention of some rows into that of all rows."""
    out, lse = merge((own[0].index_select(0, rows), own[1].index_select(0, rows)), other)
    return own[0].index_copy(0, rows, out), own[1].index_copy(0, rows, lse)
