"""What a layer's slots were before each of a few steps, so that steps can be undone row by row.

Positions, biases, scores and stacks are copied whole: a few numbers a slot, where keys and values are hundreds. Of
those only what a step overwrites is kept. Invariant: a row that is rewound holds exactly what it held, and what other
rows hold does not change. Not for plans that only ever append: those write late instead (:mod:`webfarer.engine.trial`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from webfarer.engine.plans import Step
from webfarer.engine.slots import Shelf


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """The small tensors before a step, the slots [B, H] it wrote to, and the keys and values that were there."""

    small: tuple[torch.Tensor, ...]
    slot: torch.Tensor
    large: tuple[torch.Tensor, torch.Tensor]


class Journal:
    """The journal of one layer; no slots may be reserved while it is kept."""

    def __init__(self, slots: Shelf) -> None:
        self._slots = slots
        self._entries: list[_Entry] = []

    def note(self, step: Step) -> None:
        """Remember what `step`, which comes next, will change."""
        slots, slot = self._slots, self._slots.where(step.places)
        small = tuple(tensor[: len(slot)].clone() for tensor in self._small())
        index = slots.flat(slot)
        keys, values = (t.view(-1, t.shape[-1]).index_select(0, index) for t in (slots.keys, slots.values))
        self._entries.append(_Entry(small, slot, (keys, values)))

    def rewind(self, columns: Sequence[int]) -> None:
        """Undo of each row every step from the `columns`-th noted one on; a row whose number is not reached stays."""
        slots, device = self._slots, self._slots.keys.device
        first = min(columns)
        back = torch.tensor(columns).to(device, non_blocking=True)
        for column in range(len(self._entries) - 1, first - 1, -1):
            entry = self._entries[column]
            index = slots.flat(entry.slot)
            undone = (back <= column)[:, None].expand(entry.slot.shape).reshape(-1, 1)
            for tensor, old in zip((slots.keys, slots.values), entry.large, strict=True):
                lines = tensor.view(-1, tensor.shape[-1])
                lines.index_copy_(0, index, torch.where(undone, old, lines.index_select(0, index)))
            rows = [row for row, to in enumerate(columns) if to == column]
            if rows:
                chosen = torch.tensor(rows).to(device, non_blocking=True)
                for tensor, old in zip(self._small(), entry.small, strict=True):
                    tensor.index_copy_(0, chosen, old.index_select(0, chosen))

    def _small(self) -> tuple[torch.Tensor, ...]:
        slots = self._slots
        return slots.positions, slots.bias, slots.scores, slots.stack
