"""Random clicks: the baseline of a walker that knows nothing of where it goes; it reads as the lexical policy does.

Asks no model, even when there is one. The same seed takes the same way.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Policy
from webfarer.agents.system import ModelUse
from webfarer.agents.systems._walking import Walking, without_model


class RandomClick(Walking):
    """Walks with the policy "random_click"."""

    model: ClassVar[ModelUse] = "never"

    def policy(self, gear: Gear) -> Policy:
        """Return the policy that clicks at random."""
        return without_model("random_click", gear)


system = RandomClick
