"""Duplicate: no question is kept twice; not by its formula, not by its words, and not nearly by its words.

Nearly: the answer is the same, so are the names that the formulas give, and of all runs of three words the questions
share six in ten. With another answer or name something else is asked, however alike it reads: questions of a template
differ in one name. Invariant: what is compared with are questions that were kept; the order decides which of two stays.
"""

import json

from webfarer.data.check import Desk
from webfarer.data.formula import constants, from_json
from webfarer.data.ground import Ground
from webfarer.data.near import Near
from webfarer.data.question import Question
from webfarer.data.standing import plain
from webfarer.evals.scoring import normalise

_NEAR = 0.6


class DuplicateCheck:
    """Drops a question that was kept before, in these or almost these words."""

    order = 80
    whole = True
    asks = False

    def __init__(self, desk: Desk) -> None:
        self._known: set[tuple[str, str]] = set()
        self._near: dict[tuple[frozenset[str], frozenset[str]], Near] = {}

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return how it repeats one that was kept; else count it as kept."""
        mine = {("words", normalise(question.question))}
        if question.formula is not None:
            mine.add(("formula", f"{question.root} {json.dumps(question.formula, ensure_ascii=False)}"))
        if repeated := self._known & mine:
            return f"a question with the same {min(repeated)[0]} is kept"
        names = () if question.formula is None else constants(from_json(question.formula))
        asked = frozenset(map(plain, question.wanted)), frozenset(map(plain, names))
        if self._near.setdefault(asked, Near(_NEAR)).add(normalise(question.question)) is not None:
            return "a question with the same answer and almost the same words is kept"
        self._known |= mine
        return ""


check = DuplicateCheck
