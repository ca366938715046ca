"""How many slots every sequence holds, counted on the host: budgets are integers, so no step waits for the device.

A plan serves all layers in which a policy has the same numbers. It knows, before a step, which slot each row's new
token goes to and how many slots each row gives up afterwards; *which* slots those are is decided on the device, per
layer and head, and never read back.

Slots of a row lie around a split: the prompt's end there, generated tokens begin there. A dropped token's slot is put
on the row's stack and the next token takes it from there, so nothing is ever moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import torch

from webfarer.engine.policy import CachePolicy, Place

AHEAD = 64
"""How many steps at a time room is made for when nobody knows how many there will be."""


@dataclass(slots=True)
class Track:
    """One row's counts in one plan.

    Attributes:
        place: what the policy's numbers depend on.
        shared: slots of a prefix that other rows hold too, or of heads of different lengths; not counted below.
        kept: own prompt slots. grown: slots ever used right of the split. free: dropped slots waiting for reuse.
        t: tokens generated. dropped: slots given up so far. read: slots attended to so far, over all steps.
        ready: the number of generated tokens up to which there is room.
    """

    place: Place
    kept: int
    shared: int = 0
    grown: int = 0
    free: int = 0
    t: int = 0
    dropped: int = 0
    read: int = 0
    ready: int = 0

    @property
    def held(self) -> int:
        """Slots that hold a token, per head, at rest."""
        return self.kept + self.grown - self.free

    @property
    def length(self) -> int:
        """Tokens seen."""
        return self.place.prompt + self.t


@dataclass(frozen=True, eq=False)
class Places:
    """Where new tokens are written in the layers of a plan.

    Attributes:
        now: tokens seen, this one included, [N, 1, 1].
        rows: of each token, [N]; None for one token in each of the rows 0…N-1.
        fresh: the slot where none waits for reuse, [N, 1], or a number where it is the same for all of the rows 0…N-1;
            None when one waits everywhere.
        reuse: whether one waits, [N, 1]; top: where on the row's stack it is, [N, 1, 1]; None when none does anywhere.
    """

    now: torch.Tensor
    rows: torch.Tensor | None
    fresh: torch.Tensor | int | None
    reuse: torch.Tensor | None
    top: torch.Tensor | None


@dataclass(frozen=True, eq=False)
class Drops:
    """What the rows 0…B-1 give up after a step.

    Attributes:
        most: how many slots at most. even: whether every row gives up as many.
        counts: how many each does, [B, 1, 1].
        bottom: where on the stack the first of them goes, [B, 1, 1].
        first, last: only positions in [first, last) may be given up, [B, 1, 1]; `first` is None where all others lie
            before the pool.
    """

    most: int
    even: bool
    counts: torch.Tensor
    bottom: torch.Tensor
    first: torch.Tensor | None
    last: torch.Tensor


@dataclass(frozen=True, eq=False)
class Step:
    """What one decode step does in the layers of a plan, for rows 0…B-1.

    Attributes:
        lo, hi: the range of slots in use, the new token included.
        packed: whether none of them is empty, in any row.
        pool: the first slot of those that may be given up; before it lies a frozen prompt.
        places: where the new tokens go.
        held: slots that hold one of the tokens seen, [B, 1, 1], for a policy that re-rotates; else None.
        drops: what is given up afterwards; None when nothing is.
    """

    lo: int
    hi: int
    packed: bool
    pool: int
    places: Places
    held: torch.Tensor | None
    drops: Drops | None


@lru_cache(maxsize=4096)
def peak(policy: CachePolicy, place: Place, kept: int, shared: int) -> tuple[int, int]:
    """Return (slots right of the split, slots waiting at once) a sequence needs at most until its limit."""
    return ahead(policy, Track(place, kept, shared), AHEAD if place.limit is None else place.limit)


def ahead(policy: CachePolicy, track: Track, steps: int) -> tuple[int, int]:
    """Return (slots right of the split, slots waiting at once) a row needs at most during its next `steps`."""
    if type(policy).room is CachePolicy.room:
        return track.grown + max(0, steps - track.free), track.free
    track = replace(track)
    waiting = track.free
    for _ in range(steps):
        advance(policy, track)
        waiting = max(waiting, track.free)
    return track.grown, waiting


def advance(policy: CachePolicy, track: Track) -> int:
    """Count one more token; return how many slots the row gives up after it."""
    if track.free:
        track.free -= 1
    else:
        track.grown += 1
    track.t += 1
    present = track.held + track.shared
    track.read += min(present, policy.read or present)
    room = policy.room(track.t, track.place)
    if room is None:
        return 0
    spare = (track.grown - track.free if policy.frozen else track.held - policy.sinks) - policy.recent
    drop = max(0, min(present - room, spare))
    track.free += drop
    track.dropped += drop
    return drop


@dataclass(eq=False)
class Plan:
    """The rows of all layers in which `policy` has the same numbers; `layers` lists them."""

    policy: CachePolicy
    layers: list[int]
    tracks: list[Track] = field(default_factory=list)

    def span(self, split: int) -> tuple[int, int]:
        """Return the range of slots in use."""
        return split - max(t.kept for t in self.tracks), split + max(t.grown for t in self.tracks)

    def step(self, split: int, device: torch.device) -> Step:
        """Count one more token for every row and return what the layers have to do."""
        tracks, policy = self.tracks, self.policy
        target = [(split + t.grown, t.free > 0, max(t.free - 1, 0)) for t in tracks]
        gone = [advance(policy, t) for t in tracks]
        held = [t.held + count for t, count in zip(tracks, gone, strict=True)]
        lo, hi = self.span(split)
        packed = min(held) == hi - lo
        return Step(
            lo,
            hi,
            packed,
            split if policy.frozen else lo,
            _places(target, [t.length for t in tracks], None, device),
            held=_cube(_bring(held, device)) if policy.rerotates else None,
            drops=self._drops(gone, packed, device) if any(gone) else None,
        )

    def _drops(self, gone: list[int], packed: bool, device: torch.device) -> Drops:
        tracks, policy = self.tracks, self.policy
        bottom = [t.free - count for t, count in zip(tracks, gone, strict=True)]
        first = [t.place.prompt if policy.frozen else policy.sinks for t in tracks]
        last = [t.length - policy.recent for t in tracks]
        numbers = _bring([bottom, gone, first, last], device)
        cube = _cube(numbers)
        return Drops(
            max(gone),
            min(gone) == max(gone),
            counts=cube[1],
            bottom=numbers[0, :, None, None],
            first=None if packed and (policy.frozen or not policy.sinks) else cube[2],
            last=cube[3],
        )

    def extend(self, counts: Sequence[int], split: int, device: torch.device) -> Places:
        """Count so many more tokens for each row, which gives nothing up meanwhile; return where they go."""
        target, now = [], []
        for track, count in zip(self.tracks, counts, strict=True):
            for _ in range(count):
                target.append((split + track.grown, track.free > 0, max(track.free - 1, 0)))
                advance(self.policy, track)
                now.append(track.length)
        rows = [row for row, count in enumerate(counts) for _ in range(count)]
        return _places(target, now, rows, device)


def _places(
    target: list[tuple[int, bool, int]], now: list[int], rows: list[int] | None, device: torch.device
) -> Places:
    """Bring slots, whether one waits, and where on the stack, for each token, to the device in one transfer."""
    fresh, reuse, top = zip(*target, strict=True)
    waits = any(reuse)
    if rows is None and not waits and min(fresh) == max(fresh):
        return Places(_bring(now, device, np.int32).view(-1, 1, 1), None, fresh[0], None, None)
    counts = _bring([fresh, reuse, top, now, rows or now], device)
    return Places(
        now=_cube(counts[3]),
        rows=None if rows is None else counts[4],
        fresh=None if all(reuse) else counts[0, :, None],
        reuse=counts[1, :, None].bool() if waits else None,
        top=counts[2, :, None, None] if waits else None,
    )


def _bring(
    numbers: Sequence[int] | Sequence[Sequence[int]], device: torch.device, dtype: type[np.integer] = np.int64
) -> torch.Tensor:
    """Return integers or lists of them as a tensor; through NumPy, which reads them in a third of the time."""
    return torch.from_numpy(np.array(numbers, dtype)).to(device, non_blocking=True)


def _cube(numbers: torch.Tensor) -> torch.Tensor:
    """Return numbers [..., N] as positions are compared with them, [..., N, 1, 1]."""
    return numbers[..., None, None].to(torch.int32)
