"""What a policy may look at when it scores slots: keys, positions, and the attention slots received.

One class for both moments. After the prompt was read a view holds one prompt with all its tokens, and attention is
computed when it is asked for, in blocks of queries, so that no matrix of prompt x prompt exists. While tokens are
generated it holds the slots of all rows, and the attention that was kept up for them.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.attention import Heads, received

Group = Literal["mean", "max", "sum"]


def grouped(attention: torch.Tensor, group: Group) -> torch.Tensor:
    """Aggregate [..., G, S] over the G query heads that share a KV head."""
    if group == "max":
        return attention.amax(-2)
    total = attention.sum(-2)
    return total.mul_(1 / attention.shape[-2]) if group == "mean" else total


@dataclass(eq=False)
class View:
    """The slots of one layer.

    Attributes:
        layer, layers: which layer, of how many.
        now: tokens seen so far, [rows, 1, 1].
        query: the latest query of each head, [rows, KV heads, G, D].
        heads: scale, softcap, window of the layer.
    """

    layer: int
    layers: int
    now: torch.Tensor
    query: torch.Tensor
    heads: Heads
    _slots: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    _span: slice
    _queries: torch.Tensor | None = None
    _seen: torch.Tensor | None = None
    _before: torch.Tensor | None = None
    _latest: torch.Tensor | None = None
    _accumulated: torch.Tensor | None = None
    _cache: dict[tuple[int | None, Group], torch.Tensor] = field(default_factory=dict)

    @classmethod
    def of_prompt(
        cls,
        place: tuple[int, int],
        q: torch.Tensor,
        slots: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        heads: Heads,
        before: torch.Tensor | None = None,
    ) -> "View":
        """Return the view of one prompt.

        Args:
            place: layer, and of how many.
            q: queries of its last Q tokens, [H, G, Q, D].
            slots: keys, values [H, S, D], positions [H, S].
            heads: how the layer attends.
            before: attention that the first slots had already received, [H, fewer than S].
        """
        keys, values, positions = slots
        now = positions[None, :1, -1:] + 1
        slots = keys[None], values[None], positions[None]
        view = cls(*place, now, q[None, :, :, -1], heads, slots, slice(0, keys.shape[1]))
        view._queries, view._seen, view._before = q, keys, before
        return view

    @property
    def keys(self) -> torch.Tensor:
        """[rows, KV heads, slots, D], rotated to their positions."""
        return self._slots[0][: len(self.query), :, self._span]

    @property
    def values(self) -> torch.Tensor:
        """[rows, KV heads, slots, D]."""
        return self._slots[1][: len(self.query), :, self._span]

    @property
    def positions(self) -> torch.Tensor:
        """[rows, KV heads, slots], -1 where a slot is empty; empty slots' scores are ignored."""
        return self._slots[2][: len(self.query), :, self._span]

    def show(self, latest: torch.Tensor, accumulated: torch.Tensor) -> None:
        """Add the attention that was kept up, each [rows, KV heads, slots]."""
        self._latest, self._accumulated = latest, accumulated

    def narrow(self, start: int) -> "View":
        """Return the view of the slots from `start` on; the attention they received is as before."""
        if start == 0:
            return self
        view = replace(self, _span=slice(self._span.start + start, self._span.stop), _before=None, _cache={})
        if self._latest is not None and self._accumulated is not None:
            view.show(self._latest[:, :, start:], self._accumulated[:, :, start:])
        return view

    @property
    def prefill(self) -> bool:
        """Whether this is a prompt that was just read."""
        return self._queries is not None

    @property
    def queries(self) -> torch.Tensor:
        """All queries of the prompt, [KV heads, G, Q, D].

        Raises:
            ConfigError: tokens are being generated; there is only `query`.
        """
        if self._queries is None:
            raise ConfigError("this cache policy scores prompts only; wrap it in scope: or prefill_only:")
        return self._queries

    def received(self, last: int | None = None, group: Group = "mean") -> torch.Tensor:
        """Return the attention each slot received, summed over queries, [rows, KV heads, slots], float32 or wider.

        Args:
            last: only of the last so many queries; None for every query that saw the slot. While tokens are generated
                1 (the latest) and None (accumulated) exist.
            group: how the query heads that share a KV head are put together.
        """
        if self._queries is None or self._seen is None:
            kept = self._latest if last == 1 else self._accumulated if last is None else None
            if kept is None:
                raise ConfigError("this cache policy reads attention it did not declare in `reads`")
            return kept
        if (last, group) not in self._cache:
            q = self._queries if last is None else self._queries[:, :, -last:]
            sums = received(q, self._seen, self.heads, lambda a: grouped(a, group))[:, -self.keys.shape[2] :]
            if last is None and self._before is not None:
                sums[:, : self._before.shape[1]] += self._before
            self._cache[last, group] = sums[None]
        return self._cache[last, group]
