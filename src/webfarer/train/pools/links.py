"""Which link leads on: the walker's decision on a page of a generated site, the right one by the site's shortest way.

Not a walk: one page, one decision. Kinds differ by the sort of site and by whether the right label shares a word with
the question; where it does not, one has to know what is found under which label. Source: :mod:`webfarer.worlds`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from random import Random

from webfarer.train.pools._made import Kind, Made, MadePool, shuffled
from webfarer.worlds.puzzle import Lesson
from webfarer.worlds.world import World, WorldSpec, generate

_DOMAINS = ("organisation", "conference", "education", "game")
_SITES = 24
_SIZE, _PARAPHRASE = 60, 0.5
_LONGEST = 16
_HOME = "home"
_LETTERS = ("a", "b", "c", "d")
_WORD = re.compile(r"[a-z]+|\d+")
_COMMON = frozenset("a an and at by for from in is it of on one or the to what when where which who with".split())
_FRAME = tuple("links site match page question under ? : answer".split())


@dataclass(frozen=True, slots=True)
class _Site:
    """A site as decisions need it.

    Attributes:
        below: for each page, by the labels on the way to it, the labels of the pages that are reached through it.
        asked: questions, each with the labels on the way to its answer.
        leading: the labels that lead to some answer.
    """

    below: Mapping[tuple[str, ...], tuple[str, ...]]
    asked: tuple[tuple[str, tuple[str, ...]], ...]
    leading: frozenset[str]


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


@cache
def _site(domain: str, seed: int) -> _Site:
    world: World = generate(WorldSpec(domain, seed=seed, size=_SIZE, paraphrase=_PARAPHRASE))
    ways = {page: tuple(map(_plain, way)) for page, way in world.ways.items()}
    below: dict[tuple[str, ...], dict[str, None]] = {}
    for way in ways.values():
        if way:
            below.setdefault(way[:-1], {})[way[-1]] = None
    clauses = ((fact, clause.ask.format(x=fact.entity)) for fact, clause in world.clauses.items())
    asked = [(_plain(ask), ways[fact.page]) for fact, ask in clauses]
    asked += [
        (_plain(question.text), ways[question.gold[0]]) for question in world.questions if len(question.gold) == 1
    ]
    asked = [(question, way) for question, way in asked if way and len(question.split()) <= _LONGEST]
    leading = frozenset(label for _, way in asked for label in way)
    return _Site({way: tuple(labels) for way, labels in below.items()}, tuple(asked), leading)


def _sites(domain: str, rng: Random) -> _Site:
    return _site(domain, rng.randrange(_SITES))


def _decision(domain: str, named: bool, rng: Random) -> Made:
    """Draw a page on the way to an answer until its right label shares a word with the question, or none."""
    while True:
        site = _sites(domain, rng)
        question, way = rng.choice(site.asked)
        step = rng.randrange(len(way))
        here, right = way[:step], way[step]
        others = [label for label in site.below[here] if label != right]
        others += [label for label in site.below[()] if label not in (right, *way, *others)]
        others = [label for label in others if label in site.leading]
        if named == bool(_content(question) & _content(right)) and len(others) >= len(_LETTERS) - 1:
            wrong = rng.sample(others[: 2 * len(_LETTERS)], len(_LETTERS) - 1)
            asked = f"links : {question} ? page {here[-1] if here else _HOME} :"
            return _lettered(asked, shuffled(rng, right, *wrong), right)


def _content(text: str) -> set[str]:
    return {*text.split()} - _COMMON


def _lore(rng: Random) -> Lesson:
    """Draw what is found under a label, or the label that shares a word with a question."""
    site = _sites(rng.choice(_DOMAINS), rng)
    way = rng.choice(list(site.below))
    label = rng.choice(site.below[way])
    if rng.random() < 0.4:
        return Lesson(f"site : {label} under", way[-1] if way else _HOME)
    others = [name for name in (*site.below[way], *site.below[()]) if not {*name.split()} & {*label.split()}]
    if len(others) < len(_LETTERS) - 1:
        others = [*others, _HOME, "links", "site"]
    offered = rng.sample(others, len(_LETTERS) - 1)
    told = {*" ".join(offered).split()}
    question = [word for word in rng.choice(site.asked)[0].split() if word not in told][: rng.randint(0, _LONGEST)]
    question.insert(rng.randint(0, len(question)), rng.choice(sorted(_content(label)) or [label]))
    made = _lettered(f"match : {' '.join(question)} ?", shuffled(rng, label, *offered), label)
    return Lesson(made.prompt, made.answer)


def _lettered(question: str, options: Sequence[str], right: str) -> Made:
    """Return a question with lettered options; the answer is the letter of the right one."""
    named = " ".join(f"{letter} {option}" for letter, option in zip(_LETTERS, options, strict=False))
    return Made(f"{question} {named} answer :", _LETTERS[options.index(right)], _LETTERS[: len(options)])


@cache
def _words() -> tuple[str, ...]:
    """Return every word of the sites."""
    sites = [_site(domain, seed) for domain in _DOMAINS for seed in range(_SITES)]
    texts = [text for site in sites for question, way in site.asked for text in (question, *way)]
    texts += [label for site in sites for labels in site.below.values() for label in labels]
    return (*dict.fromkeys((*_FRAME, *_LETTERS, _HOME)), *sorted({word for text in texts for word in text.split()}))


pool = MadePool(
    title="links",
    published={},
    kinds=tuple(
        Kind(
            f"{domain}-{'named' if named else 'unnamed'}",
            "easy" if named else "hard",
            partial(_decision, domain, named),
        )
        for named in (True, False)
        for domain in _DOMAINS
    ),
    vocabulary=_words,
    lore=_lore,
)
