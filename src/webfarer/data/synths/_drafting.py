"""From what a synth has found to a draft of a question: wording, answer, evidence, ways; and in which order to draft.

Not a check (:mod:`webfarer.data.checks` look again, with other means): what is refused here would be dropped there.
Invariant: a draft of a query has one answer, needs every page of `gold`, and does not give its answer away; nor does it
quote a page that a reader is to find by other means.
"""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from random import Random
from typing import Any, TypeVar

from webfarer.data.formula import Count, Graph, Query, answers, bridged, from_json, hops, support, to_json
from webfarer.data.ground import Ground, Statement
from webfarer.data.question import Evidence, Question
from webfarer.data.synths._net import net_of
from webfarer.data.wording import question_of, stands_in
from webfarer.evals.sources import stable_id

T = TypeVar("T")

_BEGUN, _ENDED = 5, 25  # questions that begin alike, and that end on one page
_ALIKE = 200  # of these in a row: nothing else will come
_BARREN = 3  # rounds: what is drawn at random may be the same twice


@dataclass(frozen=True, slots=True)
class Draft:
    """What a synth says of a question.

    Attributes:
        synth: its id.
        type: cell of that name.
        text: the question; "" to have the formula worded.
        parts: of the answer, in order; () to have the formula solved.
        evidence: in the order in which it is needed; () for the support of the formula.
        formula: what is asked, where a formula can say it.
        cells: further ones.
        recipe, data: fields of the question.
    """

    synth: str
    type: str
    text: str = ""
    parts: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    formula: Query | None = None
    cells: Mapping[str, str] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


def draft(ground: Ground, said: Draft) -> Question:
    """Return the question whose text, answer and evidence are given."""
    gold = tuple(dict.fromkeys(each.url for each in said.evidence))
    answer = "; ".join(said.parts)
    depth = {} if said.formula is None else {"hops": str(hops(said.formula))}
    return Question(
        id=f"{said.synth}-{stable_id(ground.root, said.text, answer)}",
        question=said.text,
        answer=answer,
        parts=said.parts if len(said.parts) > 1 else (),
        root=ground.root,
        sites=(ground.root,),
        gold=gold,
        cells={"type": said.type, **depth, "language": ground.language, **said.cells, **ground.cells},
        data=dict(said.data),
        synth=said.synth,
        ground=ground.id,
        evidence=said.evidence,
        paths=tuple(ground.ways[url] for url in gold),
        formula=None if said.formula is None else to_json(said.formula),
        recipe=dict(said.recipe),
        licence=ground.licence,
        made={"by": "template"},
    )


def draft_of(ground: Ground, said: Draft) -> Question | None:
    """Return the question that a formula asks; None where it has no wording, no one answer, or gives it away."""
    query, net = said.formula, net_of(ground)
    found = frozenset() if query is None else answers(query, net)
    if query is None or len(found) != 1 or any(ground.relations[each].quotes for each in bridged(query)):
        return None
    (parts,) = found
    text = said.text or question_of(query, ground)
    if not text or any(stands_in(part, text) for part in parts):
        return None
    carrying = support(query, net)
    for page in dict.fromkeys(each.evidence.url for each in carrying):
        # all that leads to an answer is in its support, so without a page it is enough to look there
        if found & answers(query, Graph(each for each in carrying if each.evidence.url != page)):
            return None
    evidence = tuple(dict.fromkeys(each.evidence for each in carrying))
    stated = "\n".join(each.text for each in evidence)
    if not isinstance(query, Count) and not all(stands_in(part, stated) for part in parts):
        return None
    return draft(ground, replace(said, text=text, parts=tuple(sorted(parts)), evidence=evidence))


def solved(question: Question, ground: Ground) -> frozenset[frozenset[str]]:
    """Return every answer to the question's formula that the ground supports."""
    return answers(from_json(question.formula), net_of(ground))


def mixed(statements: Iterable[Statement], random: Random) -> list[Statement]:
    """Return statements in an order in which kinds of relations take turns, and within each of them pages."""
    return spread(statements, random, _kind, _page)


def _kind(said: Statement) -> str:
    return said.relation.partition(":")[0]


def _page(said: Statement) -> str:
    return said.evidence.url


def spread(things: Iterable[T], random: Random, *kinds: Callable[[T], Hashable]) -> list[T]:
    """Return things in an order in which kinds take turns, then kinds within these; all are shuffled."""
    if not kinds:
        deck = list(things)
        return random.sample(deck, len(deck))
    groups: dict[Hashable, list[T]] = {}
    for thing in things:
        groups.setdefault(kinds[0](thing), []).append(thing)
    shuffled = [spread(those, random, *kinds[1:]) for those in random.sample(list(groups.values()), len(groups))]
    turns = zip_longest(*(((thing,) for thing in those) for those in shuffled), fillvalue=())
    return [thing for turn in turns for one in turn for thing in one]


def rounds(bases: Sequence[T], make: Callable[[T], Question | None]) -> Iterator[Question]:
    """Yield what is made of one base after the other, and again, until a few rounds have brought nothing new."""
    seen: set[str] = set()
    barren = 0
    while barren < _BARREN:
        before = len(seen)
        for base in bases:
            question = make(base)
            if question is not None and question.id not in seen:
                seen.add(question.id)
                yield question
        barren = 0 if len(seen) > before else barren + 1


def varied(questions: Iterable[Question]) -> Iterator[Question]:
    """Yield questions, few that begin with the same piece of a page, few that end on the same page.

    Ends where a long run of them is alike.
    """
    begun, ended = Counter[Evidence](), Counter[str]()
    alike = 0
    for question in questions:
        first, last = question.evidence[0], question.gold[-1]
        alike += 1
        if begun[first] < _BEGUN and ended[last] < _ENDED:
            begun[first] += 1
            ended[last] += 1
            alike = 0
            yield question
        if alike == _ALIKE:
            return


def in_turn(streams: Iterable[Iterator[Question]]) -> Iterator[Question]:
    """Yield from several streams in turn, until all have ended; what two of them ask, once."""
    seen: set[str] = set()
    waiting = deque(streams)
    while waiting:
        stream = waiting.popleft()
        question = next((each for each in stream if each.id not in seen), None)
        if question is not None:
            seen.add(question.id)
            waiting.append(stream)
            yield question
