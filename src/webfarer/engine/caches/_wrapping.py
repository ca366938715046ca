"""Policies that use another one's choice of the prompt: which policy that is, and what it decides.

Not a policy of its own. The inner policy is named by id, and gets those of the outer one's settings it knows; its pins,
its numbers per layer and head and its score of a prompt stand, what happens while tokens are generated is the outer's.
"""

import dataclasses
from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.policy import CACHES, CachePolicy
from webfarer.engine.view import View


@lru_cache(maxsize=256)
def load(policy: str, settings: tuple[tuple[str, Any], ...]) -> CachePolicy:
    """Return the policy of that id with those of the settings that are its own.

    Raises:
        UnknownPlugin: no such policy.
        ConfigError: it cannot stand inside another one.
    """
    cls = CACHES.load(policy)
    if issubclass(cls, Wrapping):
        raise ConfigError(f"cache policy {policy} uses another policy's choice itself; name that one")
    known = {f.name for f in dataclasses.fields(cls)}
    inner: CachePolicy = cls(**{name: value for name, value in settings if name in known})
    if inner.read is not None or inner.rerotates:
        raise ConfigError(f"cache policy {policy} chooses anew at every step; it has no choice of the prompt to use")
    return inner


def keeps_all(policy: CachePolicy) -> bool:
    """Whether the policy never has to say which slots go."""
    return type(policy).score is CachePolicy.score


class Wrapping(CachePolicy, ABC):
    """The base of the policies with another one inside."""

    @property
    @abstractmethod
    def inner(self) -> CachePolicy:
        """The policy whose choice of the prompt is used."""

    @property
    def ragged(self) -> bool:
        """As the inner policy."""
        return self.inner.ragged

    @property
    def sinks(self) -> int:
        """As the inner policy."""
        return self.inner.sinks

    @property
    def window(self) -> int:
        """As the inner policy."""
        return self.inner.window

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """As the inner policy."""
        return self.inner.keep(prompt, layer, layers)

    def source(self, layer: int, layers: int) -> int:
        """As the inner policy."""
        return self.inner.source(layer, layers)

    def profile(self, layer: int, layers: int) -> int:
        """As the inner policy."""
        return self.inner.profile(layer, layers)

    def score(self, view: View) -> torch.Tensor:
        """As the inner policy."""
        return self.inner.score(view)

    def allot(self, view: View, scores: torch.Tensor, total: int) -> torch.Tensor:
        """As the inner policy."""
        return self.inner.allot(view, scores, total)
