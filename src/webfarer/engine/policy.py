"""What a cache policy is: integers for how much stays, one score for what stays.

A policy is a frozen dataclass. It holds no state of any sequence; the engine owns positions, pins, budgets, batching
and the slots themselves, and reads a policy's capabilities as attributes. Scores are per KV head; the higher one
stays, and between equals the newer one does. One file each in `engine/caches/`.
"""

import typing
from dataclasses import dataclass
from typing import Literal

import torch

from webfarer.core.errors import ConfigError
from webfarer.core.registry import Seam
from webfarer.core.specs import made, spec_of
from webfarer.engine.view import Group, View

CACHES = Seam("webfarer.engine.caches", "Policy", "cache policy")


@dataclass(frozen=True, slots=True)
class Place:
    """One sequence in one layer.

    Attributes:
        layer, layers: which layer, of how many.
        prompt: tokens of the prompt.
        kept: how many of them every head keeps after prefill (on average, where heads differ).
        limit: the largest number of tokens that will be generated, or None when nobody knows.
    """

    layer: int
    layers: int
    prompt: int
    kept: int
    limit: int | None


class CachePolicy:
    """The base of every policy: keeps everything. Properties tell the engine; a policy's fields may replace them."""

    @property
    def frozen(self) -> bool:
        """Whether no slot of the prompt is given up while tokens are generated."""
        return False

    @property
    def ragged(self) -> bool:
        """Whether heads keep different numbers of the prompt's slots; such a policy is `frozen`."""
        return False

    @property
    def rerotates(self) -> bool:
        """Whether keys are read at contiguous positions 0…n-1 instead of those they were computed at."""
        return False

    @property
    def reads(self) -> Literal["none", "latest", "accumulated"]:
        """Which attention `score` needs while tokens are generated."""
        return "none"

    @property
    def decay(self) -> float:
        """Factor on accumulated attention before a step's is added."""
        return 1.0

    @property
    def group(self) -> Group:
        """How the query heads that share a KV head are put together."""
        return "mean"

    @property
    def read(self) -> int | None:
        """How many slots a step may attend to, the rest being stored only; None for all."""
        return None

    @property
    def sinks(self) -> int:
        """First positions that are never dropped."""
        return 0

    @property
    def window(self) -> int:
        """Last positions of the prompt that are always kept after prefill."""
        return 0

    @property
    def recent(self) -> int:
        """Newest positions that are never dropped while tokens are generated."""
        return 0

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """Return how many of `prompt` tokens a KV head of `layer` keeps after prefill; at least 1, at most `prompt`."""
        return prompt

    def room(self, t: int, place: Place) -> int | None:
        """Return how many slots a KV head may hold at rest after `t` generated tokens, or None: drop nothing now."""
        return None

    def source(self, layer: int, layers: int) -> int:
        """Return the layer, not a later one, whose choice of prompt tokens `layer` uses."""
        return layer

    def profile(self, layer: int, layers: int) -> int:
        """Return a number that is equal for layers with the same `keep` and `room`."""
        return 0

    def score(self, view: View) -> torch.Tensor:
        """Return how much each slot deserves to stay, [rows, KV heads, slots]."""
        raise ConfigError(f"cache policy {self.spec} drops slots but does not say which")

    def allot(self, view: View, scores: torch.Tensor, total: int) -> torch.Tensor:
        """Return how many prompt slots each head keeps, [1, KV heads], adding up to `total`; for `ragged` policies."""
        return torch.full(scores.shape[:2], total // scores.shape[1], device=scores.device)

    @property
    def spec(self) -> str:
        """The policy as :func:`parse` reads it."""
        return spec_of(self)


def parse(spec: str) -> CachePolicy:
    """Read a policy from text: "full", "scope:prompt=2048,recent=256,heavy=256,strategy=slide".

    Raises:
        UnknownPlugin: no such policy.
        ConfigError: an unknown or unreadable parameter, or values that cannot work together.
    """
    return typing.cast(CachePolicy, made(CACHES, spec))
