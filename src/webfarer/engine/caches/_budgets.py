"""Budgets that several policies share: so many slots, or a share of the prompt.

Not a policy of its own. A policy of this kind holds `budget` slots per KV head at rest, prompt and generated tokens
together, and never one more. Whole numbers are slots, numbers below 1 are shares of the prompt.
"""

from dataclasses import dataclass

from webfarer.core.errors import ConfigError
from webfarer.engine.policy import CachePolicy, Place

_ROUNDING = 1e-9  # 0.29 * 100 is a little less than 29


def slots(budget: int | float, prompt: int) -> int:
    """Return how many slots `budget` is for a prompt of so many tokens; at least 1."""
    return budget if isinstance(budget, int) else max(1, int(budget * prompt + _ROUNDING))


def check_budget(policy: CachePolicy, field: str, least: int = 1) -> None:
    """Refuse a budget that is neither `least` slots or more, nor a share between 0 and 1.

    Raises:
        ConfigError: says which field of which policy, and what it may be.
    """
    value = getattr(policy, field)
    if (isinstance(value, int) and value < least) or (isinstance(value, float) and not 0 < value < 1):
        raise ConfigError(
            f"cache policy {policy.spec}: {field} must be {least} slots or more, or a share of the prompt, above 0 "
            "and below 1"
        )


def check_slots(policy: CachePolicy, field: str, least: int) -> None:
    """Refuse a number of slots that is not whole, or is less than `least`.

    Raises:
        ConfigError: says which field of which policy, and what it may be.
    """
    value = getattr(policy, field)
    if not isinstance(value, int) or value < least:
        raise ConfigError(f"cache policy {policy.spec}: {field} must be a whole number of slots, {least} or more")


@dataclass(frozen=True)
class Budgeted(CachePolicy):
    """Prompt and generated tokens compete for one budget.

    Attributes:
        budget: slots per KV head, or a share of the prompt.
    """

    budget: int | float = 512

    def __post_init__(self) -> None:
        """Refuse a budget that cannot be."""
        check_budget(self, "budget")

    def keep(self, prompt: int, layer: int, layers: int) -> int:
        """As many as the budget holds."""
        return min(prompt, slots(self.budget, prompt))

    def room(self, t: int, place: Place) -> int | None:
        """The budget, at every step."""
        return slots(self.budget, place.prompt)
