"""ReAct: the model clicks through one site and answers by itself, with its whole conversation before it and no critic.

The baseline that says what WebWalker's critic and its memory are worth. Source: Yao et al., "ReAct", ICLR 2023.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Policy
from webfarer.agents.system import ModelUse
from webfarer.agents.systems._reacting import Reacting
from webfarer.agents.systems._walking import Walking


class React(Walking):
    """Walks as the model says."""

    model: ClassVar[ModelUse] = "needed"

    def policy(self, gear: Gear) -> Policy:
        """Return the conversation that decides."""
        return Reacting(gear)


system = React
