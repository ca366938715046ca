"""The body of a decoder: tokens in, hidden states and logits out, for every family of the table.

It knows no batch: the tokens of all sequences lie in one row, and whoever calls hands in what attention is
(:data:`Attend`), so that caches, selection and batching live elsewhere. Not for training: it runs in inference mode.
Invariant: with dense causal attention the logits are those of transformers' own model.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from webfarer.engine.adapters import Layout, Rows
from webfarer.engine.families import Activation
from webfarer.engine.linears import Projection
from webfarer.engine.norms import Norm
from webfarer.engine.rope import Turn, rotate, turn_of
from webfarer.engine.spec import Spec

Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""attend(layer, q [N, Hq, D], k [N, Hkv, D], v [N, Hkv, D]) -> [N, Hq, D]; q and k are rotated; all may be views."""

Update = Callable[[str, Tensor, Tensor], None]
"""update(site, x, y) adds the adapters' updates of a layer's projection to `y`."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Weights of one layer; a norm that the family does not have is None.

    Attributes:
        qkv, out, gate_up, down: the four projections.
        before_attention, before_mlp: norms of what a part reads.
        after_attention, after_mlp: norms of what a part adds.
        heads: norm of query and key heads, with a factor per head.
    """

    qkv: Projection
    out: Projection
    gate_up: Projection
    down: Projection
    before_attention: Norm
    before_mlp: Norm
    after_attention: Norm | None = None
    after_mlp: Norm | None = None
    heads: Norm | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Both ends of a decoder: tokens to vectors, vectors to logits.

    Attributes:
        table: the embedding, [vocab, d]; the head may share it.
        factor: on the embedding, or None.
        norm: the last one.
        head: to the logits.
        softcap: logits become softcap * tanh(logits / softcap), or None.
    """

    table: Tensor
    factor: float | None
    norm: Norm
    head: Projection
    softcap: float | None

    def embed(self, tokens: Tensor) -> Tensor:
        """Return the vectors [N, d] of `tokens` [N]."""
        x = functional.embedding(tokens, self.table)
        return x if self.factor is None else x.mul_(self.factor)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits [n, vocab] of `hidden` [n, d], in float32 or wider."""
        logits = self.head(self.norm(hidden))
        if logits.dtype != torch.float64:
            logits = logits.float()
        if self.softcap is None:
            return logits
        return logits.div_(self.softcap).tanh_().mul_(self.softcap)


class Decoder:
    """A model's weights and what to do with them.

    Attributes:
        spec: its shape.
        layout: where the linears of the original model are, for adapters.
    """

    def __init__(
        self, spec: Spec, layout: Layout, layers: Sequence[Layer], ends: Vocabulary, activation: Activation
    ) -> None:
        """Put the parts together; :func:`webfarer.engine.assembly.decoder_of` makes them."""
        self.spec = spec
        self.layout = layout
        self._layers = tuple(layers)
        self._ends = ends
        self._activation = activation
        self._rotaries = tuple(dict.fromkeys(spec.rotary))
        self._kinds = tuple(self._rotaries.index(rotary) for rotary in spec.rotary)
        self._inner = layout.sizes["down"][0]

    @torch.inference_mode()
    def forward(
        self,
        tokens: Tensor,
        positions: Tensor,
        attend: Attend,
        adapters: Rows | None = None,
        ends: tuple[Tensor, Rows | None] | None = None,
    ) -> Tensor:
        """Run all layers over `tokens` [N] at `positions` [N]; return the hidden states [N, d] before the last norm.

        Args:
            tokens: of any number of sequences, one after another.
            positions: of each token in its sequence.
            attend: called once per layer, in order.
            adapters: which tokens use which; None when none does.
            ends: the tokens [n] whose hidden states are returned, and which of them use which adapter; None for all.
                What others would be after the last attention is not computed.
        """
        turns = [turn_of(rotary, positions, self.spec.dtype) for rotary in self._rotaries]
        x = self._ends.embed(tokens)
        for index, layer in enumerate(self._layers):
            update = partial(adapters.add, index) if adapters else None
            qkv = _project(layer.qkv, layer.before_attention(x), "qkv", update)
            q, k, v = self._heads(qkv, layer.heads, turns[self._kinds[index]])
            out = attend(index, q, k, v).flatten(1)
            if ends is not None and index == len(self._layers) - 1:
                x, out = x.index_select(0, ends[0]), out.index_select(0, ends[0])
                update = partial(ends[1].add, index) if ends[1] else None
            _add(x, layer.out, out, "out", layer.after_attention, update)
            gate_up = _project(layer.gate_up, layer.before_mlp(x), "gate_up", update)
            gated = self._activation(gate_up[:, : self._inner]).mul_(gate_up[:, self._inner :])
            _add(x, layer.down, gated, "down", layer.after_mlp, update)
        return x

    @torch.inference_mode()
    def logits(self, hidden: Tensor) -> Tensor:
        """Return the logits [n, vocab] of hidden states [n, d], in float32, or float64 for a float64 model."""
        return self._ends.logits(hidden)

    def _heads(self, qkv: Tensor, norm: Norm | None, turn: Turn) -> tuple[Tensor, Tensor, Tensor]:
        spec = self.spec
        turned = spec.heads + spec.kv_heads
        heads = qkv.view(len(qkv), -1, spec.head_dim)
        qk = heads[:, :turned]
        qk = rotate(qk if norm is None else norm(qk), turn)
        return qk[:, : spec.heads], qk[:, spec.heads :], heads[:, turned:]


def _project(projection: Projection, x: Tensor, site: str, update: Update | None) -> Tensor:
    y = projection(x)
    if update is not None:
        update(site, x, y)
    return y


def _add(base: Tensor, projection: Projection, x: Tensor, site: str, norm: Norm | None, update: Update | None) -> None:
    """Add what a part gives to the residual stream, in place; without a norm between, in the same operation."""
    if norm is not None:
        base += norm(_project(projection, x, site, update))
        return
    projection.onto(x, base)
    if update is not None:
        update(site, x, base)
