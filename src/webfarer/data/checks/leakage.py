"""Leakage: nothing of the other splits comes again, neither their pages nor what they ask.

A page is known by its address and by its bytes; what is asked, by the answer and a name that the question gives, or by
the question's words. Invariant: with nothing set apart, nothing leaks.
"""

from collections.abc import Hashable, Iterator

from webfarer.data.check import Desk
from webfarer.data.checks._texts import plain
from webfarer.data.formula import constants, from_json
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.evals.scoring import normalise


class LeakageCheck:
    """Drops a question that shares a page or a fact with a question set apart."""

    order = 70
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        self._apart = {trait: each.id for each in desk.apart for trait in _traits(each)}

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return what is shared, and with which question."""
        for kind, trait in _traits(question):
            if (kind, trait) in self._apart:
                return f"a {kind} is that of {self._apart[kind, trait]} in another split"
        return ""


def _traits(question: Question) -> Iterator[tuple[str, Hashable]]:
    """Yield what no two splits may share, each with what it is."""
    for page in (*question.gold, *(each.sha256 for each in question.evidence)):
        yield "page", page
    answer = frozenset(map(plain, question.wanted))
    names = () if question.formula is None else constants(from_json(question.formula))
    for name in (normalise(question.question), *map(plain, names)):
        yield "fact", (name, answer)


check = LeakageCheck
