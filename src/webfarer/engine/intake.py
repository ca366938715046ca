"""How prompts come into a memory: each gets a row, what is new of them is read in one forward.

A prompt several have is read once, and the others share its slots where the policy lets rows share; what is known from
before is not read again. Not the batch: nothing is drawn here. Invariant: every prompt has a row afterwards, or, when
something fails, none has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch

from webfarer.engine.known import Known
from webfarer.engine.memory import Attend, Memory

SHARED = 128
"""Shorter prefixes are copied; from here on memory is worth an attention of its own."""

Adapted = list[tuple[str | None, int]]
"""Names of adapters, each with how many of the tokens it reads, in order."""

Forward = Callable[[list[int], list[int], Attend, Adapted, list[int]], torch.Tensor]
"""forward(tokens, positions, attend, adapted, ends) -> hidden states of the tokens at `ends`, [n, d]."""


@dataclass(slots=True, eq=False)
class Prompt:
    """One prompt on its way in.

    Attributes:
        tokens: to be read. limit: most tokens that will be drawn after them. adapter: to read them with.
        row: where it came to lie. cached: how many tokens were not read again.
    """

    tokens: tuple[int, ...]
    limit: int | None
    adapter: str | None = None
    row: int = -1
    cached: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """Where prompts go: the memory, what is known already, and how tokens are read."""

    memory: Memory
    known: Known
    forward: Forward

    def read(self, prompts: Sequence[Prompt]) -> tuple[list[int], torch.Tensor, int]:
        """Give each prompt a row.

        Returns:
            Which prompt came to lie in each new row, the hidden states after them, [n, d], and how many tokens were
            read.
        """
        before, whole = self.memory.active, False
        try:
            result = self._read(prompts)
            whole = True
        finally:
            if not whole:
                while self.memory.active > before:
                    self.memory.close(self.memory.active - 1)
        return result

    def _read(self, prompts: Sequence[Prompt]) -> tuple[list[int], torch.Tensor, int]:
        memory = self.memory
        twins: dict[object, list[int]] = {}
        for index, prompt in enumerate(prompts):
            alike = (prompt.tokens, prompt.adapter)
            twins.setdefault(alike if memory.shares else index, []).append(index)
        groups = list(twins.values())
        first = [prompts[same[0]] for same in groups]
        seeded = [self._begin(prompt) for prompt in first]
        lengths = [len(p.tokens) - p.cached for p in first]
        tokens = [token for p in first for token in p.tokens[p.cached :]]
        positions = [i for p in first for i in range(p.cached, len(p.tokens))]
        adapted = [(p.adapter, length) for p, length in zip(first, lengths, strict=True)]
        rows = [p.row for p in first]
        ends = [end - 1 for end in accumulate(lengths)]
        hidden = self.forward(tokens, positions, memory.prefill(rows, lengths, seeded), adapted, ends)
        for prompt in first:
            self.remember(prompt.row, prompt.tokens, prompt.adapter)
        for same in groups:
            self._follow([prompts[index] for index in same])
        # rows came in this order: the first of each group, then the others, which follow the same hidden state
        order = [same[0] for same in groups] + [index for same in groups for index in same[1:]]
        group_of = {index: number for number, same in enumerate(groups) for index in same}
        states = torch.tensor([group_of[index] for index in order])
        return order, hidden[states.to(hidden.device, non_blocking=True)], len(tokens)

    def _begin(self, prompt: Prompt) -> int:
        """Open a row that begins with what is known of a prompt; return how many tokens were copied there.

        One prefix at a time is shared in memory: every other one would cost each step an attention of its own.
        """
        memory = self.memory
        prefix = self.known.find(prompt.tokens, prompt.adapter) if memory.whole(len(prompt.tokens)) else None
        held = {id(p) for p in memory.prefix if p is not None}
        if prefix is not None:
            prompt.cached = len(prefix.tokens)
        if prefix is None or id(prefix) in held or (not held and len(prefix.tokens) >= SHARED):
            prompt.row = memory.open(len(prompt.tokens), prompt.limit, prefix)
            return 0
        prompt.row = memory.open(len(prompt.tokens), prompt.limit)
        memory.seed(prompt.row, prefix)
        return prompt.cached

    def _follow(self, same: list[Prompt]) -> None:
        """Open rows for prompts that are equal to the first of them, which has just been read."""
        first, memory = same[0], self.memory
        if len(same) == 1:
            return
        size = len(first.tokens)
        alone = size >= SHARED and not any(memory.prefix)
        prefix = memory.share(first.row, first.tokens) if alone else memory.copy(first.row, first.tokens)
        for prompt in same[1:]:
            prompt.row, prompt.cached = memory.open(size, prompt.limit, prefix if alone else None), size
            if not alone:
                memory.seed(prompt.row, prefix)

    def remember(self, row: int, tokens: tuple[int, ...], adapter: str | None) -> None:
        """Keep a copy of what a row holds for prompts that begin like it."""
        memory, spec = self.memory, self.memory.spec
        size = len(tokens) * spec.layers * spec.kv_heads * spec.slot_bytes
        if size <= self.known.limit and memory.shares and not self.known.covers(tokens, adapter):
            prefix = memory.snapshot(row, tokens)
            if prefix is not None:
                self.known.add(prefix, adapter)
