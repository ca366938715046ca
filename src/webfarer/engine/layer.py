"""One layer at work: reads prompts into its slots, attends, and drops what there is no room for.

Machinery under :mod:`webfarer.engine.memory`, which says whose turn it is; the plan says how many slots, the policy
which. Invariant: what a row attends to are the tokens it holds, whatever the other rows hold.
"""

from dataclasses import dataclass
from functools import cached_property

import torch

from webfarer.engine.attention import Heads, merge, prompt_attention, slot_logits
from webfarer.engine.choosing import choose, rotate, rotate_to_ranks, select
from webfarer.engine.plans import Plan, Step
from webfarer.engine.prefixes import Prefix, Ragged, attend_prefix, merge_rows
from webfarer.engine.slots import Shelf
from webfarer.engine.spec import Spec
from webfarer.engine.view import View, grouped

Choices = dict[tuple[int, int, int], torch.Tensor]
"""What was chosen of a prompt, by plan, layer it was chosen in, and row."""

Shared = list[tuple[Prefix, torch.Tensor]]
"""Prefixes in use, each with the rows that hold it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One row's part of a forward over prompt tokens.

    Attributes:
        row, length: whose, and how many new tokens.
        held: own slots the row held before. fixed: how many of them stay whatever their score.
    """

    row: int
    length: int
    held: int = 0
    fixed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Scratch:
    """Tokens of one layer that are in no slot: keys and values [B, H, C, D], and who sees whom.

    `bias` is [B, M, C], 0 where the new token m sees token c and -inf where it does not.
    """

    keys: torch.Tensor
    values: torch.Tensor
    bias: torch.Tensor


@dataclass(eq=False)
class Layer:
    """One layer of a memory.

    Attributes:
        index: which. spec: of the model.
        plan: the numbers. slots: what is held, this layer's part.
        ragged: prompt slots under per-head budgets, or None.
    """

    index: int
    spec: Spec
    plan: Plan
    slots: Shelf
    ragged: Ragged | None

    @cached_property
    def heads(self) -> Heads:
        """How the layer attends."""
        return Heads(self.spec.scale, self.spec.softcap, self.spec.windows[self.index])

    def read(self, turn: Turn, prefix: Prefix | None, new: tuple[torch.Tensor, ...], choices: Choices) -> torch.Tensor:
        """Attend to a prompt's new tokens, then keep of the prompt what the policy chooses.

        Args:
            turn: whose tokens.
            prefix: that the row shares with others.
            new: q [n, Hq, D], k and v [n, Hkv, D].
            choices: of this forward; layers that choose together find each other's there.

        Returns:
            [n, Hq, D]
        """
        slots, plan, heads, row = self.slots, self.plan, self.heads, turn.row
        q = new[0].view(turn.length, self.spec.kv_heads, self.spec.groups, -1).permute(1, 2, 0, 3)
        keys, values = new[1].transpose(0, 1), new[2].transpose(0, 1)
        track, policy = plan.tracks[row], plan.policy
        positions = torch.arange(track.length - turn.length, track.length, device=keys.device, dtype=torch.int32)
        positions, before = positions.expand(keys.shape[0], -1), None
        if turn.held:
            old = slots.present(row, turn.held)
            keys, values = torch.cat([old[0], keys], 1), torch.cat([old[1], values], 1)
            positions, before = torch.cat([old[2], positions], 1), old[3]
        if prefix is not None:
            shared = prefix.keys[self.index], prefix.values[self.index], prefix.positions[self.index]
            keys, values = torch.cat([shared[0], keys], 1), torch.cat([shared[1], values], 1)
            positions = torch.cat([shared[2], positions], 1)
        seen = keys
        if policy.rerotates and turn.held:
            start = positions[:, turn.held :][:, :1]
            ranks = torch.arange(turn.held, device=keys.device) + start - turn.held
            moved = rotate(keys[:, : turn.held], ranks - positions[:, : turn.held], self.spec.rotary[self.index])
            seen = torch.cat([moved, keys[:, turn.held :]], 1)
        out = prompt_attention(q, seen, values, heads)
        view = View.of_prompt((self.index, self.spec.layers), q, (keys, values, positions), heads, before)
        settled = turn.fixed + (0 if prefix is None else prefix.positions[self.index].shape[1])
        self._keep(turn, view.narrow(settled), choices)
        return out.permute(2, 0, 1, 3).reshape(new[0].shape)

    def _keep(self, turn: Turn, view: View, choices: Choices) -> None:
        plan, row, ragged = self.plan, turn.row, self.ragged
        track, policy = plan.tracks[row], plan.policy
        key = id(plan), policy.source(self.index, self.spec.layers), row
        if key not in choices:
            choices[key] = choose(policy, view, track.shared if ragged is not None else track.kept - turn.fixed)
        chosen = choices[key]
        if ragged is not None:
            ragged.put(row, chosen, view.keys[0], view.values[0])
            self.slots.clear(row)
            return
        scores = torch.zeros_like(view.positions[0], dtype=self.slots.scores.dtype)
        if policy.reads == "accumulated" and not policy.frozen:
            scores = view.received(None, policy.group)[0]
        kept = [view.keys[0], view.values[0], view.positions[0], scores]
        if chosen.shape[1] < scores.shape[1]:
            wide = chosen[..., None].expand(-1, -1, self.spec.head_dim)
            kept = [part.gather(1, wide if part.dim() == 3 else chosen) for part in kept]
        if turn.fixed:
            old = self.slots.present(row, turn.fixed)
            kept = [torch.cat(pair, 1) for pair in zip(old, kept, strict=True)]
        self.slots.fill(row, kept)

    def step(self, step: Step, shared: Shared, q: torch.Tensor) -> torch.Tensor:
        """Attend to the slots as :meth:`attend` does, then drop what there is no room for in this layer."""
        out, scores = self.attend(step, shared, q)
        if scores is not None:
            self.slots.all.drop(step, scores[None], self.slots.mine)
        return out

    def attend(self, step: Step, shared: Shared, q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Attend to the slots and keep up the attention they received.

        Args:
            step: what the plan says.
            shared: prefixes, each with the rows that hold it.
            q: [B, H, G, D]; the new tokens are in their slots already.

        Returns:
            [B, H, G, D], and the scores of the pool's slots, [B, H, slots], when the step gives something up.
        """
        slots, plan, heads, count = self.slots, self.plan, self.heads, q.shape[0]
        policy, span = plan.policy, slice(step.lo, step.hi)
        keys, values = slots.keys[:count, :, span], slots.values[:count, :, span]
        bias = None if step.packed else slots.bias[:count, :, None, span]
        if policy.read is not None and step.hi - step.lo > policy.read:
            index = select(policy, self._view(step, q, span))
            wide = index[..., None].expand(-1, -1, -1, keys.shape[3])
            keys, values = keys.gather(2, wide), values.gather(2, wide)
            bias = None if bias is None else bias.gather(3, index[:, :, None])
        elif step.held is not None:
            positions = slots.positions[:count, :, span]
            keys = rotate_to_ranks(keys, positions, step.places.now, step.held, self.spec.rotary[self.index])
        logits = slot_logits(q, keys, bias, heads.scale, heads.softcap)
        out, weights = self._attend(shared, q, logits, [values])
        received = None if policy.reads == "none" else self._receive(step, weights)
        if step.drops is None:
            return out, None
        view = self._view(step, q, slice(step.pool, step.hi))
        if received is not None:
            view.show(*received)
        return out, policy.score(view)

    def _receive(self, step: Step, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Add weights [B * H, G, S] to the pool's scores; return what it receives now, and so far, [B, H, slots]."""
        latest = grouped(weights[..., step.pool - step.lo :], self.plan.policy.group)
        latest = latest.view(-1, self.spec.kv_heads, latest.shape[1]).to(self.slots.scores.dtype)
        scores = self.slots.scores[: len(latest), :, step.pool : step.hi]
        if self.plan.policy.decay != 1:
            scores.mul_(self.plan.policy.decay)
        return latest, scores.add_(latest)

    def _view(self, step: Step, q: torch.Tensor, span: slice) -> View:
        held = self.slots.keys, self.slots.values, self.slots.positions
        return View(self.index, self.spec.layers, step.places.now, q, self.heads, held, span)

    def look(self, shared: Shared, q: torch.Tensor, scratch: Scratch) -> torch.Tensor:
        """Attend to the slots and to tokens that are in none yet; changes nothing.

        Args:
            shared: prefixes, each with the rows that hold it.
            q: [B, M, Hq, D], up to M new tokens of each row.
            scratch: the tokens in no slot, the new ones included.

        Returns:
            [B, M, Hq, D]
        """
        spec, heads, slots = self.spec, self.heads, self.slots
        rows, new, kv, groups = len(q), q.shape[1], spec.kv_heads, spec.groups
        span = slice(*self.plan.span(slots.split))
        keys, values, bias = (t[:rows, :, span] for t in (slots.keys, slots.values, slots.bias))
        # the new tokens of a row are further query heads that share its keys
        wide = q.view(rows, new, kv, groups, -1).permute(0, 2, 3, 1, 4).reshape(rows, kv, groups * new, -1)
        seen = scratch.bias[:, None, None].expand(-1, kv, groups, -1, -1).flatten(2, 3)
        logits = [
            slot_logits(wide, keys, bias[:, :, None], heads.scale, heads.softcap),
            slot_logits(wide, scratch.keys, seen, heads.scale, heads.softcap),
        ]
        out, _ = self._attend(shared, wide, torch.cat(logits, -1), [values, scratch.values])
        return out.view(rows, kv, groups, new, -1).permute(0, 3, 1, 2, 4).reshape(q.shape)

    def _attend(
        self, shared: Shared, q: torch.Tensor, logits: torch.Tensor, values: list[torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return out [B, H, G, D] over own slots and frozen ones, and the weights of the own slots [B * H, G, S]."""
        if self.ragged is None and not shared:
            weights = logits.softmax(-1)
            return _mixed(weights, values).view(q.shape), weights
        wide = logits.to(torch.promote_types(q.dtype, torch.float32))
        lse = wide.logsumexp(-1)
        own = _mixed((wide - lse[..., None]).exp().to(q.dtype), values).to(wide.dtype)
        out = own.view(q.shape), lse.view(q.shape[:3])
        if self.ragged is not None:
            out = merge(out, self.ragged.attend(q, self.heads))
        for prefix, rows in shared:
            keys, frozen = prefix.keys[self.index], prefix.values[self.index]
            out = merge_rows(out, rows, attend_prefix(q.index_select(0, rows), keys, frozen, self.heads))
        return out[0].to(q.dtype), (wide - out[1].view(lse.shape)[..., None]).exp()


def _mixed(weights: torch.Tensor, values: list[torch.Tensor]) -> torch.Tensor:
    """Weigh values [B, H, S, D] that lie in several tensors, one after the other, by weights [B * H, G, all S]."""
    if len(values) == 1:
        return torch.bmm(weights, values[0].flatten(0, 1))
    parts = torch.split(weights, [v.shape[2] for v in values], -1)
    first = torch.bmm(parts[0], values[0].flatten(0, 1))
    for part, value in zip(parts[1:], values[1:], strict=True):
        first.baddbmm_(part, value.flatten(0, 1))
    return first
