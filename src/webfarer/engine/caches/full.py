"""Keeps everything: the cache every other policy is compared with."""

from dataclasses import dataclass

from webfarer.engine.policy import CachePolicy


@dataclass(frozen=True)
class Policy(CachePolicy):
    """The full cache."""

    @property
    def frozen(self) -> bool:
        """Nothing is ever dropped."""
        return True
