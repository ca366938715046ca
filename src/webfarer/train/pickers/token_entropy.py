"""Token entropy: how open each next token was while the model wrote its output.

With per=token the mean over tokens, which does not favour long outputs.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.train.picker import Picked, Round, View
from webfarer.train.pickers._ranking import Per, best, uncertainty


@dataclass(frozen=True)
class TokenEntropy:
    """The picker."""

    title: ClassVar[str] = "token entropy"
    per: Per = "sequence"
    passes: int = 0

    def pick(self, view: View, count: int, at: Round) -> Picked:
        """Take the most open outputs."""
        return Picked(best(uncertainty(view, "adapted", "entropy", self.per, self.passes), count, at.random))


picker = TokenEntropy
