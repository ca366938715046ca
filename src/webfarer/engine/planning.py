"""What a model needs on a device, reckoned beforehand: memory, the least time of a step, what compression can save.

Pure arithmetic, no torch unless a cache policy is handed in, whose own numbers are then used. Times are floors (every
byte read once, every product at full speed): a real step takes longer, and the work of choosing slots is left out.
Devices: NVIDIA's and AMD's data sheets as of 2026, bf16 without sparsity; the A100 is the one of 80 GB.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webfarer.core.errors import ConfigError
from webfarer.engine.lengths import Costs, best, expected
from webfarer.engine.shapes import Shape

if TYPE_CHECKING:
    from webfarer.engine.policy import CachePolicy

ACCEPTANCES = (0.5, 0.7, 0.8, 0.9)
DRAFT_COSTS = (0.05, 0.1, 0.2)
_USABLE = 0.9
"""Share of a device's memory that weights and cache may fill; the rest is for activations and the runtime."""
_LONGEST_DRAFT = 32


@dataclass(frozen=True, slots=True)
class Device:
    """A device: bytes of memory, bytes read in a second, floating-point operations in a second (bf16, dense)."""

    bytes: float
    bandwidth: float
    flops: float


DEVICES = {
    "a100": Device(80e9, 2.039e12, 312e12),
    "b200": Device(180e9, 8.0e12, 2250e12),
    "h100": Device(80e9, 3.35e12, 989e12),
    "h200": Device(141e9, 4.8e12, 989e12),
    "l4": Device(24e9, 0.3e12, 121e12),
    "l40s": Device(48e9, 0.864e12, 362e12),
    "mi300x": Device(192e9, 5.3e12, 1307e12),
    "rtx3090": Device(24e9, 0.936e12, 71e12),
    "rtx4090": Device(24e9, 1.008e12, 165e12),
}


def device_named(name: str) -> Device:
    """Return a device of the table.

    Raises:
        ConfigError: it is not there; the message lists those that are.
    """
    if name.lower() not in DEVICES:
        raise ConfigError(f"unknown device {name!r}; known: {', '.join(DEVICES)}")
    return DEVICES[name.lower()]


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked: so many sequences at once, each of a prompt and newly generated tokens."""

    prompt: int
    new: int
    batch: int

    def __post_init__(self) -> None:
        """Refuse what is no work."""
        if min(self.prompt, self.new, self.batch) < 1:
            raise ConfigError("prompt, new tokens and batch are at least 1")

    @property
    def length(self) -> int:
        """Tokens of a sequence at its end."""
        return self.prompt + self.new


@dataclass(frozen=True, slots=True)
class Holding:
    """Slots of one sequence over all layers and KV heads: the most held at once, and those the last step reads.

    A policy that chooses which slots a step reads looks at all keys to do so: half of every stored slot counts as well.
    """

    stored: int
    read: float


def holding(shape: Shape, work: Work, policy: "CachePolicy | None" = None) -> Holding:
    """Return what one sequence holds under a cache policy; None keeps everything."""
    stored, read = 0, 0.0
    known: dict[tuple[int | None, int], int] = {}
    for layer in range(shape.layers):
        window = shape.window(layer)
        key = (window, 0 if window or policy is None else policy.profile(layer, shape.layers))
        if key not in known:
            known[key] = _slots(work, layer, shape, policy)
        held = known[key]
        limit = policy.read if policy is not None and window is None else None
        stored += held * shape.kv_heads
        read += (held if limit is None or limit >= held else limit + held / 2) * shape.kv_heads
    return Holding(stored, read)


def _slots(work: Work, layer: int, shape: Shape, policy: "CachePolicy | None") -> int:
    """Return the most slots a KV head of a layer holds while the new token is attended to."""
    window = shape.window(layer)
    if window is not None or policy is None:
        return min(work.length, window or work.length)
    from webfarer.engine.plans import peak
    from webfarer.engine.policy import Place

    kept = policy.keep(work.prompt, layer, shape.layers)
    grown, _ = peak(policy, Place(layer, shape.layers, work.prompt, kept, work.new), kept, 0)
    return kept + grown


@dataclass(frozen=True, slots=True)
class Forecast:
    """What to expect of a model with one cache policy on a device.

    Attributes:
        slots: the most that a KV head holds at once, on average over heads and layers.
        cache_bytes: of all sequences.
        seconds: the least a step takes when sequences are longest.
        fits: the largest batch that the device has memory for; 0 when not even the weights fit.
    """

    slots: float
    cache_bytes: float
    seconds: float
    fits: int


def forecast(shape: Shape, work: Work, device: Device, policy: "CachePolicy | None" = None) -> Forecast:
    """Foretell memory and speed."""
    held = holding(shape, work, policy)
    each = held.stored * shape.slot_bytes
    return Forecast(
        slots=held.stored / (shape.layers * shape.kv_heads),
        cache_bytes=work.batch * each,
        seconds=step_seconds(shape, work.batch, held.read, device),
        fits=max(0, math.floor((_USABLE * device.bytes - shape.weight_bytes) / each)),
    )


def step_seconds(shape: Shape, batch: int, read: float, device: Device, tokens: int = 1) -> float:
    """Return the least time in which every sequence gets `tokens` further tokens checked or made in one pass.

    Args:
        shape: of the model.
        batch: sequences.
        read: slots read by one sequence, over all layers and KV heads.
        device: where.
        tokens: of each sequence; above 1 when drafts are verified.
    """
    moved = shape.step_bytes + batch * read * shape.slot_bytes
    attention = 4 * read * (shape.heads // shape.kv_heads) * shape.head_dim
    computed = batch * tokens * (2 * (shape.parameters - shape.lookup) + attention)
    return max(moved / device.bandwidth, computed / device.flops)


def break_even(shape: Shape, gain: float = 1.1, share: float = 0.0) -> float:
    """Return how many tokens must be held (batch x length) until compression makes a step `gain` times as quick.

    Args:
        shape: of the model.
        gain: what is worth the trouble.
        share: of its slots the compressed cache reads; 0 asks what any method could reach.

    Returns:
        Tokens; infinity when that share can never give the gain, or every layer has a window.
    """
    saved = 1 - gain * share
    if saved <= 0 or not shape.growing_bytes:
        return math.inf
    return (gain - 1) * shape.step_bytes / (shape.growing_bytes * saved)


def speculation(acceptance: float, draft: float, verify: Callable[[int], float] | None = None) -> tuple[int, float]:
    """Return the best number of drafted tokens and the speed-up it gives; (0, 1.0) when drafting does not pay.

    Args:
        acceptance: probability that a drafted token is accepted.
        draft: time of one step of the draft, in steps of the target.
        verify: time of a pass over so many tokens, in steps of the target; None: 1, whatever their number.
    """
    passes = [(tokens, verify(tokens)) for tokens in range(1, _LONGEST_DRAFT + 2)] if verify else [(1, 1.0)]
    costs = Costs(tuple(passes), ((1, draft),))
    [k] = best([acceptance], costs, _LONGEST_DRAFT)
    return k, expected(acceptance, k) / (costs.draft(1, k) + costs.verify(k + 1))
