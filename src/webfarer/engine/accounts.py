"""What a memory holds, counted, and the proof that the host's counts and the device's slots agree.

Statistics come from the host's counts; :func:`check` reads the device back and is for tests and faults.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from webfarer.core.errors import WebfarerError

if TYPE_CHECKING:
    from webfarer.engine.memory import Memory


@dataclass(frozen=True, slots=True)
class RowStats:
    """What a row holds now, summed over layers and KV heads.

    Attributes:
        stored: slots held. bytes: of their keys and values.
        read: slots that decode steps attended to so far.
        evicted: slots given up while tokens were generated.
    """

    stored: int
    read: int
    bytes: int
    evicted: int


def row_stats(memory: "Memory", row: int) -> RowStats:
    """Return what a row holds; a shared prefix is counted in every row that holds it."""
    spec = memory.spec
    stored = read = evicted = 0
    for plan in memory.plans:
        track, each = plan.tracks[row], spec.kv_heads * len(plan.layers)
        stored += (track.held + track.shared) * each
        read += track.read * each
        evicted += track.dropped * each
    return RowStats(stored, read, stored * spec.slot_bytes, evicted)


def check(memory: "Memory") -> None:
    """Raise WebfarerError when what the host counts and what the device holds differ anywhere."""
    for plan in memory.plans:
        expect(len(plan.tracks) == memory.active, f"{len(plan.tracks)} rows are counted, {memory.active} are active")
    for ragged in filter(None, memory.ragged):
        expect(len(ragged.keys) == memory.active, f"{len(ragged.keys)} flat rows, {memory.active} are active")
    for slots in memory.layers:
        sizes = {tensor.shape[2] for tensor in (slots.keys, slots.values, slots.positions, slots.bias, slots.scores)}
        expect(len(sizes) == 1, f"tensors of one layer hold {sorted(sizes)} slots")
    for layer in range(memory.spec.layers):
        for row in range(memory.active):
            _check_row(memory, layer, row)


def _check_row(memory: "Memory", layer: int, row: int) -> None:
    slots, track = memory.layers[layer], memory.plan_of[layer].tracks[row]
    where, positions = f"layer {layer}, row {row}", slots.positions[row]
    held = (positions >= 0).sum(-1)
    expect(bool((held == track.held).all()), f"{where}: holds {held.tolist()}, not {track.held}")
    expect(torch.equal(positions >= 0, slots.bias[row] == 0), f"{where}: positions and bias differ")
    total = 0
    for head in range(memory.spec.kv_heads):
        kept = memory.kept_positions(layer, row, head)
        total += len(kept)
        expect(len(set(kept)) == len(kept), f"{where}: a position is held twice")
        expect(all(0 <= p < track.length for p in kept), f"{where}: a position out of range")
    counted = (track.held + track.shared) * memory.spec.kv_heads
    expect(total == counted, f"{where}: all heads hold {total}, not {counted}")
    waiting = slots.stack[row, :, : track.free]
    expect(bool((positions.gather(1, waiting) < 0).all()), f"{where}: a free slot is in use")


def expect(holds: bool, what: str) -> None:
    """Raise WebfarerError when an invariant does not hold."""
    if not holds:
        raise WebfarerError(f"the cache broke an invariant (a defect, please report it): {what}")
