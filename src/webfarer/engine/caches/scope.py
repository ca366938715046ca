"""SCOPE: the prompt is compressed once and frozen, generated tokens have a pool of their own (arXiv 2412.13649).

Of the prompt `prompt` slots stay: the last `window` tokens and the best of another policy's score. Of the t generated
tokens the newest b2 = `recent` stay, and of the older ones those that received most attention:

    slide           b1 = `heavy` of them, from the first token too many on
    adaptive        b1(t) = floor((t - b2) b1 / (T - b2)), where T is how many tokens may come
    discontinuous   as adaptive, but chosen only every (T - b2) // b1 steps, or when b1 + b2 would be passed
    none            all of them

so the long output never crowds the prompt out. `recent` below 128 costs much quality with the growing pools.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import check_budget, check_slots
from webfarer.engine.caches._wrapping import Wrapping, load
from webfarer.engine.policy import CachePolicy, Place
from webfarer.engine.view import Group, View

Strategy = Literal["slide", "adaptive", "discontinuous", "none"]


@dataclass(frozen=True)
class Policy(Wrapping):
    """Two pools: prompt and generated tokens.

    Attributes:
        prompt: slots per KV head for the prompt, or a share of it.
        window: last tokens of the prompt that stay.
        heavy: b1, slots for older generated tokens.
        recent: b2, newest generated tokens that stay.
        strategy: how the pool of generated tokens grows.
        rate: older tokens that stay per generated one, for the growing pools in place of what T says. Without it and
            without T, every doubling of the output grants half of what is left of b1.
        relaxed: discontinuous as in the paper: between two choices the pool may pass b1 + b2.
        mode: attention summed over all steps, or that of the current query only.
        decay: factor on the sum before every step.
        group: how query heads that share a KV head are put together.
        kernel: width of the pooling of the prompt's scores.
        prefill: the policy that scores the prompt.
    """

    prompt: int | float = 2048
    window: int = 8
    heavy: int = 256
    recent: int = 256
    strategy: Strategy = "slide"
    rate: float | None = None
    relaxed: bool = False
    mode: Literal["accumulate", "current"] = "accumulate"
    decay: float = 1.0
    group: Group = "mean"
    kernel: int = 7
    prefill: str = "snapkv"

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work together."""
        check_budget(self, "prompt")
        check_slots(self, "window", 0)
        check_slots(self, "heavy", 0)
        check_slots(self, "recent", 1)
        if isinstance(self.prompt, int) and self.window >= self.prompt:
            raise ConfigError(f"cache policy {self.spec}: window must be less than prompt")
        if not 0 <= self.decay <= 1 or (self.rate is not None and not 0 < self.rate <= 1):
            raise ConfigError(f"cache policy {self.spec}: decay and rate must be between 0 and 1")
        self._load()

    @property
    def inner(self) -> CachePolicy:
        """The policy that scores the prompt."""
        return self._load()

    def _load(self) -> CachePolicy:
        settings = ("window", self.window), ("kernel", self.kernel), ("group", self.group), ("budget", self.prompt)
        return load(self.prefill, settings)

    @property
    def frozen(self) -> bool:
        """The prompt's slots are never touched again."""
        return True

    @property
    def reads(self) -> Literal["none", "latest", "accumulated"]:
        """As the mode says."""
        if self.strategy == "none":
            return "none"
        return "accumulated" if self.mode == "accumulate" else "latest"

    def room(self, t: int, place: Place) -> int | None:
        """The prompt's slots and the pool."""
        pool = self.pool(t, place.limit)
        return None if pool is None else place.kept + pool

    def pool(self, t: int, limit: int | None) -> int | None:
        """Return how many of `t` generated tokens may stay when at most `limit` come, or None: nothing goes now."""
        if self.strategy == "slide":
            return self.recent + self.heavy
        if self.strategy == "none" or t <= self.recent:
            return None
        if self.strategy == "adaptive" or self.selects(t, limit):
            return self.recent + self.granted(t, limit)
        return None if self.relaxed else self.recent + self.heavy

    def granted(self, t: int, limit: int | None) -> int:
        """Return b1(t), the slots older tokens have got by now; it never shrinks and never passes `heavy`."""
        older = t - self.recent
        if self.rate is not None:
            return min(self.heavy, int(self.rate * older))
        if limit is None:
            return self._doubling(t)
        return self.heavy if t >= limit else older * self.heavy // (limit - self.recent)

    def _doubling(self, t: int) -> int:
        begin, end, before = self.recent, 2 * self.recent, 0
        step = self.heavy // 2
        while t > end:
            before, begin, end = before + step, end, 2 * end
            step = (self.heavy - before) // 2
        return before + (t - begin) * step // (end - begin)

    def selects(self, t: int, limit: int | None) -> bool:
        """Return whether the discontinuous strategy chooses after `t` tokens: once for every slot the pool grows by."""
        if self.rate is not None or limit is None:
            return self.granted(t, limit) > self.granted(t - 1, limit)
        return (t - self.recent) % max(1, (limit - self.recent) // max(1, self.heavy)) == 0

    def score(self, view: View) -> torch.Tensor:
        """Return the inner policy's score of the prompt, and the attention received of generated tokens."""
        if view.prefill:
            return self.inner.score(view)
        return view.received(None if self.mode == "accumulate" else 1, self.group)
