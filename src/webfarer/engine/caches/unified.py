"""One budget for everything: prompt and generated tokens compete under any policy's score, as SCOPE's baselines do.

The counterpart of `scope`, whose prompt has slots of its own (arXiv 2412.13649, §4). A policy that scores prompts only
goes on with the attention received, summed over all queries. With `every` several tokens are dropped at once; a choice
leaves so many slots free that the budget is not passed before the next.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import check_budget, check_slots, slots
from webfarer.engine.caches._wrapping import Wrapping, keeps_all, load
from webfarer.engine.policy import CachePolicy, Place
from webfarer.engine.view import Group, View


@dataclass(frozen=True)
class Policy(Wrapping):
    """Everything competes.

    Attributes:
        policy: the policy that scores.
        budget: slots per KV head, or a share of the prompt.
        every: steps from one choice to the next.
    """

    policy: str = "snapkv"
    budget: int | float = 2560
    every: int = 1

    def __post_init__(self) -> None:
        """Refuse a policy that cannot score what is generated, and a budget its pins and the interval fill up."""
        check_slots(self, "every", 1)
        check_budget(self, "budget", self.every)
        if keeps_all(self.inner) or self.inner.ragged:
            raise ConfigError(
                f"cache policy {self.spec}: {self.policy} cannot order all slots of a head; name a policy that can"
            )
        if isinstance(self.budget, int) and self.budget < (least := self._pins + self.every - 1):
            raise ConfigError(f"cache policy {self.spec}: budget must be {least} or more, for what always stays")

    @property
    def inner(self) -> CachePolicy:
        """The policy that scores."""
        left = self.budget - self.every + 1 if isinstance(self.budget, int) else self.budget
        return load(self.policy, (("budget", left),))

    @property
    def _prompts_only(self) -> bool:
        return type(self.inner).room is CachePolicy.room

    @property
    def _pins(self) -> int:
        return self.sinks + self.recent

    @property
    def reads(self) -> Literal["none", "latest", "accumulated"]:
        """As the inner policy, or all attention received if it scores prompts only."""
        return "accumulated" if self._prompts_only else self.inner.reads

    @property
    def decay(self) -> float:
        """As the inner policy."""
        return self.inner.decay

    @property
    def group(self) -> Group:
        """As the inner policy."""
        return self.inner.group

    @property
    def recent(self) -> int:
        """As the inner policy; one that scores prompts only protects its window wherever the newest tokens are."""
        return self.inner.window if self._prompts_only else self.inner.recent

    def level(self, prompt: int) -> int:
        """Return how many slots a choice leaves."""
        return max(slots(self.budget, prompt) - self.every + 1, self._pins, 1)

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """As the inner policy, but no more than a choice leaves."""
        return min(self.inner.keep(prompt, layer, layers), self.level(prompt))

    def room(self, t: int, place: Place) -> int | None:
        """What a choice leaves, whenever one is made."""
        return None if t % self.every else self.level(place.prompt)

    def score(self, view: View) -> torch.Tensor:
        """Return the inner policy's score, or all attention received."""
        if self._prompts_only and not view.prefill:
            return view.received(None, self.group)
        return self.inner.score(view)
