"""The pipeline of WebWalkerQA: one fact on a deep page, or two facts on two pages, by depth easy, medium or hard.

Single-source pages lie 2, 3 or 4 clicks deep; the depths of multi-source pages add up to 4, 5 or 6, 7 or 8. The facts
of a pair belong together where the site allows it: one subject, pages that link to each other, one section. Drafts of
all cells that are wanted take turns, so that quotas can be met exactly. Source: Wu et al., "WebWalker", ACL 2025.
"""

from collections.abc import Iterator, Sequence
from random import Random

from webfarer.core.errors import ConfigError
from webfarer.data.formula import Each, Entity, Of, Query
from webfarer.data.ground import Ground, Statement
from webfarer.data.question import Question
from webfarer.data.synth import Order
from webfarer.data.synths._drafting import Draft, draft_of, in_turn, solved, spread
from webfarer.data.synths._net import net_of
from webfarer.worlds.questions import CELLS

_MOST = 300  # facts of one depth that are paired, so that a large site does not take a square of its facts


class WebWalkerQA:
    """The synth; hops mean nothing to it."""

    title = "WebWalkerQA pipeline"
    source = "https://arxiv.org/abs/2501.07572"
    ground = "world"
    reads = ("quota",)

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question]:
        """Yield questions of the cells in the quota, or of all six, in turn.

        Raises:
            ConfigError: the quota names a cell that does not exist.
        """
        known = {(str(kind), str(difficulty)): depths for (kind, difficulty), depths in CELLS.items()}
        if unknown := [cell for cell in order.quota if cell not in known]:
            cells = ", ".join(":".join(cell) for cell in known)
            raise ConfigError(f"WebWalkerQA has no cell {':'.join(unknown[0])}; known: {cells}")
        facts = _Facts(ground, random)
        return in_turn(facts.drafts(cell, known[cell]) for cell in order.quota or known)

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Look the facts up."""
        return solved(question, ground)


class _Facts:
    """What can be asked of a ground, by depth, in an order in which pages take turns."""

    def __init__(self, ground: Ground, random: Random) -> None:
        self._ground = ground
        net = net_of(ground)
        facts = [
            each
            for each in ground.statements
            if ground.relations[each.relation].ask and len(net.of(each.relation, each.subject)) == 1
        ]
        self._by_depth: dict[int, list[Statement]] = {}
        for fact in spread(facts, random, lambda each: each.evidence.url):
            self._by_depth.setdefault(ground.depth(fact.evidence.url), []).append(fact)
        self._targets: dict[str, set[str]] = {}

    def drafts(self, cell: tuple[str, str], choices: Sequence[tuple[int, ...]]) -> Iterator[Question]:
        """Yield the questions of a cell; its choices of depths take turns."""
        return in_turn(self._of_depths(cell, depths) for depths in choices)

    def _of_depths(self, cell: tuple[str, str], depths: tuple[int, ...]) -> Iterator[Question]:
        decks = [self._by_depth.get(depth, []) for depth in depths]
        if len(decks) == 1:
            return self._worded(cell, ([fact] for fact in decks[0]))
        first, second = (deck[:_MOST] for deck in decks)
        taken: set[frozenset[Statement]] = set()
        return in_turn(self._worded(cell, self._pairs(fact, second, taken)) for fact in first)

    def _pairs(
        self, fact: Statement, partners: Sequence[Statement], taken: set[frozenset[Statement]]
    ) -> Iterator[list[Statement]]:
        """Yield `fact` with each partner on another page, the closest first, no pair twice."""
        for partner in sorted(partners, key=lambda each: self._distance(fact, each)):
            pair = frozenset((fact, partner))
            if partner.evidence.url != fact.evidence.url and pair not in taken:
                taken.add(pair)
                yield [fact, partner]

    def _distance(self, one: Statement, other: Statement) -> int:
        here, there = one.evidence.url, other.evidence.url
        if one.subject == other.subject:
            return 0
        if there in self._linked(here) or here in self._linked(there):
            return 1
        return 2 if self._ground.ways[here][:1] == self._ground.ways[there][:1] else 3

    def _linked(self, url: str) -> set[str]:
        if url not in self._targets:
            self._targets[url] = {link.url for link in self._ground.pages[url].links if link.region == "main"}
        return self._targets[url]

    def _worded(self, cell: tuple[str, str], chosen: Iterator[list[Statement]]) -> Iterator[Question]:
        kind, difficulty = cell
        for facts in chosen:
            terms = [Of(fact.relation, Entity(fact.subject)) for fact in facts]
            query: Query = Each(tuple(terms)) if len(terms) > 1 else terms[0]
            said = Draft("webwalkerqa", kind, formula=query, cells={"difficulty": difficulty})
            question = draft_of(self._ground, said)
            if question is not None:
                yield question


synth = WebWalkerQA()
