"""Descriptions: terms that denote one thing of a ground, and each time one statement farther from the answer.

"No shortcut" is kept by construction: a constant that takes a name's place lies one statement farther away from the
answer than that name, whatever way is taken. Source: the expander of WebShaper (arXiv 2507.15061), a chat model there.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from itertools import combinations
from random import Random

from webfarer.data.formula import Both, Entity, Of, Term, Whose, constants, solve
from webfarer.data.ground import Relation
from webfarer.data.synths._net import Net

_MOST_PAIRS = 20


class Describer:
    """Describes names by what a net says of them.

    Args:
        answer: what must not come nearer: the parts of the answer.
        most: statements between the answer and the farthest constant that will be asked for.
    """

    def __init__(self, net: Net, relations: Mapping[str, Relation], answer: Collection[str], most: int) -> None:
        self._net, self._relations = net, relations
        self._answer, self._most = answer, most

    @cached_property
    def _far(self) -> Mapping[str, int]:
        return self._net.distances(self._answer, self._most)

    def describe(self, name: str, times: int, random: Random) -> Term | None:
        """Return a term for `name` alone, rewritten `times` times; None where there is none."""
        if not times:
            return Entity(name)
        options = list(self._once(name))
        random.shuffle(options)
        for option in options:
            (constant,) = constants(option)
            if times > 1 and isinstance(option, Of) and self._relations[option.relation].quotes:
                continue  # the quote finds the page, whatever is said of its name
            inner = self.describe(constant, times - 1, random) if constant in self._net.subjects or times == 1 else None
            if inner is not None:
                return _refilled(option, inner)
        return next(self.pairs(name, random), None) if times == 1 else None

    def pairs(self, name: str, random: Random) -> Iterator[Both]:
        """Yield what two statements on two pages say of `name` that neither says of it alone."""
        said = [
            each
            for each in self._net.ties(name)
            if each.subject == name
            and self._relations[each.relation].whose
            and len(self._net.whose(each.relation, each.value)) > 1
        ]
        random.shuffle(said)
        for one, other in list(combinations(said, 2))[:_MOST_PAIRS]:
            ordered = sorted((one, other), key=lambda each: (each.relation, each.value))
            sides = [Whose(each.relation, Entity(each.value)) for each in ordered]
            both = Both(tuple(sides))
            alone = any(len(solve(side, self._net).values) == 1 for side in sides)
            far = all(self._farther(name, each.value) for each in ordered)
            if one.evidence.url != other.evidence.url and not alone and far and self._denotes(both, name):
                yield both

    def _once(self, name: str) -> Iterator[Of | Whose]:
        """Yield what one statement says of `name` and of nothing else."""
        for each in self._net.ties(name):
            relation = self._relations[each.relation]
            options: list[tuple[str, str, Of | Whose]] = []
            if each.subject == name:
                options.append((each.value, relation.whose, Whose(each.relation, Entity(each.value))))
            if each.value == name:
                options.append((each.subject, relation.of, Of(each.relation, Entity(each.subject))))
            for constant, phrase, term in options:
                if phrase and self._denotes(term, name) and self._farther(name, constant):
                    yield term

    def _denotes(self, term: Term, name: str) -> bool:
        return solve(term, self._net).values == {name}

    def _farther(self, name: str, constant: str) -> bool:
        return self._far.get(constant) == self._far[name] + 1


def _refilled(option: Of | Whose, inner: Term) -> Of | Whose:
    return Of(option.relation, inner) if isinstance(option, Of) else Whose(option.relation, inner)
