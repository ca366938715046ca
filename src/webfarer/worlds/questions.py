"""Questions about a world, with their answers and the shortest ways there.

Depths are counted on the links that were written (navigation, footer and redirects included), never taken from the
tree. Which facts are asked does not depend on `paraphrase`, only the wording does.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from random import Random

from webfarer.worlds.html import Link
from webfarer.worlds.prose import capital, fill
from webfarer.worlds.schema import Attribute, Section
from webfarer.worlds.tree import Grower, Node
from webfarer.worlds.types import Clause, Difficulty, Fact, PageSpec, Question, QuestionKind

# WebWalkerQA: depths of the gold pages by kind and difficulty
CELLS: dict[tuple[QuestionKind, Difficulty], tuple[tuple[int, ...], ...]] = {
    ("single_source", "easy"): ((2,),),
    ("single_source", "medium"): ((3,),),
    ("single_source", "hard"): ((4,),),
    ("multi_source", "easy"): ((2, 2),),
    ("multi_source", "medium"): ((2, 3), (3, 3), (2, 4)),
    ("multi_source", "hard"): ((3, 4), (4, 4)),
}


def shortest_paths(
    links: Mapping[str, list[Link]], pages: Mapping[str, PageSpec], root: str = "/"
) -> dict[str, tuple[str, ...]]:
    """Return, for every page that can be reached, the labels of the first shortest way from the root."""
    found: dict[str, tuple[str, ...]] = {root: ()}
    queue = deque([root])
    while queue:
        path = queue.popleft()
        for label, target in links.get(path, ()):
            page = pages.get(target)
            while page is not None and page.redirect:
                target, page = page.redirect, pages.get(page.redirect)
            if page is not None and target not in found:
                found[target] = (*found[path], label)
                queue.append(target)
    return found


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A fact that can be asked for."""

    node: Node
    section: Section
    attribute: Attribute
    fact: Fact


class Asker:
    """Draws a world's questions."""

    def __init__(self, grower: Grower, ways: Mapping[str, tuple[str, ...]]) -> None:
        self.spec, self.site, self.year = grower.spec, grower.site, grower.year
        self.random = Random(f"{self.spec.domain}/{self.spec.language}/{self.spec.seed}/questions")
        self._ways = ways
        self._by_depth: dict[int, list[_Candidate]] = {}
        for node in grower.root.walk():
            if node.section is not None:  # last year's pages have none: nobody is asked about them
                facts = [_Candidate(node, node.section, attribute, fact) for attribute, fact in node.facts]
                self._by_depth.setdefault(len(ways[node.path]), []).extend(facts)

    def ask(self, per_cell: int) -> tuple[Question, ...]:
        """Return up to `per_cell` questions of each kind and difficulty."""
        questions = []
        for (kind, difficulty), depths in CELLS.items():
            drawn = self._draw(depths, per_cell)
            questions += [self._question(kind, difficulty, number, parts) for number, parts in enumerate(drawn, 1)]
        return tuple(questions)

    def clauses(self) -> dict[Fact, Clause]:
        """Return how each fact can be asked for in words that fit every entity of which the same is stated."""
        found = {}
        for part in (part for parts in self._by_depth.values() for part in parts):
            above = f" of {part.node.above}" if "{p}" in part.attribute.ask.of(self.spec.language) else ""
            slug = part.node.kind.slug if part.node.kind else ""
            relation = f"{part.section.kind.slug}/{slug}.{part.attribute.name.en}{above}"
            found[part.fact] = Clause(relation, self._clause(part, False, mention=True, entity="{x}"))
        return found

    def _draw(self, choices: tuple[tuple[int, ...], ...], count: int) -> list[tuple[_Candidate, ...]]:
        """Return combinations of facts at the wanted depths, each on another page, the choices taking turns."""
        streams = [self._stream(depths) for depths in choices]
        drawn: dict[frozenset[Fact], tuple[_Candidate, ...]] = {}
        while streams and len(drawn) < count:
            stream = streams.pop(0)
            parts = next(stream, None)
            if parts is not None:
                drawn.setdefault(frozenset(part.fact for part in parts), parts)
                streams.append(stream)
        return list(drawn.values())

    def _stream(self, depths: tuple[int, ...]) -> Iterator[tuple[_Candidate, ...]]:
        """Yield combinations; a fact comes again only when every other one of its depth has come."""
        decks = []
        for depth in depths:
            deck = list(self._by_depth.get(depth, ()))
            self.random.shuffle(deck)
            decks.append(deck)
        if not all(decks):
            return
        rounds = max(len(deck) for deck in decks)
        for shift, number in product(range(rounds if len(decks) > 1 else 1), range(rounds)):
            parts = tuple(deck[(number + shift * place) % len(deck)] for place, deck in enumerate(decks))
            if len({part.node.path for part in parts}) == len(parts):
                yield parts

    def _question(
        self, kind: QuestionKind, difficulty: Difficulty, number: int, parts: tuple[_Candidate, ...]
    ) -> Question:
        spec = self.spec
        identity = f"{spec.domain}-{spec.language}-{spec.seed}-{kind.removesuffix('_source')}-{difficulty}-{number}"
        paraphrased = Random(f"{identity}/wording").random() < spec.paraphrase
        answers = tuple(part.fact.value for part in parts)
        gold = tuple(part.node.path for part in parts)
        paths = tuple(self._ways[path] for path in gold)
        return Question(
            id=identity,
            text=self._text(parts, paraphrased),
            answer="; ".join(answers),
            answers=answers,
            kind=kind,
            difficulty=difficulty,
            language=spec.language,
            gold=gold,
            paths=paths,
            depths=tuple(len(path) for path in paths),
        )

    def _text(self, parts: tuple[_Candidate, ...], paraphrased: bool) -> str:
        clauses = []
        for number, part in enumerate(parts):
            mentioned = number > 0 and parts[number - 1].section is part.section
            clauses.append(self._clause(part, paraphrased, mention=not mentioned))
        if self.spec.language == "zh":
            return "；另外，".join(clauses) + "？"
        return capital(", and ".join(clauses)) + "?"

    def _clause(self, part: _Candidate, paraphrased: bool, mention: bool, entity: str = "") -> str:
        language = self.spec.language
        slots = {"e": entity or part.node.entity, "p": part.node.above, "site": self.site, "year": str(self.year)}
        if paraphrased:
            return fill(part.attribute.other.of(language), slots)
        where = part.section.mention.of(language) + ("，" if language == "zh" else ", ") if mention else ""
        return fill(where + part.attribute.ask.of(language), slots)
