"""E2HQA: easy questions made hard, by putting descriptions found in the ground in the place of what they name.

An easy question names one thing and has a short answer. Its name is replaced `order.hops` times; the answer is frozen,
and every replacement lies one statement farther away from it. Easy ones come from a file, or are the ground's own
statements. Source: E2HQA of WebDancer (Wu et al., NeurIPS 2025), which searches and rewrites with a chat model.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, replace
from random import Random

from webfarer.data.formula import Of
from webfarer.data.ground import Ground, Relation, Statement
from webfarer.data.question import Evidence, Question
from webfarer.data.synth import Order
from webfarer.data.synths._describing import Describer
from webfarer.data.synths._drafting import Draft, draft_of, rounds, solved, spread
from webfarer.data.synths._net import net_of
from webfarer.data.wording import refilled, stands_in
from webfarer.evals.task import Item


class E2HQA:
    """Easy questions with what they name described instead."""

    title = "E2HQA"
    source = "arXiv 2505.22648"
    ground = "catalogue"

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question]:
        """Yield drafts with `order.hops` rewrites each; of an easy question that names nothing here there are none."""
        easy: Sequence[Statement]
        if order.easy:
            easy = [said for item in order.easy if (said := _taken(item, ground)) is not None]
            maker = _Maker(_grown(ground, easy), order.hops, random, {each.relation for each in easy})
        else:
            easy = net_of(ground).plain
            maker = _Maker(ground, order.hops, random)
        return rounds(spread(easy, lambda each: each.relation, random), maker.harder)

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Return every answer to the formula; what a file says is believed as long as its page is there."""
        if "easy" in question.recipe:
            said = question.recipe["easy"]
            easy = Statement(**{**said, "evidence": Evidence.model_validate(said["evidence"])})
            ground = _grown(ground, [easy] if easy.evidence.url in ground.pages else [])
        return solved(question, ground)


class _Maker:
    """Makes easy questions hard; `told` are the relations whose name is the text of a question in a file."""

    def __init__(self, ground: Ground, rewrites: int, random: Random, told: Collection[str] = ()) -> None:
        self._ground, self._rewrites, self._random, self._told = ground, rewrites, random, told

    def harder(self, easy: Statement) -> Question | None:
        describer = Describer(net_of(self._ground), self._ground.relations, {easy.value}, self._rewrites + 1)
        subject = describer.describe(easy.subject, self._rewrites, self._random)
        if subject is None:
            return None
        draft = Draft("e2hqa", "easy_to_hard", formula=Of(easy.relation, subject))
        if easy.relation in self._told:
            text = refilled(easy.relation, subject, self._ground)
            if text is None:
                return None
            said = {**asdict(easy), "evidence": easy.evidence.model_dump()}
            draft = replace(draft, text=text, recipe={"easy": said})
        return draft_of(self._ground, draft)


def _taken(item: Item, ground: Ground) -> Statement | None:
    """Return what an easy question says as a statement about the name that stands in it; its text is the relation."""
    names = [name for name in net_of(ground).subjects if name in item.question and stands_in(name, item.question)]
    if not names or not item.answer or item.parts:
        return None
    name = max(names, key=len)
    for evidence in _stating(name, item, ground):
        text = re.sub(rf"\b[Tt]he {re.escape(name)}|{re.escape(name)}", "{x}", item.question)
        return Statement(name, text, item.answer, evidence)
    return None


def _stating(name: str, item: Item, ground: Ground) -> Iterator[Evidence]:
    """Yield where the answer stands: in statements about the name, then in lines of pages that hold both."""
    for said in net_of(ground).ties(name):
        if said.subject == name and stands_in(item.answer, said.evidence.text):
            yield said.evidence
    for url in dict.fromkeys((*item.gold, *ground.pages)):
        page = ground.pages.get(url)
        if page is None or not stands_in(name, page.markdown):
            continue
        start = 0
        for line in page.markdown.split("\n"):
            if stands_in(item.answer, line):
                yield Evidence(url=url, sha256=page.id, text=line, start=start)
            start += len(line) + 1


def _grown(ground: Ground, said: Sequence[Statement]) -> Ground:
    """Return the ground with statements of relations that it has no words for."""
    relations = {each.relation: Relation(each.relation) for each in said}
    return replace(ground, statements=(*ground.statements, *said), relations={**ground.relations, **relations})


synth = E2HQA()
