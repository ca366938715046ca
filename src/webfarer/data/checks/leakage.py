"""Leakage: nothing of the other splits comes again, neither their pages nor what they ask.

What two splits may not share, :mod:`webfarer.data.splits` says. Invariant: with nothing set apart, nothing leaks.
"""

from webfarer.data.check import Desk
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.data.splits import traits


class LeakageCheck:
    """Drops a question that shares a page or a fact with a question set apart."""

    order = 70
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        self._apart = {trait: each.id for each in desk.apart for trait in sorted(traits(each))}

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return what is shared, and with which question."""
        for trait in sorted(traits(question)):
            if trait in self._apart:
                return f"a {trait[0]} is that of {self._apart[trait]} in another split"
        return ""


check = LeakageCheck
