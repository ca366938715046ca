"""Parts of a set of questions that give nothing of each other away: no page, and no answer about the same thing.

Questions that share a trait hang together and stay together, so shares are met as far as that leaves room. Not a check
(:mod:`webfarer.data.checks` has one, against another file). Invariant: no two parts share a trait.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from webfarer.core.errors import ConfigError
from webfarer.data.formula import constants, from_json
from webfarer.data.question import Question
from webfarer.evals.matching import key, page_key

Trait = tuple[str, ...]


def traits(question: Question) -> frozenset[Trait]:
    """Return what no other part may have of a question: its pages, and its answer with each name it is asked of.

    Not the answer alone: many questions have the answer "3", and would all hang together. A page is known by its
    address and by its bytes.
    """
    pages = {page_key(url) for url in question.gold}.union(each.sha256 for each in question.evidence)
    answer = tuple(sorted(map(key, question.wanted)))
    names = () if question.formula is None else constants(from_json(question.formula))
    facts = {("fact", key(name), *answer) for name in (question.question, *names)}
    return frozenset(facts.union(("page", page) for page in pages))


def together(questions: Sequence[Question]) -> list[list[int]]:
    """Return the numbers of the questions in groups, such that no two groups share a trait."""
    parent = list(range(len(questions)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = number = parent[parent[number]]
        return number

    first: dict[Trait, int] = {}
    for number, question in enumerate(questions):
        for trait in traits(question):
            parent[root(number)] = root(first.setdefault(trait, number))
    groups: dict[int, list[int]] = {}
    for number in range(len(questions)):
        groups.setdefault(root(number), []).append(number)
    return sorted(groups.values())


def split(questions: Sequence[Question], shares: Mapping[str, float], seed: int = 0) -> dict[str, list[Question]]:
    """Return every part's questions, in their order.

    The largest group comes first, groups of one size as they are drawn; each goes to the part that lacks most. So no
    part gets more than its share by as much as the largest group.

    Args:
        questions: all of them.
        shares: how much of them each part is to hold, in any unit.
        seed: draws.

    Raises:
        ConfigError: shares are not above 0, or too much hangs together for every part to get a question.
    """
    total = sum(shares.values())
    if not shares or min(shares.values()) <= 0:
        raise ConfigError(f"every part needs a share above 0, got {dict(shares)}")
    groups = together(questions)
    Random(seed).shuffle(groups)
    lacking = Counter({name: share / total * len(questions) for name, share in shares.items()})
    numbers: dict[str, list[int]] = {name: [] for name in shares}
    for group in sorted(groups, key=len, reverse=True):
        ((name, _),) = lacking.most_common(1)
        numbers[name] += group
        lacking[name] -= len(group)
    empty = [name for name, held in numbers.items() if not held]
    if empty:
        sizes = f"{len(questions)} questions make {len(groups)} groups that share no page and no answer"
        raise ConfigError(f"nothing is left for {', '.join(empty)}: {sizes}; make questions of more sites")
    return {name: [questions[number] for number in sorted(held)] for name, held in numbers.items()}
