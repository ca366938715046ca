"""Marks for an answer to a question of a generated web, by what is planted there; no judge, no model.

Strict on purpose: an answer that names the right value beside a wrong one is wrong, and a claim is right only when its
verified quote holds the planted statement of the chain on the very page where it was planted.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from webfarer.core.types import Answer, Claim
from webfarer.evals.scoring import normalise
from webfarer.worlds.webs_types import PlantedFact, WebQuestion

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Marks:
    """How good an answer is.

    Attributes:
        right: it gives an accepted form of the answer, and nothing that is wrong.
        misled: it gives a value that is true of something else, or was true once.
        reached: for each page of the chain, whether it was opened.
        claims: for each claim, whether it is right.
        cited: for each fact of the chain, whether a right claim states it.
    """

    right: bool
    misled: bool
    reached: tuple[bool, ...]
    claims: tuple[bool, ...]
    cited: tuple[bool, ...]


def mark(question: WebQuestion, answer: Answer, opened: Collection[str]) -> Marks:
    """Mark an answer; its quotes' URLs and the pages `opened` are as in the web's own text."""
    misled = names_any(answer.text, question.wrong)
    found = len(answer.text) <= _LONGEST and names_any(answer.text, question.answers)
    return Marks(
        right=found and not misled,
        misled=misled,
        reached=tuple(url in opened for url in question.gold),
        claims=tuple(any(states(claim, fact) for fact in question.chain) for claim in answer.claims),
        cited=tuple(any(states(claim, fact) for claim in answer.claims) for fact in question.chain),
    )


def names_any(text: str, values: Iterable[str]) -> bool:
    """Say whether one of the values stands in `text`, as whole words."""
    said = normalise(text)
    return any(normalise(value) in said for value in values)


def states(claim: Claim, fact: PlantedFact) -> bool:
    """Say whether the claim's verified quote is of the fact's page and holds its statement."""
    if claim.quote is None or not claim.verified or claim.quote.url != fact.url:
        return False
    return normalise(fact.statement) in normalise(claim.quote.text)
