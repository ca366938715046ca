"""CRAWLQA: of what clicking through a site has collected, ask how many, ask along a chain, ask for what is two things.

The clicking is the ground's: whatever it holds was reached by links from its root. The three kinds take turns, and
within each the relations asked for. Source: CRAWLQA of WebDancer (Wu et al., NeurIPS 2025), which has a chat model
write them.
"""

from collections.abc import Iterator
from random import Random

from webfarer.data.formula import Count, Of, Query
from webfarer.data.ground import Ground, Statement
from webfarer.data.question import Question
from webfarer.data.synth import Order
from webfarer.data.synths._describing import Describer
from webfarer.data.synths._drafting import Draft, draft_of, in_turn, mixed, rounds, solved, spread, varied
from webfarer.data.synths._net import net_of
from webfarer.data.synths._sets import Members, sets

_COUNTED = (2, 15)


class CrawlQA:
    """Count, multi-hop and intersection questions."""

    title = "CRAWLQA"
    source = "arXiv 2505.22648"
    ground = "catalogue"
    reads = ("hops",)

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question]:
        """Yield drafts of at most `order.hops` statements in a row (chains have two at least)."""
        maker = _Maker(ground, order.hops, random)
        said = [each for each in net_of(ground).plain if not ground.relations[each.relation].quotes]
        kinds = (
            rounds(spread(sets(ground, *_COUNTED), random, lambda each: each.relation), maker.count),
            rounds(mixed(said, random), maker.chain),
            rounds(mixed(said, random), maker.intersection),
        )
        return in_turn(map(varied, kinds))

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Return every answer to the formula."""
        return solved(question, ground)


class _Maker:
    def __init__(self, ground: Ground, hops: int, random: Random) -> None:
        self._ground, self._hops, self._random = ground, hops, random
        self._net = net_of(ground)

    def count(self, members: Members) -> Question | None:
        term = members.term(self._ground, self._random.randrange(max(self._hops, 1)), self._random)
        return None if term is None else self._draft("count", Count(term))

    def chain(self, said: Statement) -> Question | None:
        """Ask along statements of which not all stand on one page."""
        rewrites = self._random.randint(1, max(self._hops - 1, 1))
        subject = self._describer(said.value, rewrites + 1).describe(said.subject, rewrites, self._random)
        question = None if subject is None else self._draft("multi_hop", Of(said.relation, subject))
        return question if question is not None and len(question.gold) > 1 else None

    def intersection(self, said: Statement) -> Question | None:
        """Ask what something is called that two pages describe; or, where two hops are allowed, what is said of it."""
        name = self._hops < 2 or self._random.random() < 0.5
        answer = said.subject if name else said.value
        both = next(self._describer(answer, 2 - name).pairs(said.subject, self._random), None)
        return None if both is None else self._draft("intersection", both if name else Of(said.relation, both))

    def _describer(self, answer: str, most: int) -> Describer:
        return Describer(self._net, self._ground.relations, {answer}, most)

    def _draft(self, kind: str, query: Query) -> Question | None:
        return draft_of(self._ground, Draft("crawlqa", kind, formula=query))


synth = CrawlQA()
