"""What a generated website is: its specification, pages, facts and questions.

Not how one is made (:mod:`webfarer.worlds.world`). A world is a value: the same specification gives the same bytes in
every process. Kinds and difficulties follow WebWalkerQA (Wu et al., "WebWalker", ACL 2025): an answer on one page lies
2, 3 or 4 clicks deep (easy, medium, hard); for two pages the depths add up to 4, 5–6 or 7–8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
QuestionKind = Literal["single_source", "multi_source"]
Difficulty = Literal["easy", "medium", "hard"]


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """What to generate.

    Attributes:
        domain: id of a domain, see :data:`webfarer.worlds.world.DOMAINS`.
        seed: draws everything.
        language: of pages and questions.
        size: number of pages, met to within a few; where the domain runs out of names, news fill the rest.
        depth: clicks from the root to the deepest detail pages, 2 to 4.
        paraphrase: probability with which a link label, and a question, is worded without the words of the original.
            Facts and pages' own headings do not depend on it.
    """

    domain: str
    seed: int = 0
    language: Language = "en"
    size: int = 60
    depth: int = 4
    paraphrase: float = 0.0


@dataclass(frozen=True, slots=True)
class Fact:
    """One attribute of one entity, stated on one page only: `value` occurs nowhere else in the world."""

    page: str
    entity: str
    attribute: str
    value: str


@dataclass(frozen=True, slots=True)
class Clause:
    """How a fact is asked for.

    Attributes:
        relation: what it states, the same for all facts that are asked for in the same words.
        ask: clause, lower case, without a question mark, with `{x}` for the entity.
    """

    relation: str
    ask: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its known answer.

    Attributes:
        id: unique within the world, and across worlds of different specifications of seed, language and domain.
        text: what is asked.
        answer: the values, joined by "; ".
        answers: one value per part of the question.
        gold: path of the page that states each value.
        paths: per gold page, labels of the links on a shortest way from the root.
        depths: per gold page, clicks on that way.
    """

    id: str
    text: str
    answer: str
    answers: tuple[str, ...]
    kind: QuestionKind
    difficulty: Difficulty
    language: Language
    gold: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...]
    depths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PageSpec:
    """What the server answers for one path.

    Attributes:
        html: body; empty for a redirect.
        redirect: path it redirects to (301), or "".
        delay: seconds the server waits before it answers.
    """

    html: bytes = b""
    redirect: str = ""
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class World:
    """A website: its pages by path ("/" is the root), what is true there, and what can be asked.

    Attributes:
        clauses: of every fact that can be asked for; those of past years cannot.
        ways: per page, labels of the links on the first shortest way from the root.
    """

    spec: WorldSpec
    pages: Mapping[str, PageSpec]
    questions: tuple[Question, ...]
    facts: tuple[Fact, ...]
    clauses: Mapping[Fact, Clause]
    ways: Mapping[str, tuple[str, ...]]
