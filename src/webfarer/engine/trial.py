"""Tokens that rows look at before anybody knows whether they stay: drafts, chains or trees, one forward or several.

A plan that would give nothing up meanwhile leaves its slots alone: new keys and values wait outside, and those that
stay are written at the end. Any other plan takes its steps one by one inside each layer, exactly as plain decoding
does, and what does not stay is undone from a journal. Invariant: afterwards the memory is as if the tokens that were
taken back had never been (keys, values, positions, scores, stacks, counts) and the others had come one at a time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.journal import Journal
from webfarer.engine.layer import Layer, Scratch, Shared
from webfarer.engine.plans import Plan, Step, Track
from webfarer.engine.policy import CachePolicy

COMMITTED = -1
"""The parent of a node that follows what its row holds already."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A token of a row: its parent's number, how many tokens of the trial come before it, and its column."""

    parent: int
    depth: int
    column: int


@dataclass(eq=False)
class _Waiting:
    """Keys and values of one layer that are in no slot yet, [B, H, columns, D]."""

    keys: torch.Tensor | None = None
    values: torch.Tensor | None = None

    def add(self, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Add columns; return all of them."""
        if self.keys is not None and self.values is not None:
            keys, values = torch.cat([self.keys, keys], 2), torch.cat([self.values, values], 2)
        self.keys, self.values = keys, values
        return keys, values

    def of(self, rows: torch.Tensor, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values of tokens, [N, H, D]."""
        assert self.keys is not None
        assert self.values is not None
        return self.keys[rows, :, columns], self.values[rows, :, columns]


@dataclass(eq=False)
class _Replay:
    """A plan whose steps are taken at once: its counts before each column, and a journal for each of its layers."""

    plan: Plan
    before: list[list[Track]] = field(default_factory=list)
    journals: dict[int, Journal] = field(default_factory=dict)

    def steps(self, width: int, split: int, device: torch.device) -> list[Step]:
        """Count `width` more tokens for every row."""
        steps = []
        for _ in range(width):
            self.before.append([replace(track) for track in self.plan.tracks])
            steps.append(self.plan.step(split, device))
        return steps

    def recount(self, columns: Sequence[int]) -> None:
        """Give each row back the counts it had before its column; beyond the last one they stay."""
        for row, column in enumerate(columns):
            if column < len(self.before):
                self.plan.tracks[row] = replace(self.before[column][row])


class Trial:
    """One trial of all rows of a memory, ended by :meth:`keep`; nothing else may happen to the memory meanwhile.

    A row's nodes are numbered as they come. In a forward all rows take up as many columns as the longest of them.
    """

    def __init__(self, plans: Sequence[Plan], layers: Sequence[Layer], shared: Shared, most: int) -> None:
        self.layers, self.shared = layers, shared
        self._plans, self._most = plans, most
        self._start = [track.length for track in plans[0].tracks]
        self._nodes: list[list[_Node]] = [[] for _ in self._start]
        self._latest: list[int] = []
        self.columns = 0
        self.waiting = [_Waiting() for _ in layers]
        self.replays = {id(p): _Replay(p) for p in plans if not calm(p)}

    @property
    def positions(self) -> list[int]:
        """The positions of the latest forward's nodes, row by row."""
        news = zip(self._start, self._nodes, self._latest, strict=True)
        return [start + node.depth for start, nodes, count in news for node in nodes[len(nodes) - count :]]

    def count(self, row: int) -> int:
        """Return how many nodes a row has."""
        return len(self._nodes[row])

    def attend(self, parents: Sequence[Sequence[int]]) -> "Look":
        """Return the attention of one forward over new nodes, those of one row after those of the other.

        Args:
            parents: for each row, of each new node the number of an earlier one or of one before it here, or COMMITTED.

        Raises:
            ConfigError: a tree, where the policy gives slots up; more columns than the trial was made for.
        """
        base, self._latest = self.columns, [len(mine) for mine in parents]
        self.columns += max(self._latest)
        if self.columns > self._most:
            raise ConfigError(f"a trial of at most {self._most} tokens a row was asked for {self.columns}")
        for nodes, mine in zip(self._nodes, parents, strict=True):
            for offset, parent in enumerate(mine):
                if self.replays and parent != len(nodes) - 1:
                    raise ConfigError("where the cache policy gives slots up while tokens come, drafts must be chains")
                depth = 0 if parent == COMMITTED else nodes[parent].depth + 1
                nodes.append(_Node(parent, depth, base + offset))
        return Look(self, base, self._latest)

    def visible(self, base: int) -> torch.Tensor:
        """Return which columns the tokens from column `base` on see, [B, new, columns]: 0 or -inf."""
        blind = [-math.inf] * self.columns
        bias = [[blind.copy() for _ in range(base, self.columns)] for _ in self._nodes]
        for lines, nodes in zip(bias, self._nodes, strict=True):
            for node in nodes:
                if node.column >= base:
                    line, number = lines[node.column - base], node.parent
                    line[node.column] = 0.0
                    while number != COMMITTED:
                        line[nodes[number].column] = 0.0
                        number = nodes[number].parent
        return torch.tensor(bias)

    def keep(self, paths: Sequence[Sequence[int]]) -> None:
        """End the trial: of each row the nodes of its path stay, in order from the first; all others go."""
        ends = [self._end(row, len(path)) for row, path in enumerate(paths)]
        for plan in self._plans:
            if replay := self.replays.get(id(plan)):
                replay.recount(ends)
                for journal in replay.journals.values():
                    journal.rewind(ends)
            elif any(paths):
                self._write(plan, paths)

    def _end(self, row: int, count: int) -> int:
        """Return the column before which a row has seen `count` of its nodes."""
        nodes = self._nodes[row]
        if count:
            return nodes[count - 1].column + 1
        return nodes[0].column if nodes else self.columns

    def _write(self, plan: Plan, paths: Sequence[Sequence[int]]) -> None:
        """Put what stays into the slots of a plan's layers."""
        slots = self.layers[plan.layers[0]].slots
        device = slots.keys.device
        places = plan.extend([len(path) for path in paths], slots.split, device)
        kept = [(row, self._nodes[row][node].column) for row, path in enumerate(paths) for node in path]
        row, column = torch.tensor(kept).t().to(device, non_blocking=True)
        for index in plan.layers:
            keys, values = self.waiting[index].of(row, column)
            self.layers[index].slots.append(places, keys, values)


class Look:
    """The attention of one forward of a trial; called once per layer with the flat tokens of all rows."""

    def __init__(self, trial: Trial, base: int, counts: Sequence[int]) -> None:
        self._trial = trial
        self._rows, self._width = len(counts), max(counts)
        device = trial.layers[0].spec.device
        ends = [base + count if count < self._width else trial.columns for count in counts]
        self._ends = ends if min(counts) < self._width else None
        places = [row * self._width + offset for row, count in enumerate(counts) for offset in range(count)]
        self._places = None if self._ends is None else torch.tensor(places).to(device, non_blocking=True)
        self._steps: dict[int, list[Step]] = {}
        for key, replay in trial.replays.items():
            split = trial.layers[replay.plan.layers[0]].slots.split
            self._steps[key] = replay.steps(self._width, split, device)
            if self._ends is not None:
                replay.recount(self._ends)
        self._bias = trial.visible(base).to(trial.layers[0].spec.dtype).to(device, non_blocking=True)

    def __call__(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Attend: q [N, Hq, D], k and v [N, Hkv, D]; return [N, Hq, D]."""
        wide = [self._spread(part) for part in (q, k, v)]
        work = self._trial.layers[layer]
        steps = self._steps.get(id(work.plan))
        if steps is None:
            keys, values = self._trial.waiting[layer].add(wide[1].transpose(1, 2), wide[2].transpose(1, 2))
            out = work.look(self._trial.shared, wide[0], Scratch(keys, values, self._bias))
        else:
            out = self._replayed(work, steps, wide)
        flat = out.flatten(0, 1)
        return flat if self._places is None else flat.index_select(0, self._places)

    def _replayed(self, work: Layer, steps: list[Step], wide: list[torch.Tensor]) -> torch.Tensor:
        """Take the steps one after the other; rows that had fewer new tokens than others are brought back at once."""
        q, k, v = wide
        slots, out = work.slots, torch.empty_like(q)
        journal = self._trial.replays[id(work.plan)].journals.setdefault(work.index, Journal(slots))
        for offset, step in enumerate(steps):
            journal.note(step)
            slots.append(step.places, k[:, offset], v[:, offset])
            heads = q[:, offset].reshape(self._rows, work.spec.kv_heads, work.spec.groups, -1)
            out[:, offset] = work.step(step, self._trial.shared, heads).reshape(out[:, offset].shape)
        if self._ends is not None:
            journal.rewind(self._ends)
        return out

    def _spread(self, flat: torch.Tensor) -> torch.Tensor:
        """Return flat tokens [N, H, D] as [B, width, H, D], zero where a row has fewer."""
        shape = (self._rows, self._width, *flat.shape[1:])
        if self._places is None:
            return flat.reshape(shape)
        empty = flat.new_zeros(self._rows * self._width, *flat.shape[1:])
        return empty.index_copy_(0, self._places, flat).view(shape)


def calm(plan: Plan) -> bool:
    """Whether slots stay as they are whatever comes: nothing is given up, kept up or moved."""
    policy = plan.policy
    plain = policy.reads == "none" and policy.read is None and not policy.rerotates
    return plain and type(policy).room is CachePolicy.room
