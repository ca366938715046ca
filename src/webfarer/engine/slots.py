"""The slots of one layer: keys, values, positions and scores of all rows, in tensors whose shapes stay.

Machinery under :mod:`webfarer.engine.memory`; it is told by a plan where to write and how much to drop. A slot is
either empty (position -1, bias -inf) or holds one token of one KV head. Dropping marks the slot and puts it on the
row's stack; the next token overwrites it there. No step moves, copies or concatenates what is kept.
"""

from collections.abc import Sequence

import torch

from webfarer.engine.plans import Places, Step
from webfarer.engine.spec import Spec

CHUNK = 64
EMPTY = -1
_LATE = torch.iinfo(torch.int32).max


def rounded(count: int) -> int:
    """Return `count` rounded up to whole chunks."""
    return -(-count // CHUNK) * CHUNK


class Slots:
    """One layer's slots for `rows` rows; capacity left and right of the split grows in chunks when it is reserved."""

    def __init__(self, spec: Spec, rows: int) -> None:
        """Make room for `rows` rows of no slots yet."""
        self.spec, self.rows, self.split = spec, rows, 0
        wide = torch.promote_types(spec.dtype, torch.float32)
        heads, device = spec.kv_heads, spec.device
        self.keys = torch.zeros(rows, heads, 0, spec.head_dim, dtype=spec.dtype, device=device)
        self.values = torch.zeros_like(self.keys)
        self.positions = torch.zeros(rows, heads, 0, dtype=torch.int32, device=device)
        self.bias = torch.zeros(rows, heads, 0, dtype=spec.dtype, device=device)
        self.scores = torch.zeros(rows, heads, 0, dtype=wide, device=device)
        self.stack = torch.zeros(rows, heads, 1, dtype=torch.int64, device=device)

    @property
    def capacity(self) -> int:
        """Slots per row and head that memory is allocated for."""
        return self.keys.shape[2]

    @property
    def bytes(self) -> int:
        """Bytes allocated, bookkeeping included."""
        tensors = (self.keys, self.values, self.positions, self.bias, self.scores, self.stack)
        return sum(t.numel() * t.element_size() for t in tensors)

    def reserve(self, left: int, right: int, waiting: int) -> None:
        """Have at least `left` slots before the split, `right` after it, and room for `waiting` dropped ones."""
        pad = torch.nn.functional.pad
        if waiting >= self.stack.shape[2]:  # the last place takes what is not to be kept
            self.stack = pad(self.stack, (0, waiting + 1 - self.stack.shape[2]))
        more_left = max(0, rounded(left) - self.split)
        more_right = max(0, rounded(right) - (self.capacity - self.split))
        if not more_left and not more_right:
            return
        keys = pad(self.keys, (0, 0, more_left, more_right))
        values = pad(self.values, (0, 0, more_left, more_right))
        positions = pad(self.positions, (more_left, more_right), value=EMPTY)
        bias = pad(self.bias, (more_left, more_right), value=-torch.inf)
        scores = pad(self.scores, (more_left, more_right))
        # only now: a device that is full must leave all of them as they were
        self.keys, self.values, self.positions, self.bias, self.scores = keys, values, positions, bias, scores
        self.stack += more_left
        self.split += more_left

    def release(self) -> None:
        """Give all memory back; every row must be empty."""
        self.__init__(self.spec, self.rows)  # type: ignore[misc]  # as it was made

    def clear(self, row: int) -> None:
        """Empty a row."""
        self.positions[row] = EMPTY
        self.bias[row] = -torch.inf

    def move(self, source: int, target: int) -> None:
        """Copy a row over another."""
        for tensor in (self.keys, self.values, self.positions, self.bias, self.scores, self.stack):
            tensor[target] = tensor[source]

    def select(self, rows: torch.Tensor) -> None:
        """Make row i a copy of what row `rows[i]` was; there are as many rows as that names."""
        names = ("keys", "values", "positions", "bias", "scores", "stack")
        for name in names:
            setattr(self, name, getattr(self, name).index_select(0, rows))
        self.rows = len(rows)

    def fill(self, row: int, kept: Sequence[torch.Tensor]) -> None:
        """Write a row anew: keys, values [H, n, D], positions, scores [H, n], so that they end at the split."""
        keys, values, positions, scores = kept
        self.clear(row)
        span = slice(self.split - keys.shape[1], self.split)
        self.keys[row, :, span] = keys
        self.values[row, :, span] = values
        self.positions[row, :, span] = positions.to(torch.int32)
        self.bias[row, :, span] = 0
        self.scores[row, :, span] = scores

    def present(self, row: int, held: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return keys, values [H, held, D], positions, scores [H, held] of a row, ascending by position."""
        late = self.positions[row].where(self.positions[row] >= 0, _LATE)
        order = late.argsort(-1)[:, :held]
        wide = order[..., None].expand(-1, -1, self.keys.shape[3])
        return (
            self.keys[row].gather(1, wide),
            self.values[row].gather(1, wide),
            self.positions[row].gather(1, order),
            self.scores[row].gather(1, order),
        )

    def where(self, places: Places) -> torch.Tensor:
        """Return the slot each new token goes to, [N, H]."""
        heads = self.keys.shape[1]
        if places.reuse is None:
            return places.fresh.expand(-1, heads)
        count = len(places.fresh)
        stack = self.stack[:count] if places.rows is None else self.stack.index_select(0, places.rows)
        waiting = stack.gather(2, places.top.expand(count, heads, 1))[:, :, 0]
        return torch.where(places.reuse, waiting, places.fresh)

    def flat(self, slot: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return slots [N, H] of rows [N] (None for 0…N-1) as indices into all slots, [N * H]."""
        count, heads = slot.shape
        if rows is None:
            lines = torch.arange(count * heads, device=slot.device).view(count, heads)
        else:
            lines = rows[:, None] * heads + torch.arange(heads, device=slot.device)
        return (lines * self.capacity + slot).flatten()

    def append(self, places: Places, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Write new tokens, keys and values [N, H, D], where the plan says."""
        count, heads, dim = keys.shape
        index = self.flat(self.where(places), places.rows)
        self.keys.view(-1, dim).index_copy_(0, index, keys.reshape(-1, dim))
        self.values.view(-1, dim).index_copy_(0, index, values.reshape(-1, dim))
        newest = (places.now[:, :, 0] - 1).expand(count, heads).flatten()
        self.positions.view(-1).index_copy_(0, index, newest)
        self.bias.view(-1).index_fill_(0, index, 0)
        self.scores.view(-1).index_fill_(0, index, 0)

    def drop(self, step: Step, scores: torch.Tensor, span: slice) -> None:
        """Drop what each row gives up: its lowest scores among the slots of `span` the step allows, oldest first.

        Args:
            step: how many each row drops, and which positions may go.
            scores: [B, H, slots of `span`].
            span: which slots.
        """
        count = scores.shape[0]
        positions = self.positions[:count, :, span]
        allowed = (positions >= step.first) & (positions < step.last)
        ranked = scores.where(allowed, torch.inf)
        if step.most == 1:
            lowest = ranked.amin(-1, keepdim=True)
            chosen = positions.where(ranked == lowest, _LATE).argmin(-1, keepdim=True)
        else:
            late = positions.where(allowed, _LATE)
            by_age = late.argsort(dim=-1, stable=True)
            order = ranked.gather(-1, by_age).argsort(dim=-1, stable=True)[..., : step.most]
            chosen = by_age.gather(-1, order)
        self._mark(step, chosen + span.start if span.start else chosen)

    def _mark(self, step: Step, chosen: torch.Tensor) -> None:
        """Empty the slots `chosen` [B, H, most], of which each row gives up as many as it is to drop."""
        count, heads = chosen.shape[:2]
        positions, bias, stack = self.positions[:count], self.bias[:count], self.stack[:count]
        places = step.bottom.expand(count, heads, -1)
        if step.most > 1 or not step.even:
            ranks = torch.arange(step.most, device=chosen.device)
            places = places + ranks
        if step.even:
            positions.scatter_(2, chosen, EMPTY)
            bias.scatter_(2, chosen, -torch.inf)
            stack.scatter_(2, places, chosen)
            return
        goes = (ranks < step.drops).expand_as(chosen)
        positions.scatter_(2, chosen, torch.where(goes, EMPTY, positions.gather(2, chosen)))
        bias.scatter_(2, chosen, torch.where(goes, -torch.inf, bias.gather(2, chosen)).to(bias.dtype))
        stack.scatter_(2, places.where(goes, stack.shape[2] - 1), chosen)
