"""Cache policies inside transformers' own `generate`: in a context, a model's attention and cache are the engine's.

Not the engine: loading, scheduling and sampling stay transformers'; slots, choice and attention are one
:class:`~webfarer.engine.memory.Memory` with a row for each row of the batch. The attention function is registered
without a mask function, so transformers builds no mask; which columns are padding is read from the position ids.
Invariant: a padded row gives what it gives alone, and after the context the model is as it was.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol, cast

import torch
from transformers import AttentionInterface, Cache, PreTrainedModel

from webfarer.core.errors import ConfigError
from webfarer.engine.accounts import RowStats
from webfarer.engine.families import Placement, spec_of
from webfarer.engine.memory import Attend, Memory
from webfarer.engine.policy import CachePolicy, parse
from webfarer.engine.spec import Spec

NAME = "webfarer"
"""Our attention's id among those of transformers."""


class CacheFor(Protocol):
    """Makes one cache for one conversation, or for one batch of them."""

    def __call__(
        self, inputs: Mapping[str, Any] | torch.Tensor | None = None, *, new: int | None = None
    ) -> "StockCache":
        """Make a cache.

        Args:
            inputs: what `generate` will be given; its attention mask, if it has one, is compared with what arrives.
            new: the largest number of tokens to be generated, for policies whose budget grows towards it.
        """


class Session:
    """One model while its attention is ours.

    Attributes:
        spec, policy: what every cache is made with.
        open: whether the context has not been left.
        here: per thread, the cache that a layer has just given its keys to: its attention function is not told.
    """

    def __init__(self, model: PreTrainedModel, policy: CachePolicy) -> None:
        """Check that the model is one of ours and that the policy can work with it."""
        self.spec, self.policy, self.open = _spec(model), policy, True
        self.here = threading.local()
        Memory(self.spec, policy, 0)

    def cache_for(
        self, inputs: Mapping[str, Any] | torch.Tensor | None = None, *, new: int | None = None
    ) -> "StockCache":
        """Make a cache (:class:`CacheFor`)."""
        mask = inputs.get("attention_mask") if isinstance(inputs, Mapping) else None
        return StockCache(self, mask, new)


_sessions: dict[int, Session] = {}
_lock = threading.Lock()


@contextmanager
def compress(model: PreTrainedModel, policy: str | CachePolicy) -> Iterator[CacheFor]:
    """Let a transformers model generate with a compressed cache.

    ::

        with compress(model, "scope:prompt=2048,recent=256,heavy=256") as cache_for:
            model.generate(**inputs, past_key_values=cache_for(inputs), max_new_tokens=4096)

    Greedy search, sampling and beam search, left-padded batches and further turns on the same cache work as ever.

    Args:
        model: a causal model of a family in :data:`~webfarer.engine.families.FAMILIES`, on one device.
        policy: a cache policy or its text.

    Raises:
        ConfigError: this model, or this model with this policy, is not supported; the message names what is in the way.
    """
    session = Session(model, parse(policy) if isinstance(policy, str) else policy)
    config = model.config
    with _lock:
        if id(config) in _sessions:
            raise ConfigError("this model's cache is being compressed already; leave that `compress` context first")
        _sessions[id(config)] = session
    before = config._attn_implementation
    try:
        config._attn_implementation = NAME
        yield session.cache_for
    finally:
        config._attn_implementation = before
        session.open = False
        del _sessions[id(config)]


def _spec(model: PreTrainedModel) -> Spec:
    """Describe a model; its device and dtype are those of its keys, known at the first forward."""
    config = model.config
    spec = spec_of(config, Placement(config.model_type, model.dtype, model.device))
    if model.training:
        raise ConfigError("a compressed cache is for generating; call model.eval() first")
    if len({p.device for p in model.parameters()}) > 1:
        raise ConfigError("this model's layers are spread over several devices; load it onto one")
    if config.output_attentions:
        raise ConfigError(
            "output_attentions is not supported: no step computes attention to dropped tokens; turn it off"
        )
    layers = [m for m in model.modules() if hasattr(m, "layer_idx") and getattr(m, "config", None) is config]
    if len({m.layer_idx for m in layers}) != spec.layers:
        raise ConfigError(f"the attention of {type(model).__name__} is not transformers' own; load the plain model")
    rope = config.rope_parameters
    by_kind = [rope] if "rope_type" in rope else [p for p in rope.values() if isinstance(p, Mapping)]
    moving = any(p.get("rope_type") in ("dynamic", "longrope") for p in by_kind)
    return replace(spec, rotary=tuple(replace(r, dynamic=r.dynamic or moving) for r in spec.rotary))


@torch.no_grad()
def attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attend with the cache that was just handed `key` and `value`; the interface is transformers'.

    Args:
        module: the attention layer.
        query: [B, Hq, Q, D]. key, value: [B, Hkv, Q, D], the new tokens' only.
        attention_mask: None, for no mask is built under our name.
        **options: scaling, sliding_window, softcap, position_ids, …

    Returns:
        [B, Q, Hq, D], and no weights.
    """
    session = _sessions.get(id(module.config))
    cache: StockCache | None = None if session is None else session.here.__dict__.pop("cache", None)
    if session is None or cache is None:
        raise ConfigError(
            "the model ran without a cache made by cache_for; pass past_key_values=cache_for(inputs) and leave "
            "use_cache on. A longrope model also drops its cache where it passes original_max_position_embeddings"
        )
    if attention_mask is not None or options.get("output_attentions"):
        what = "output_attentions" if attention_mask is None else "a mask of four dimensions"
        raise ConfigError(f"{what} is not supported with a compressed cache; leave it out")
    if torch.compiler.is_compiling():
        raise ConfigError("a compressed cache does not work in a compiled model; use the model as it was before")
    layer = cast(int, module.layer_idx)
    heads = cache.spec.windows[layer], cache.spec.scale, cache.spec.softcap
    given = options.get("sliding_window"), options["scaling"], options.get("softcap")
    if heads != given:
        raise ConfigError(f"layer {layer} attends with window, scale, soft-cap {given}, its config says {heads}")
    return cache.attend(layer, (query, key, value), options["position_ids"]), None


AttentionInterface.register(NAME, attention)


class StockCache(Cache):
    """The cache of one `generate` and of the turns that follow it; it holds a policy's choice of the tokens seen.

    Attributes:
        memory: the slots, a row for each row of the batch (beams and return sequences included); None before the first
            forward.
    """

    def __init__(self, session: Session, mask: torch.Tensor | None, new: int | None) -> None:
        """Make an empty cache; see :class:`CacheFor`."""
        super().__init__(layers=[])
        self.spec = session.spec
        self.memory: Memory | None = None
        self._session, self._mask, self._new = session, mask, new
        self._columns = self._next = 0
        self._attend: Attend | None = None
        self._real: torch.Tensor | None = None

    def stats(self) -> list[RowStats]:
        """Return what each row holds, read and gave up."""
        return [] if self.memory is None else [self.memory.stats(row) for row in range(self.memory.active)]

    @property
    def bytes(self) -> int:
        """Bytes allocated."""
        return 0 if self.memory is None else self.memory.bytes

    def kept_positions(self, layer: int, row: int, head: int) -> list[int]:
        """Return the positions a KV head holds, ascending; a row's first token that is not padding has position 0."""
        return [] if self.memory is None else self.memory.kept_positions(layer, row, head)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Take note of a layer's new keys and values, and hand them on to :func:`attention`."""
        if not self._session.open:
            raise ConfigError("this cache's `compress` context has been left; go on inside of it")
        unread = self._session.here.__dict__.pop("cache", None)
        if layer_idx != self._next or unread is not None:
            raise ConfigError(
                "a cache was given to another model, or a forward with it did not finish; make a new one with cache_for"
            )
        self._session.here.cache = self
        return key_states, value_states

    def attend(self, layer: int, new: tuple[torch.Tensor, ...], positions: torch.Tensor) -> torch.Tensor:
        """Attend to the tokens held and to the new ones, then keep what the policy chooses.

        Args:
            layer: which.
            new: queries [B, Hq, Q, D], keys and values [B, Hkv, Q, D].
            positions: of the new tokens, [B or 1, Q].
        """
        rows, _, count, _ = new[0].shape
        self._next = -1
        if layer == 0:
            self._attend = self._forward(new[1], positions)
        assert self._attend is not None
        real = self._real
        flat = [t.transpose(1, 2).flatten(0, 1) for t in new]
        out = self._attend(layer, *(flat if real is None else [t[real] for t in flat]))
        if real is not None:
            out = torch.zeros_like(flat[0]).index_copy(0, real, out)
        self._next = (layer + 1) % self.spec.layers
        return out.view(rows, count, *out.shape[1:])

    def _forward(self, keys: torch.Tensor, positions: torch.Tensor) -> Attend:
        """Begin a forward: a prompt, one more token a row, or another turn."""
        rows, _, count, _ = keys.shape
        memory, self._real = self.memory, None
        if memory is not None and memory.active != rows:
            raise ConfigError(
                f"this cache holds {memory.active} rows and was given {rows}; make a new one with cache_for"
            )
        seen, self._columns = self._columns, self._columns + count
        if memory is not None and count == 1:
            return memory.decode()
        real = self._tokens(positions.expand(rows, count), seen)
        lengths = [int(length) for length in real.sum(-1).tolist()]
        self._real = None if min(lengths) == count else real.flatten().nonzero()[:, 0]
        if memory is not None:
            return memory.extend(range(rows), lengths)
        memory = Memory(replace(self.spec, dtype=keys.dtype, device=keys.device), self._session.policy, rows)
        for length in lengths:
            memory.open(length, self._new)
        self.memory = memory
        return memory.prefill(range(rows), lengths)

    def _tokens(self, positions: torch.Tensor, seen: int) -> torch.Tensor:
        """Return which columns are tokens: positions that go on where their row stands; padding has position 0."""
        rows, count = positions.shape
        held = torch.tensor([0] * rows if self.memory is None else self.memory.positions, device=positions.device)
        real = positions >= held[:, None]
        if seen == 0:  # the first token has position 0 as well; behind padding comes another 0
            real[:, :-1] = positions[:, 1:] > 0
        wrong = positions != torch.where(real, held[:, None] + real.cumsum(-1) - 1, 0)
        good = real[:, -1] & ~wrong.any(-1)
        if self._mask is not None and seen == 0 and rows % len(self._mask) == 0:
            said = self._mask[:, :count].to(real).repeat_interleave(rows // len(self._mask), 0)
            good &= (real == said).all(-1)
        bad = [row for row, fits in enumerate(good.tolist()) if not fits]
        if bad:
            raise ConfigError(
                f"rows {bad}: the positions of the new tokens do not go on where the cache stands; pad on the left, "
                "give generate the attention mask (in a further turn that of all columns, with ones for all that was "
                "generated) and to cache_for too, and leave use_cache on"
            )
        return real

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Let row i go on from what row `beam_idx[i]` holds."""
        self.batch_select_indices(beam_idx)

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows only, in this order."""
        if self.memory is not None:
            self.memory.select(indices.tolist())

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat each row."""
        if self.memory is not None:
            self.memory.select([row for row in range(self.memory.active) for _ in range(repeats)])

    def reset(self) -> None:
        """Forget everything."""
        self.memory, self._columns, self._next = None, 0, 0

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Return how many columns were seen, padding and dropped tokens included."""
        return self._columns

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        """Return the length and offset of a mask over everything seen."""
        return self._columns + query_length, 0

    def get_max_length(self, layer_idx: int | None = None) -> int:
        """There is no largest length."""
        return -1

    def crop(self, tokens_to_remove: int) -> None:
        """Refuse: dropped tokens cannot be brought back."""
        raise ConfigError(
            "a compressed cache cannot take tokens back, which assisted generation (assistant_model, "
            "prompt_lookup_num_tokens) needs; generate without it"
        )

    def activate_past_recording(self) -> None:
        """Refuse: see :meth:`crop`."""
        self.crop(0)

    @property
    def is_croppable(self) -> bool:
        """Tokens cannot be taken back."""
        return False

    @property
    def is_initialized(self) -> bool:
        """Whether anything was seen."""
        return self.memory is not None

    def __len__(self) -> int:
        """Layers that hold something."""
        return 0 if self.memory is None else self.spec.layers
