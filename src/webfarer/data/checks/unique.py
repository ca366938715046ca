"""Unique: solved again from the ground alone, the question has one answer, and it is the one that is given.

Not independent of the synth, whose own `solve` is asked; ablation looks at the texts as well.
"""

from webfarer.data.check import Desk
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.data.synth import SYNTHS


class UniqueCheck:
    """Drops a question that has no answer, another one, or several."""

    order = 50
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        pass

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return which answers the ground supports, when it is not the given one alone."""
        found = SYNTHS.load(question.synth).solve(question, ground)
        if found == {question.wanted}:
            return ""
        shown = " or ".join(sorted("; ".join(sorted(each)) for each in found)[:3])
        return f"the ground gives {len(found)} answers: {shown[:200]}" if found else "the ground gives no answer"


check = UniqueCheck
