"""Every page in the order in which links to it were found: the baseline of a crawl.

Reads as the lexical policy does and asks no model, even when there is one: a table that has both says what choosing
links is worth.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Policy
from webfarer.agents.system import ModelUse
from webfarer.agents.systems._walking import Walking, without_model


class BreadthFirst(Walking):
    """Walks with the policy "breadth_first"."""

    model: ClassVar[ModelUse] = "never"

    def policy(self, gear: Gear) -> Policy:
        """Return the policy that opens links in order."""
        return without_model("breadth_first", gear)


system = BreadthFirst
