"""E2HQA: easy questions made hard, by putting descriptions found in the ground in the place of what they name.

An easy question names one thing and has a short answer. Its name is replaced `order.hops` times; the answer is frozen,
and every replacement lies one statement farther away from it. Easy ones come from a file, or are the ground's own
statements. Source: E2HQA of WebDancer (Wu et al., NeurIPS 2025), which searches and rewrites with a chat model.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from random import Random

from webfarer.core.text import words
from webfarer.data.formula import Of
from webfarer.data.ground import Ground, Relation, Statement
from webfarer.data.question import Evidence, Question
from webfarer.data.standing import plain, texts_of
from webfarer.data.synth import Drop, Order
from webfarer.data.synths._describing import Describer
from webfarer.data.synths._drafting import Draft, draft_of, mixed, rounds, solved, varied
from webfarer.data.synths._net import net_of
from webfarer.data.wording import refilled, stands_in
from webfarer.evals.matching import key
from webfarer.evals.task import Item


class E2HQA:
    """Easy questions with what they name described instead."""

    title = "E2HQA"
    source = "arXiv 2505.22648"
    ground = "catalogue"
    reads = ("hops", "easy")

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question | Drop]:
        """Yield the easy questions that cannot be used on this ground, then drafts with `order.hops` rewrites each."""
        if order.easy:
            taken = [_taken(item, ground) for item in order.easy]
            yield from (each for each in taken if isinstance(each, Drop))
            easy = [each for each in taken if isinstance(each, Statement)]
            ground = _grown(ground, easy)
        else:
            easy = [
                each for each in net_of(ground).plain if not (order.hops and ground.relations[each.relation].quotes)
            ]
        yield from varied(rounds(mixed(easy, random), _Maker(ground, order, random).harder))

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Return every answer to the formula; what a file says is believed as long as its page is there."""
        if "easy" in question.recipe:
            said = question.recipe["easy"]
            easy = Statement(**{**said, "evidence": Evidence.model_validate(said["evidence"])})
            ground = _grown(ground, [easy] if easy.evidence.url in ground.pages else [])
        return solved(question, ground)


class _Maker:
    """Makes easy questions hard; those of a file are statements whose relation is the text of the question."""

    def __init__(self, ground: Ground, order: Order, random: Random) -> None:
        self._ground, self._rewrites, self._random = ground, order.hops, random
        self._from_file = bool(order.easy)

    def harder(self, easy: Statement) -> Question | None:
        """Return the question with what it names described; None where there is no such description."""
        relations = self._others(easy) if self._from_file else self._ground.relations
        describer = Describer(net_of(self._ground), relations, {easy.value}, self._rewrites + 1)
        subject = describer.describe(easy.subject, self._rewrites, self._random)
        if subject is None:
            return None
        draft = Draft("e2hqa", "easy_to_hard", formula=Of(easy.relation, subject))
        if self._from_file:
            text = refilled(easy.relation, subject, self._ground)
            if text is None:
                return None
            said = {**asdict(easy), "evidence": easy.evidence.model_dump()}
            draft = replace(draft, text=text, recipe={"easy": said})
        return draft_of(self._ground, draft)

    def _others(self, easy: Statement) -> Mapping[str, Relation]:
        """Return the relations, without phrases for those that speak of what is asked."""
        asked = _content(easy.relation)
        return {
            name: Relation(relation.ask) if asked & _content(relation.ask) else relation
            for name, relation in self._ground.relations.items()
        }


def _content(clause: str) -> frozenset[str]:
    return frozenset(words(clause.replace("{x}", " ")))


def _taken(item: Item, ground: Ground) -> Statement | Drop:
    """Return what an easy question says as a statement about the name in it, its text the relation; or why not."""

    def refused(rule: str, why: str) -> Drop:
        return Drop(check=f"easy {rule}", why=why, question=item.question, answer=item.answer)

    if not item.answer or item.parts:
        return refused("answer", "it has no answer, or several")
    net = net_of(ground)
    names = [name for name in net.subjects if name in item.question and stands_in(name, item.question)]
    if not names:
        return refused("name", "it names nothing of which the site states anything")
    name = max(names, key=len)
    text = re.sub(rf"\b[Tt]he {re.escape(name)}|{re.escape(name)}", "{x}", item.question)
    for said in net.ties(name):
        same = _content(ground.relations[said.relation].ask) == _content(text)
        if said.subject == name and same and key(said.value) != key(item.answer):
            return refused("fact", f"{said.evidence.url} states {said.value!r}")
    evidence = next(_stating(name, item, ground), None)
    if evidence is None:
        return refused("evidence", f"no page states {item.answer!r} together with {name!r}")
    return Statement(name, text, item.answer, evidence)


def _stating(name: str, item: Item, ground: Ground) -> Iterator[Evidence]:
    """Yield where the answer stands with the name: in statements about it, then in one line, or below its title."""
    for said in net_of(ground).ties(name):
        if said.subject == name and stands_in(item.answer, said.evidence.text):
            yield said.evidence
    texts = texts_of(ground.pages)
    for url in dict.fromkeys((*item.gold, *ground.pages)):
        for line in texts[url].about(plain(name), plain(item.answer)) if url in texts else ():
            yield Evidence.at(ground.pages[url], line.span.start, line.span.end)


def _grown(ground: Ground, said: Sequence[Statement]) -> Ground:
    """Return the ground with statements of relations that it has no words for."""
    relations = {each.relation: Relation(each.relation) for each in said}
    return replace(ground, statements=(*ground.statements, *said), relations={**ground.relations, **relations})


synth = E2HQA()
