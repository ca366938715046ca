"""Synths over formulas: what they ask, that it needs every page, and how far the answer is from what is given."""

import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from observatories_kit import observatories

from webfarer.core.config import Settings
from webfarer.data.formula import Both, Count, bridged, constants, from_json
from webfarer.data.ground import GROUNDS, Ground, Place, Statement
from webfarer.data.question import Question
from webfarer.data.synth import SYNTHS, Drop, Order, Synth
from webfarer.data.synths._drafting import varied
from webfarer.evals.scoring import normalise
from webfarer.evals.task import Item

NAMES = ("crawlqa", "e2hqa", "webleaper")
SKY = observatories()


def drafts(name: str, ground: Ground = SKY, *, hops: int = 2, seed: int = 0, most: int = 60) -> list[Question]:
    synth: Synth = SYNTHS.load(name)
    return list(islice(synth.drafts(ground, Order(hops=hops), Random(seed)), most))


@cache
def everything(name: str, hops: int = 2) -> tuple[Question, ...]:
    return tuple(drafts(name, hops=hops, most=10_000))


def steps(statements: Collection[Statement], start: str, ends: Collection[str]) -> int:
    """Return how many statements lead from `start` to the nearest of `ends`, in whatever direction they are read."""
    reached, edge, count = {start}, {start}, 0
    while edge and not edge & set(ends):
        near = {end for each in statements for end in (each.subject, each.value) if {each.subject, each.value} & edge}
        edge, count = near - reached, count + 1
        reached |= edge
    assert edge, f"{start!r} does not lead to the answer"
    return count


@pytest.mark.parametrize("name", NAMES)
@given(hops=st.integers(1, 4), seed=st.integers(0, 99))
def test_a_draft_has_one_answer_and_needs_every_page(name: str, hops: int, seed: int) -> None:
    synth: Synth = SYNTHS.load(name)
    for question in drafts(name, hops=hops, seed=seed, most=6):
        assert synth.solve(question, SKY) == {question.wanted}
        assert question.gold == tuple(dict.fromkeys(each.url for each in question.evidence))
        for url in question.gold:
            assert question.wanted not in synth.solve(question, SKY.without([url]))
        assert question.paths == tuple(SKY.ways[url] for url in question.gold)
        assert all(name in question.question for name in constants(from_json(question.formula)))
        assert not any(normalise(part) in normalise(question.question) for part in question.wanted)
        counted = isinstance(from_json(question.formula), Count)
        assert counted or all(any(part in each.text for each in question.evidence) for part in question.wanted)
        assert (question.root, question.sites, question.ground) == (SKY.root, (SKY.root,), "hand")
        assert (question.cells["language"], question.cells["domain"]) == ("en", "sky")


@pytest.mark.parametrize("name", NAMES)
def test_drafts_are_all_different_and_end(name: str) -> None:
    found = everything(name)
    assert len(found) > 10
    assert len({each.id for each in found}) == len({each.question for each in found}) == len(found)


def test_other_random_numbers_give_other_drafts() -> None:
    assert all(drafts(name, most=9) == drafts(name, most=9) != drafts(name, seed=1, most=9) for name in NAMES)


@pytest.mark.slow
def test_the_same_arguments_give_the_same_drafts_in_another_process() -> None:
    program = "from test_synths_formula import *; print([each.id for name in NAMES for each in drafts(name)])"
    here = [each.id for name in NAMES for each in drafts(name)]
    for seed in "12":
        there = subprocess.run(
            [sys.executable, "-c", program],
            cwd=Path(__file__).parent,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert there.stdout.decode() == f"{here}\n"


@given(hops=st.integers(0, 4), seed=st.integers(0, 99))
def test_each_rewrite_adds_a_statement_and_keeps_the_answer(hops: int, seed: int) -> None:
    truths = {each.value for each in SKY.statements}
    for question in drafts("e2hqa", hops=hops, seed=seed, most=9):
        assert question.answer in truths
        assert question.cells["hops"] == str(hops + 1)
        for constant in constants(from_json(question.formula)):
            assert steps(SKY.statements, constant, question.wanted) == hops + 1


def test_no_rewrite_at_all_asks_the_easy_question() -> None:
    question = next(each for each in drafts("e2hqa", hops=0) if each.answer == "Ada Fell")
    assert question.question == "Who is the director of Elm Ridge?"


EASY = (
    Item(id="1", question="Who is the head of the Elm Ridge?", answer="Ada Fell"),
    Item(id="2", question="Name the town Bo Lund comes from.", answer="Torvik", gold=("http://sky.test/people",)),
    Item(id="3", question="What is the capital of France?", answer="Paris"),
    Item(id="4", question="Who founded Oak Peak?", answer="nobody knows"),
    Item(id="5", question="What is at Oak Peak?", answer="Dorado; Eridan", parts=("Dorado", "Eridan")),
)


def from_file(hops: int, easy: tuple[Item, ...] = EASY) -> list[Question]:
    found = SYNTHS.load("e2hqa").drafts(SKY, Order(hops=hops, easy=easy), Random(0))
    return [each for each in found if isinstance(each, Question)]


def test_easy_questions_of_a_file_keep_their_words_and_answers() -> None:
    synth: Synth = SYNTHS.load("e2hqa")
    found = from_file(1)
    texts = {each.question: each.answer for each in found}
    assert texts["Who is the head of the observatory that opened on 4 May 1931?"] == "Ada Fell"
    assert texts["Name the town the director of Oak Peak comes from."] == "Torvik"
    assert {*texts.values()} == {"Ada Fell", "Torvik"}  # the others name nothing here, or nothing states their answer
    for question in found:
        assert synth.solve(question, SKY) == {question.wanted}
        assert all(not synth.solve(question, SKY.without([url])) for url in question.gold)
    assert from_file(0, EASY[:1])[0].question == "Who is the head of Elm Ridge?"


def test_a_line_of_a_page_is_evidence_where_no_statement_is() -> None:
    page = SKY.pages["http://sky.test/elm"]
    page = replace(page, title="Elm Ridge", markdown=f"{page.markdown}\nIts dome is green.")
    ground = replace(SKY, pages={**SKY.pages, page.url: page})
    easy = Item(id="1", question="Which colour has the dome of Elm Ridge?", answer="green")
    question = next(SYNTHS.load("e2hqa").drafts(ground, Order(hops=1, easy=(easy,)), Random(0)))
    piece = question.evidence[-1]
    assert piece.text == "Its dome is green."
    assert ground.pages[piece.url].markdown[piece.start :] == piece.text


def of_type(name: str, kind: str, hops: int = 2) -> Iterator[Question]:
    return (each for each in everything(name, hops) if each.cells["type"] == kind)


def test_crawlqa_asks_three_kinds_in_turn() -> None:
    assert [each.cells["type"] for each in drafts("crawlqa", most=6)] == ["count", "multi_hop", "intersection"] * 2
    assert all(1 <= int(each.cells["hops"]) <= 3 for each in drafts("crawlqa", hops=3))


def test_counts_count_what_the_ground_states() -> None:
    found = {each.question: each.answer for each in of_type("crawlqa", "count")}
    assert found["How many instruments are there at Elm Ridge?"] == "3"
    assert found["How many instruments are there whose maker is Zeta Works?"] == "3"
    assert found["How many observatories are there in Norland?"] == "2"


def test_an_intersection_needs_both_of_its_statements() -> None:
    for question in of_type("crawlqa", "intersection"):
        formula = from_json(question.formula)
        both = formula if isinstance(formula, Both) else formula.inner  # type: ignore[union-attr]
        held = [{each.subject for each in SKY.statements if each.value == side.inner.name} for side in both.parts]
        assert all(len(side) > 1 for side in held)
        assert len(set.intersection(*held)) == 1


def test_a_chain_goes_over_several_pages() -> None:
    assert all(len(each.gold) > 1 for each in of_type("crawlqa", "multi_hop"))


def test_sets_are_whole_and_of_three_to_twelve_parts() -> None:
    kinds = Counter(each.cells["type"] for each in everything("webleaper"))
    assert set(kinds) == {"basic", "union", "reverse_union"}
    for question in everything("webleaper"):
        assert 3 <= len(question.parts) <= 12
        assert question.parts == tuple(sorted(question.parts))
        assert question.answer == "; ".join(question.parts)
        assert set(question.data["required"]) <= {each.subject for each in SKY.statements}
    union = next(of_type("webleaper", "union"))
    assert union.question == "List the instruments at Elm Ridge and the instruments at Oak Peak."
    assert union.parts == ("Argus", "Borea", "Corvus", "Dorado", "Eridan", "Fornax")
    assert union.data["required"] == [*union.parts]


def test_a_reverse_union_hides_what_the_set_belongs_to() -> None:
    for question in of_type("webleaper", "reverse_union"):
        anchors = {each.value for each in SKY.statements if each.subject in question.data["required"]}
        assert not any(anchor in question.question for anchor in anchors if anchor not in question.wanted)


async def test_a_generated_catalogue_has_questions_of_every_kind() -> None:
    for number in range(2):
        ground = await GROUNDS.load("catalogue").at(Place(Settings(), number=number))
        for name, kinds in zip(NAMES, (3, 1, 3), strict=True):
            found = drafts(name, ground, hops=3, most=15)
            assert len(found) == 15
            assert len({each.cells["type"] for each in found}) == kinds
        for question in drafts("e2hqa", ground, hops=3, most=5):
            for constant in constants(from_json(question.formula)):
                assert steps(ground.statements, constant, question.wanted) == 4


def quoting(relation: str) -> Ground:
    """Return the ground with one relation that quotes the page that states its values."""
    return replace(SKY, relations={**SKY.relations, relation: replace(SKY.relations[relation], quotes=True)})


@pytest.mark.parametrize("name", ["crawlqa", "e2hqa", "webleaper"])
def test_what_quotes_its_page_is_asked_of_no_bridge(name: str) -> None:
    def bridges(ground: Ground) -> set[str]:
        found = drafts(name, ground, most=40)
        return {relation for each in found for relation in bridged(from_json(each.formula))}

    relation = min(bridges(SKY))
    assert relation not in bridges(quoting(relation))


def test_few_questions_begin_alike() -> None:
    question = everything("crawlqa")[0]
    many = [question.model_copy(update={"id": str(number)}) for number in range(500)]
    assert len(list(varied(many))) == 5


WRONG = (
    Item(id="1", question="Who is the director of Elm Ridge?", answer="Bo Lund"),
    Item(id="2", question="Which prize did Elm Ridge win?", answer="Torvik"),
    Item(id="3", question="Who directs Rome?", answer="Ada Fell"),
    Item(id="4", question="What is at Oak Peak?", answer="Dorado; Eridan", parts=("Dorado", "Eridan")),
)


def test_easy_questions_that_cannot_be_used_are_named_with_the_reason() -> None:
    found = SYNTHS.load("e2hqa").drafts(SKY, Order(easy=(*WRONG, EASY[0])), Random(0))
    refused = [each for each in found if isinstance(each, Drop)]
    assert [(each.check, each.why) for each in refused] == [
        ("easy fact", "http://sky.test/elm states 'Ada Fell'"),
        ("easy evidence", "no page states 'Torvik' together with 'Elm Ridge'"),
        ("easy name", "it names nothing of which the site states anything"),
        ("easy answer", "it has no answer, or several"),
    ]
    assert [each.question for each in refused] == [item.question for item in WRONG]
    assert not from_file(1, WRONG)


def test_what_is_asked_describes_nothing() -> None:
    easy = Item(id="1", question="Which lens maker built Gruis?", answer="Zeta Works")
    assert all("maker" not in str(each.formula[2]) for each in from_file(1, (easy,)))
