"""What the engine remembers of its sequences: keys and values of all layers, for rows that come and go.

Active rows are always 0…n-1; when one leaves, the last takes its place. Prompts are read one by one, whatever their
lengths; the policy chooses what stays of each, per layer and KV head, before the next layer is computed, so one layer
at most holds a prompt in full. Then every step appends one token a row, attends, and drops what the policy has no
room for. The numbers are counted on the host (:mod:`webfarer.engine.plans`), the choice is made on the device.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from webfarer.core.errors import ConfigError, WebfarerError
from webfarer.engine.accounts import RowStats, check, row_stats
from webfarer.engine.layer import Choices, Layer, Turn
from webfarer.engine.plans import AHEAD, Plan, Step, Track, ahead
from webfarer.engine.policy import CachePolicy, Place
from webfarer.engine.prefixes import Prefix, Ragged
from webfarer.engine.sliding import Sliding
from webfarer.engine.slots import Shelf, Slots
from webfarer.engine.spec import Spec
from webfarer.engine.trial import Trial, calm

AT_ONCE = 1024
"""Tokens a row has room for at first, and then again: few outputs are as long as they may be."""

IDLE = 1 << 30
"""An idle memory of more bytes gives its slots back."""

Attend = Callable[[int, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class _Round:
    """A step of a plan's layers: the slots of the new tokens are marked at once, and so are those that are given up."""

    def __init__(self, slots: Slots, step: Step) -> None:
        self.slots, self.step = slots, step
        self.index = slots.enter(step.places)
        self._scores: list[torch.Tensor] = []

    def end(self, scores: torch.Tensor | None) -> None:
        """Take one layer's scores, in order; None where the step gives nothing up."""
        if scores is not None:
            self._scores.append(scores)
            if len(self._scores) == len(self.slots.shelves):
                self.slots.drop(self.step, torch.stack(self._scores))


class Memory:
    """The slots of up to `rows` sequences under one policy."""

    def __init__(self, spec: Spec, policy: CachePolicy, rows: int) -> None:
        """Make the memory; slots are allocated when sequences need them.

        Raises:
            ConfigError: the policy cannot work with this model.
        """
        self.spec, self.policy, self.rows = spec, policy, rows
        if policy.rerotates and any(r.dynamic for r in spec.rotary):
            raise ConfigError(
                f"cache policy {policy.spec} re-rotates keys, which does not work with this model's rotary embedding: "
                "its frequencies change with the length (dynamic NTK); choose a policy with original positions"
            )
        self.ragged = [Ragged() if policy.ragged and w is None else None for w in spec.windows]
        self.plans: list[Plan] = []
        self.plan_of: list[Plan] = []
        known: dict[tuple[int | None, int], Plan] = {}
        for layer, window in enumerate(spec.windows):
            key = (window, 0 if window else policy.profile(layer, spec.layers))
            if key not in known:
                known[key] = Plan(policy if window is None else Sliding(window), [])
                self.plans.append(known[key])
            known[key].layers.append(layer)
            self.plan_of.append(known[key])
        self.slots = [Slots(spec, rows, len(plan.layers)) for plan in self.plans]
        shelves: dict[int, Shelf] = {}
        for plan, slots in zip(self.plans, self.slots, strict=True):
            shelves |= zip(plan.layers, slots.shelves, strict=True)
        self.layers = [shelves[layer] for layer in range(spec.layers)]
        parts = zip(self.plan_of, self.layers, self.ragged, strict=True)
        self._work = [Layer(index, spec, *part) for index, part in enumerate(parts)]
        self.prefix: list[Prefix | None] = []

    @property
    def active(self) -> int:
        """How many rows are in use."""
        return len(self.prefix)

    @property
    def positions(self) -> list[int]:
        """The next logical position of each active row."""
        return [track.length for track in self.plans[0].tracks]

    @property
    def bytes(self) -> int:
        """Bytes allocated for slots, shared prefixes once."""
        return self.own_bytes + sum({id(p): p.bytes for p in self.prefix if p is not None}.values())

    @property
    def own_bytes(self) -> int:
        """Bytes allocated for slots, without prefixes."""
        return sum(slots.bytes for slots in self.slots) + sum(r.bytes for r in self.ragged if r is not None)

    def open(self, prompt: int, limit: int | None, prefix: Prefix | None = None) -> int:
        """Take a row for a prompt of so many tokens and at most `limit` generated ones.

        Args:
            prompt: tokens of the whole prompt, those of the prefix included.
            limit: most tokens to be generated, or None when nobody knows.
            prefix: a prefix the prompt begins with, to be shared; needs a policy that never drops prompt slots.

        Returns:
            The row, the highest active one.

        Raises:
            WebfarerError: no row is free.
        """
        row = self.active
        if row >= self.rows:
            raise WebfarerError(f"all {self.rows} rows are in use")
        if prefix is not None and not self.shares:
            raise ConfigError(f"cache policy {self.policy.spec} cannot share a prefix between rows with this model")
        tracks = [self._track(plan, prompt, limit, prefix) for plan in self.plans]
        for slots, plan, track in zip(self.slots, self.plans, tracks, strict=True):
            self._reserve(slots, plan, track, max(track.kept, 1))
        for plan, track in zip(self.plans, tracks, strict=True):
            plan.tracks.append(track)
        for slots in self.slots:  # what is held in a prefix alone is never filled
            slots.clear(row)
        self.prefix.append(prefix)
        for ragged, shelf in zip(self.ragged, self.layers, strict=True):
            if ragged is not None:
                ragged.enter(shelf.keys)
        return row

    def _track(self, plan: Plan, prompt: int, limit: int | None, prefix: Prefix | None) -> Track:
        layer, own = plan.layers[0], prompt - (0 if prefix is None else len(prefix.tokens))
        shared = 0 if prefix is None else prefix.keys[layer].shape[1]
        kept = plan.policy.keep(own, layer, self.spec.layers) if own else 0
        place = Place(layer, self.spec.layers, prompt, shared + kept, limit)
        return Track(place, 0, shared=kept) if plan.policy.ragged else Track(place, kept, shared=shared)

    def _reserve(self, slots: Slots, plan: Plan, track: Track, left: int) -> None:
        """Make room for a row's next steps: not for all it may take, which may be the model's whole context."""
        limit = track.place.limit
        steps = AHEAD if limit is None else max(1, min(limit - track.t, AT_ONCE))
        right, waiting = ahead(plan.policy, track, steps)
        slots.reserve(left, right + 1, waiting)
        track.ready = track.t + steps

    @property
    def shares(self) -> bool:
        """Whether rows may share a prefix: no slot of a prompt is ever dropped once it was chosen, in any layer."""
        policy = self.policy
        plain = not (policy.ragged or policy.rerotates) and policy.read is None
        return policy.frozen and plain and all(w is None for w in self.spec.windows)

    def share(self, row: int, tokens: tuple[int, ...]) -> Prefix:
        """Turn a row's prompt, just read, into a prefix that further rows may be opened with; the row holds it too."""
        if not self.shares:
            raise ConfigError(f"cache policy {self.policy.spec} cannot share a prefix between rows with this model")
        prefix = self.copy(row, tokens)
        for slots in self.slots:
            slots.clear(row)
        for plan in self.plans:
            track = plan.tracks[row]
            plan.tracks[row] = Track(track.place, 0, shared=track.kept + track.shared, ready=track.ready)
        self.prefix[row] = prefix
        return prefix

    def whole(self, prompt: int) -> bool:
        """Whether every layer keeps all of a prompt of so many tokens, so that its beginning can be shared."""
        return self.shares and all(p.policy.keep(prompt, p.layers[0], self.spec.layers) == prompt for p in self.plans)

    def _sharing(self) -> Iterator[tuple[Prefix, torch.Tensor]]:
        """Yield each prefix in use, with the rows that share it."""
        for prefix in {id(p): p for p in self.prefix if p is not None}.values():
            rows = [row for row, held in enumerate(self.prefix) if held is prefix]
            yield prefix, torch.tensor(rows).to(self.spec.device, non_blocking=True)

    def snapshot(self, row: int, tokens: tuple[int, ...]) -> Prefix | None:
        """Return a copy of what a row holds, for prompts that begin with `tokens`; None unless it holds all of them."""
        held = [plan.tracks[row].held + plan.tracks[row].shared for plan in self.plans]
        return self.copy(row, tokens) if self.shares and set(held) == {len(tokens)} else None

    def copy(self, row: int, tokens: tuple[int, ...]) -> Prefix:
        """Return a copy of what a row holds of `tokens`, which it has read."""
        copy, prefix = Prefix(tokens), self.prefix[row]
        for layer, plan in enumerate(self.plan_of):
            keys, values, positions, _ = self.layers[layer].present(row, plan.tracks[row].held)
            if prefix is not None:
                keys, values = torch.cat([prefix.keys[layer], keys], 1), torch.cat([prefix.values[layer], values], 1)
                positions = torch.cat([prefix.positions[layer], positions], 1)
            for part, tensor in zip((copy.keys, copy.values, copy.positions), (keys, values, positions), strict=True):
                part.append(tensor)
        return copy

    def close(self, row: int) -> int | None:
        """Give a row back; return the old index of the row that took its place, or None."""
        last = self.active - 1
        for plan in self.plans:
            plan.tracks[row] = plan.tracks[last]
            plan.tracks.pop()
        self.prefix[row] = self.prefix[last]
        self.prefix.pop()
        for ragged in self.ragged:
            if ragged is not None:
                ragged.leave(row)
        if row < last:
            for slots in self.slots:
                slots.move(last, row)
        if last == 0 and self.bytes > IDLE:
            for slots in self.slots:
                slots.release()
        return last if row < last else None

    def select(self, rows: Sequence[int]) -> None:
        """Make active row i a copy of what row `rows[i]` was; there may be more or fewer rows than before."""
        spare = range(len(rows), self.rows)
        index = torch.tensor([*rows, *spare], device=self.spec.device)
        for slots in self.slots:
            slots.select(index)
        for ragged in filter(None, self.ragged):
            ragged.select(rows)
        for plan in self.plans:
            plan.tracks = [replace(plan.tracks[row]) for row in rows]
        self.prefix, self.rows = [self.prefix[row] for row in rows], len(index)

    def seed(self, row: int, prefix: Prefix) -> None:
        """Copy a prefix into a row just opened without one, instead of sharing it."""
        for shelf, *kept in zip(self.layers, prefix.keys, prefix.values, prefix.positions, strict=True):
            shelf.fill(row, [*kept, torch.zeros_like(kept[2], dtype=shelf.scores.dtype)])

    def prefill(self, rows: Sequence[int], lengths: Sequence[int], seeded: Sequence[int] = ()) -> Attend:
        """Return the attention of one forward over these rows' new prompt tokens, one row after the other.

        Args:
            rows: just opened.
            lengths: new tokens of each; with a prefix, those after it.
            seeded: tokens each row was seeded with.
        """
        parts = zip(rows, lengths, seeded or [0] * len(rows), strict=True)
        turns = [Turn(row, length, held=held, fixed=held) for row, length, held in parts]
        return self._reading([turns] * len(self.plans))

    def extend(self, rows: Sequence[int], lengths: Sequence[int]) -> Attend:
        """Return the attention of one forward over further prompt tokens of rows that hold tokens: another turn.

        Under a frozen policy everything held so far stays, and the new tokens are a prompt of their own; otherwise all
        compete.
        """
        works = list(zip(self.slots, self.plans, strict=True))
        return self._reading([[self._turn(*work, *pair) for pair in zip(rows, lengths, strict=True)] for work in works])

    def _turn(self, slots: Slots, plan: Plan, row: int, length: int) -> Turn:
        if plan.policy.ragged:
            raise ConfigError(f"cache policy {plan.policy.spec} reads a prompt in one piece; it has no second turn")
        track, layers = plan.tracks[row], self.spec.layers
        held, total = track.held, track.length + length
        layer = plan.layers[0]
        if plan.policy.frozen:
            kept = held + plan.policy.keep(length, layer, layers)
        else:
            kept = min(held + length, plan.policy.keep(total, layer, layers))
        place = Place(layer, layers, total, track.shared + kept, track.place.limit)
        plan.tracks[row] = Track(place, kept, shared=track.shared, dropped=track.dropped, read=track.read)
        self._reserve(slots, plan, plan.tracks[row], max(kept, 1))
        return Turn(row, length, held=held, fixed=held if plan.policy.frozen else 0)

    def _reading(self, turns: list[list[Turn]]) -> Attend:
        by_layer = {layer: t for plan, t in zip(self.plans, turns, strict=True) for layer in plan.layers}
        choices: Choices = {}

        def attend(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            out, start = torch.empty_like(q), 0
            for turn in by_layer[layer]:
                span = slice(start, start + turn.length)
                new = q[span], k[span], v[span]
                out[span] = self._work[layer].read(turn, self.prefix[turn.row], new, choices)
                start += turn.length
            return out

        return attend

    def decode(self) -> Attend:
        """Count one more token for every active row; return the attention of one forward over those tokens."""
        parts = zip(self.slots, self.plans, strict=True)
        rounds = {id(plan): _Round(slots, self._step(slots, plan)) for slots, plan in parts}
        shared = list(self._sharing())

        def attend(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            count, kv = k.shape[:2]
            work, part = self._work[layer], rounds[id(self.plan_of[layer])]
            work.slots.write(part.index[work.slots.index], k, v)
            out, scores = work.attend(part.step, shared, q.view(count, kv, self.spec.groups, -1))
            part.end(scores)
            return out.reshape(q.shape)

        return attend

    def _step(self, slots: Slots, plan: Plan) -> Step:
        """Make room for rows that have used up what was reserved for them, and count one more token for all."""
        for track in plan.tracks:
            if track.t >= track.ready:
                self._reserve(slots, plan, track, 0)
        return plan.step(slots.split, self.spec.device)

    @property
    def forks(self) -> bool:
        """Whether drafts may be trees: slots stay as they are while tokens are generated, in every layer."""
        return all(calm(plan) for plan in self.plans)

    def trial(self, most: int) -> Trial:
        """Let rows look at tokens that may be taken back: at most so many in a row, of which some are kept then."""
        for slots, plan in zip(self.slots, self.plans, strict=True):
            for track in plan.tracks:
                if track.t + most > track.ready:
                    right, waiting = ahead(plan.policy, track, most)
                    slots.reserve(0, right + 1, waiting)
        return Trial(self.plans, self._work, list(self._sharing()), most)

    def kept_positions(self, layer: int, row: int, head: int) -> list[int]:
        """Return the logical positions a KV head holds, ascending; for tests and plots."""
        prefix, ragged = self.prefix[row], self.ragged[layer]
        own = self.layers[layer].positions[row, head]
        parts = [own[own >= 0]]
        if prefix is not None:
            parts.append(prefix.positions[layer][head])
        if ragged is not None:
            parts.append(ragged.positions[row][ragged.owner[row] == head])
        return sorted(torch.cat(parts).tolist())

    def origins(self, row: int) -> tuple[int, int]:
        """Return how many slots hold prompt tokens and how many generated ones; reads the device back."""
        heads = range(self.spec.kv_heads)
        places = [
            (layer, head, plan.tracks[row].place.prompt) for layer, plan in enumerate(self.plan_of) for head in heads
        ]
        kept = [(p < prompt) for layer, head, prompt in places for p in self.kept_positions(layer, row, head)]
        return sum(kept), len(kept) - sum(kept)

    def stats(self, row: int) -> RowStats:
        """Return what a row holds; a shared prefix is counted in every row that holds it."""
        return row_stats(self, row)

    def check(self) -> None:
        """Raise WebfarerError when what the host counts and what the device holds differ anywhere."""
        check(self)
