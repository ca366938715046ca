"""WebLeaper: questions with many answers, so that an agent is seen to find much in few steps.

*Basic* asks for the members of a set, for something about each, or for both; *union* for two sets of one kind;
*reverse union* hides what the set belongs to behind a description. `data["required"]` names what has to be found on the
way, for its rates ISR and ISE. Source: WebLeaper (Alibaba, 2025), which reads its sets from tables of Wikipedia.
"""

from collections.abc import Iterator
from random import Random

from webfarer.data.formula import Either, Entity, Every, Of, Term, Whose
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.data.synth import Order
from webfarer.data.synths._drafting import Draft, draft_of, in_turn, rounds, solved, spread
from webfarer.data.synths._net import net_of
from webfarer.data.synths._sets import Members, sets

_LEAST, _MOST = 3, 12
"""Parts of an answer."""


class WebLeaper:
    """Basic, union and reverse-union questions."""

    title = "WebLeaper"
    source = "arXiv 2510.24697"
    ground = "catalogue"
    reads = ("hops",)

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question]:
        """Yield drafts, the three kinds in turn; a hidden anchor is rewritten `order.hops - 1` times."""
        maker = _Maker(ground, max(order.hops - 1, 1), random)
        kinds = (maker.basic, maker.union, maker.reverse_union)
        return in_turn(rounds(spread(maker.sets, random, lambda each: each.relation), make) for make in kinds)

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Return every answer to the formula."""
        return solved(question, ground)


class _Maker:
    def __init__(self, ground: Ground, rewrites: int, random: Random) -> None:
        self._ground, self._rewrites, self._random = ground, rewrites, random
        self.sets = sets(ground, _LEAST, _MOST)

    def basic(self, members: Members) -> Question | None:
        return self._draft("basic", self._asked(members, 0), members.names)

    def union(self, members: Members) -> Question | None:
        others = [each for each in self.sets if each.relation == members.relation and self._fit(each, members)]
        if not others:
            return None
        both = sorted((members, self._random.choice(others)), key=lambda each: each.anchor)
        terms = tuple(Whose(each.relation, Entity(each.anchor)) for each in both)
        return self._draft("union", Either(terms), tuple(name for each in both for name in each.names))

    def reverse_union(self, members: Members) -> Question | None:
        return self._draft("reverse_union", self._asked(members, self._rewrites), members.names)

    def _fit(self, one: Members, other: Members) -> bool:
        return not {*one.names} & {*other.names} and len(one.names) + len(other.names) <= _MOST

    def _asked(self, members: Members, rewrites: int) -> Term | None:
        """Return a term for the members, for what one relation says of each, or for both."""
        term = members.term(self._ground, rewrites, self._random)
        if term is None:
            return None
        asked: list[Term] = [term]
        for key in self._told(members):
            asked.append(Of(key, term))
            if 2 * len(members.names) <= _MOST:
                asked.append(Either((term, Of(key, term))))
        return self._random.choice(asked)

    def _told(self, members: Members) -> list[str]:
        """Return the relations that say something else of every member."""
        net = net_of(self._ground)
        found = []
        for key in dict.fromkeys(tie.relation for tie in net.ties(members.names[0])):
            values = [said.value for name in members.names for said in net.of(key, name)]
            if self._ground.relations[key].of and len(values) == len({*values}) == len(members.names):
                found.append(key)
        return found

    def _draft(self, kind: str, term: Term | None, required: tuple[str, ...]) -> Question | None:
        if term is None:
            return None
        draft = Draft("webleaper", kind, formula=Every(term), data={"required": sorted(required)})
        return draft_of(self._ground, draft)


synth = WebLeaper()
