"""Given away: no part of the answer stands in the question itself."""

from webfarer.data.check import Desk
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.data.standing import plain, states


class GivenAwayCheck:
    """Drops a question that names a part of its answer."""

    order = 40
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        pass

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return what the question gives away."""
        asked = plain(question.question)
        given = [part for part in sorted(question.wanted) if states(asked, plain(part))]
        return f"the question names {given[0]!r}" if given else ""


check = GivenAwayCheck
