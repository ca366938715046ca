"""The slots of a plan's layers: keys, values, positions and scores of all rows, in tensors whose shapes stay.

Machinery under :mod:`webfarer.engine.memory`; it is told by a plan where to write and how much to drop. A slot is
either empty (position -1, bias -inf) or holds one token of one KV head. Dropping marks the slot and puts it on the
row's stack; the next token overwrites it there. No step moves, copies or concatenates what is kept. Keys and values
are tensors of each layer's own; what is small lies together, so that a step marks the slots of all layers at once.
While all rows take one and the same next slot, marks wait until somebody looks: a full cache never does in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from webfarer.engine.plans import Drops, Places, Step
from webfarer.engine.spec import Spec

CHUNK = 64
EMPTY = -1
_LATE = torch.iinfo(torch.int32).max
_ALL = slice(None)


def rounded(count: int) -> int:
    """Return `count` rounded up to whole chunks."""
    return -(-count // CHUNK) * CHUNK


@dataclass(slots=True, eq=False)
class _Unmarked:
    """Tokens of the rows 0…N-1 that are in their slots but not marked: one a row in each of so many `steps`.

    `now` [N, 1, 1] and `slot` are those of the first step; both grow by one from step to step.
    """

    now: torch.Tensor
    slot: int
    steps: int = 1


class Slots:
    """The slots of some layers for `rows` rows; capacity left and right of the split grows in chunks when reserved.

    Attributes:
        shelves: of each layer, its part.
        stack: of empty slots, [layers, rows, H, places].
        split: how many slots lie before a prompt's end.
    """

    def __init__(self, spec: Spec, rows: int, layers: int = 1) -> None:
        """Make room for `rows` rows of no slots yet."""
        self.spec, self.rows = spec, rows
        self.shelves = [Shelf(self, index) for index in range(layers)]
        self.release()

    def release(self) -> None:
        """Give all memory back; every row must be empty."""
        spec, device = self.spec, self.spec.device
        shape = len(self.shelves), self.rows, spec.kv_heads, 0
        wide = torch.promote_types(spec.dtype, torch.float32)
        self.split = 0
        self._unmarked: _Unmarked | None = None
        self._positions = torch.zeros(shape, dtype=torch.int32, device=device)
        self._bias = torch.zeros(shape, dtype=spec.dtype, device=device)
        self._scores = torch.zeros(shape, dtype=wide, device=device)
        self.stack = torch.zeros(*shape[:3], 1, dtype=torch.int64, device=device)
        for shelf in self.shelves:
            shelf.keys = torch.zeros(*shape[1:], spec.head_dim, dtype=spec.dtype, device=device)
            shelf.values = torch.zeros_like(shelf.keys)
        self._number()

    def _number(self) -> None:
        """Number the first slot of each row and head, [rows, H], and of each layer, [layers, 1]."""
        layers, rows, heads, capacity = self._positions.shape
        lines = torch.arange(rows * heads, device=self.spec.device)
        self._starts = (lines * capacity).view(rows, heads)
        self._layers = torch.arange(layers, device=self.spec.device)[:, None] * (rows * heads * capacity)

    @property
    def positions(self) -> torch.Tensor:
        """[layers, rows, H, slots], -1 where a slot is empty."""
        self._mark_late()
        return self._positions

    @property
    def bias(self) -> torch.Tensor:
        """[layers, rows, H, slots], 0 or, where a slot is empty, -inf."""
        self._mark_late()
        return self._bias

    @property
    def scores(self) -> torch.Tensor:
        """Attention received, [layers, rows, H, slots]."""
        self._mark_late()
        return self._scores

    @property
    def capacity(self) -> int:
        """Slots per row and head that memory is allocated for."""
        return self._positions.shape[3]

    @property
    def bytes(self) -> int:
        """Bytes allocated, bookkeeping included."""
        tensors = [self._positions, self._bias, self._scores, self.stack]
        tensors += [tensor for shelf in self.shelves for tensor in (shelf.keys, shelf.values)]
        return sum(t.numel() * t.element_size() for t in tensors)

    def reserve(self, left: int, right: int, waiting: int) -> None:
        """Have at least `left` slots before the split, `right` after it, and room for `waiting` dropped ones."""
        pad = torch.nn.functional.pad
        if waiting >= self.stack.shape[3]:  # the last place takes what is not to be kept
            self.stack = pad(self.stack, (0, waiting + 1 - self.stack.shape[3]))
        more_left = max(0, rounded(left) - self.split)
        more_right = max(0, rounded(right) - (self.capacity - self.split))
        if not more_left and not more_right:
            return
        positions = pad(self.positions, (more_left, more_right), value=EMPTY)
        bias = pad(self.bias, (more_left, more_right), value=-torch.inf)
        scores = pad(self.scores, (more_left, more_right))
        grown: list[Shelf] = []
        try:
            for shelf in self.shelves:  # one after the other: never twice what all of them hold
                shelf.resize(more_left, more_right)
                grown.append(shelf)
        finally:
            if len(grown) < len(self.shelves):  # a device that is full must leave all of them as they were
                for shelf in grown:
                    shelf.resize(-more_left, -more_right)
        self._positions, self._bias, self._scores = positions, bias, scores
        self.stack += more_left
        self.split += more_left
        self._number()

    def clear(self, row: int) -> None:
        """Empty a row."""
        self.positions[:, row] = EMPTY
        self.bias[:, row] = -torch.inf

    def move(self, source: int, target: int) -> None:
        """Copy a row over another."""
        for tensor in (self.positions, self.bias, self.scores, self.stack):
            tensor[:, target] = tensor[:, source]
        for shelf in self.shelves:
            shelf.keys[target], shelf.values[target] = shelf.keys[source], shelf.values[source]

    def select(self, rows: torch.Tensor) -> None:
        """Make row i a copy of what row `rows[i]` was; there are as many rows as that names."""
        self._mark_late()
        for name in ("_positions", "_bias", "_scores", "stack"):
            setattr(self, name, getattr(self, name).index_select(1, rows))
        for shelf in self.shelves:
            shelf.keys, shelf.values = shelf.keys.index_select(0, rows), shelf.values.index_select(0, rows)
        self.rows = len(rows)
        self._number()

    def where(self, places: Places, layers: slice = _ALL) -> torch.Tensor:
        """Return the slot each new token goes to in each layer, [layers, N, H]."""
        fresh, top, count = places.fresh, places.top, len(places.now)
        shape = len(self.shelves[layers]), count, self.spec.kv_heads
        if isinstance(fresh, int):
            return torch.full(shape, fresh, device=self.spec.device)
        if top is None:
            assert fresh is not None  # there is one where none waits
            return fresh.expand(shape)
        stack = self.stack[layers]
        stack = stack[:, :count] if places.rows is None else stack.index_select(1, places.rows)
        waiting = stack.gather(3, top.expand(*shape, 1))[..., 0]
        return waiting if fresh is None or places.reuse is None else torch.where(places.reuse, waiting, fresh)

    def flat(self, slot: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Return slots [layers, N, H] of rows [N] (None for 0…N-1) as indices into a layer's, [layers, N * H]."""
        starts = self._starts[: slot.shape[1]] if rows is None else self._starts.index_select(0, rows)
        return (starts + slot).flatten(1)

    def enter(self, places: Places, layers: slice = _ALL) -> Sequence[torch.Tensor | int]:
        """Mark the slots of new tokens as theirs; return which, for each layer's :meth:`Shelf.write`."""
        if isinstance(places.fresh, int) and layers == _ALL:
            late = self._unmarked
            if late is not None and len(late.now) == len(places.now) and late.slot + late.steps == places.fresh:
                late.steps += 1
            else:
                self._mark_late()
                self._unmarked = _Unmarked(places.now, places.fresh)
            return [places.fresh] * len(self.shelves)
        slot = self.where(places, layers)
        index = self.flat(slot, places.rows)
        every = (index + self._layers[layers]).flatten()
        newest = (places.now[:, :, 0] - 1).expand(slot.shape).flatten()
        self.positions.view(-1).index_copy_(0, every, newest)
        self.bias.view(-1).index_fill_(0, every, 0)
        self.scores.view(-1).index_fill_(0, every, 0)
        return index.unbind()

    def _mark_late(self) -> None:
        late, self._unmarked = self._unmarked, None
        if late is not None:
            self._mark(late)

    @torch.inference_mode()
    def _mark(self, late: _Unmarked) -> None:
        newest = late.now - 1
        if late.steps > 1:
            newest = newest + torch.arange(late.steps, dtype=torch.int32, device=newest.device)
        span = _ALL, slice(len(late.now)), _ALL, slice(late.slot, late.slot + late.steps)
        self._positions[span] = newest
        self._bias[span] = 0
        self._scores[span] = 0

    def drop(self, step: Step, scores: torch.Tensor, layers: slice = _ALL) -> None:
        """Drop what each row gives up, if anything: its lowest scores among those the step allows, oldest first.

        Args:
            step: how many each row drops, which slots and which positions may go.
            scores: [layers, B, H, slots of the step's pool].
            layers: which layers.
        """
        drops = step.drops
        if drops is None:
            return
        positions = self.positions[layers, : scores.shape[1], :, step.pool : step.hi]
        allowed = positions < drops.last
        if drops.first is not None:
            allowed &= positions >= drops.first
        ranked = scores.where(allowed, torch.inf)
        if drops.most == 1:
            lowest = ranked.amin(-1, keepdim=True)
            chosen = positions.where(ranked == lowest, _LATE).argmin(-1, keepdim=True)
        else:
            late = positions.where(allowed, _LATE)
            by_age = late.argsort(dim=-1, stable=True)
            order = ranked.gather(-1, by_age).argsort(dim=-1, stable=True)[..., : drops.most]
            chosen = by_age.gather(-1, order)
        self._empty(drops, chosen + step.pool if step.pool else chosen, layers)

    def _empty(self, drops: Drops, chosen: torch.Tensor, layers: slice) -> None:
        """Empty the slots `chosen` [layers, B, H, most], of which each row gives up as many as it is to drop."""
        count = chosen.shape[1]
        positions, bias, stack = (t[layers, :count] for t in (self.positions, self.bias, self.stack))
        places = drops.bottom.expand(*chosen.shape[:3], -1)
        if drops.most > 1 or not drops.even:
            ranks = torch.arange(drops.most, device=chosen.device)
            places = places + ranks
        if drops.even:
            positions.scatter_(3, chosen, EMPTY)
            bias.scatter_(3, chosen, -torch.inf)
            stack.scatter_(3, places, chosen)
            return
        goes = (ranks < drops.counts).expand_as(chosen)
        positions.scatter_(3, chosen, torch.where(goes, EMPTY, positions.gather(3, chosen)))
        bias.scatter_(3, chosen, torch.where(goes, -torch.inf, bias.gather(3, chosen)).to(bias.dtype))
        stack.scatter_(3, places.where(goes, stack.shape[3] - 1), chosen)


class Shelf:
    """One layer's part of the slots.

    Attributes:
        keys, values: [rows, H, slots, D].
    """

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self, slots: Slots, index: int) -> None:
        self.all, self.index = slots, index
        self.mine = slice(index, index + 1)

    @property
    def split(self) -> int:
        """How many slots lie before a prompt's end."""
        return self.all.split

    @property
    def capacity(self) -> int:
        """Slots per row and head that memory is allocated for."""
        return self.keys.shape[2]

    @property
    def positions(self) -> torch.Tensor:
        """[rows, H, slots], -1 where a slot is empty."""
        return self.all.positions[self.index]

    @property
    def bias(self) -> torch.Tensor:
        """[rows, H, slots], 0 or, where a slot is empty, -inf."""
        return self.all.bias[self.index]

    @property
    def scores(self) -> torch.Tensor:
        """Attention received, [rows, H, slots]."""
        return self.all.scores[self.index]

    @property
    def stack(self) -> torch.Tensor:
        """Empty slots that wait for the next token, [rows, H, places]."""
        return self.all.stack[self.index]

    def resize(self, left: int, right: int) -> None:
        """Add so many slots on both sides, or take them away."""
        sides = (0, 0, left, right)
        keys = torch.nn.functional.pad(self.keys, sides)
        self.values = torch.nn.functional.pad(self.values, sides)
        self.keys = keys

    def clear(self, row: int) -> None:
        """Empty a row."""
        self.positions[row] = EMPTY
        self.bias[row] = -torch.inf

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
        positions = self.positions[row]
        order = positions.where(positions >= 0, _LATE).argsort(-1)[:, :held]
        wide = order[..., None].expand(-1, -1, self.keys.shape[3])
        return (
            self.keys[row].gather(1, wide),
            self.values[row].gather(1, wide),
            positions.gather(1, order),
            self.scores[row].gather(1, order),
        )

    def where(self, places: Places) -> torch.Tensor:
        """Return the slot each new token goes to in this layer, [N, H]."""
        return self.all.where(places, self.mine)[0]

    def flat(self, slot: torch.Tensor) -> torch.Tensor:
        """Return slots [N, H] of rows 0…N-1 as indices into this layer's, [N * H]."""
        return self.all.flat(slot[None])[0]

    def write(self, index: torch.Tensor | int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Write new tokens, keys and values [N, H, D], to slots that were entered: [N * H], or one of rows 0…N-1."""
        if isinstance(index, int):
            self.keys[: len(keys), :, index] = keys
            self.values[: len(keys), :, index] = values
            return
        dim = keys.shape[2]
        self.keys.view(-1, dim).index_copy_(0, index, keys.reshape(-1, dim))
        self.values.view(-1, dim).index_copy_(0, index, values.reshape(-1, dim))

    def append(self, places: Places, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Write new tokens, keys and values [N, H, D], where the plan says, in this layer alone."""
        self.write(self.all.enter(places, self.mine)[0], keys, values)
