"""Any policy's choice of the prompt, and every generated token: what most published comparisons measure.

Not for long outputs: memory grows with every token. Tells a policy's choice of the prompt from what it drops later.
"""

from dataclasses import dataclass

from webfarer.core.errors import ConfigError
from webfarer.engine.caches._budgets import check_budget
from webfarer.engine.caches._wrapping import Wrapping, keeps_all, load
from webfarer.engine.policy import CachePolicy, Place


@dataclass(frozen=True)
class Policy(Wrapping):
    """Compress the prompt only.

    Attributes:
        policy: the policy that chooses.
        budget: its budget.
    """

    policy: str = "snapkv"
    budget: int | float = 2048

    def __post_init__(self) -> None:
        """Refuse a policy that chooses nothing, and a budget it cannot work with."""
        check_budget(self, "budget")
        if keeps_all(self.inner):
            raise ConfigError(f"cache policy {self.spec}: {self.policy} keeps everything; name a policy that chooses")

    @property
    def inner(self) -> CachePolicy:
        """The policy that chooses."""
        return load(self.policy, (("budget", self.budget),))

    @property
    def frozen(self) -> bool:
        """Nothing goes once the prompt was read."""
        return True

    def room(self, t: int, place: Place) -> int | None:
        """No limit."""
        return None
