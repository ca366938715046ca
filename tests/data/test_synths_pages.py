"""Synths over pages: their cells, what they mask, where they walk, and that the generator says the same."""

import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lighthouse_kit import ROOT, checks, dropped_by, lighthouses
from truth_kit import is_true

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.core.types import Page, Span
from webfarer.data.ground import GROUNDS, Place
from webfarer.data.synth import SYNTHS, Order
from webfarer.data.synths._passages import pieces, sentences

PAGES = ("webwalkerqa", "masked", "webnav", "backward")
GROUND = lighthouses()
DEPTHS = {
    ("single_source", "easy"): {2},
    ("single_source", "medium"): {3},
    ("single_source", "hard"): {4},
    ("multi_source", "easy"): {4},
    ("multi_source", "medium"): {5, 6},
    ("multi_source", "hard"): {7, 8},
}


def drafts(synth, order=Order(), seed=1, count=60, ground=GROUND):
    return list(islice(SYNTHS.load(synth).drafts(ground, order, Random(seed)), count))


async def generated(kind, number):
    return await GROUNDS.load(kind).at(Place(load_settings(model=""), number=number))


def follow(ground, labels):
    """Return where a way leads, by the links of the pages."""
    here = {ground.root}
    for label in labels:
        targets = {link.url for url in here for link in ground.pages[url].links if link.label == label}
        here = {url for url in targets if url in ground.pages}
    return here


@pytest.mark.parametrize("synth", PAGES)
@given(seed=st.integers(0, 10_000), hops=st.integers(1, 3))
@settings(max_examples=5, deadline=None)
async def test_drafts_are_solved_by_the_ground_and_follow_from_the_seed(synth, seed, hops):
    made = drafts(synth, Order(hops), seed, 12)
    assert [each.id for each in made] == [each.id for each in drafts(synth, Order(hops), seed, 12)]
    assert len({each.question for each in made}) == len(made)
    assert made or (synth, hops) == ("masked", 3)
    ready = checks()
    for question in made:
        assert SYNTHS.load(synth).solve(question, GROUND) == {question.wanted}
        assert not SYNTHS.load(synth).solve(question, GROUND.without(question.gold))
        assert await dropped_by(question, GROUND, {name: ready[name] for name in ready if name != "duplicate"}) == ""


def test_difficulty_is_the_depth_of_the_pages():
    made = drafts("webwalkerqa", count=100)
    assert {cell_of(question) for question in made} == set(DEPTHS)
    for question in made:
        assert sum(map(len, question.paths)) in DEPTHS[cell_of(question)]
        assert len(question.gold) == (1 if cell_of(question)[0] == "single_source" else 2)


def cell_of(question):
    return question.cells["type"], question.cells["difficulty"]


def test_cells_of_a_quota_take_turns_until_each_is_used_up():
    wanted = {("single_source", "hard"): 1, ("multi_source", "easy"): 9}
    made = [cell_of(question) for question in drafts("webwalkerqa", Order(quota=wanted))]
    assert made[:4] == [*wanted, *wanted]
    assert Counter(made) == {("single_source", "hard"): 2, ("multi_source", "easy"): 9}  # 2 lodges; 3 × 3 facts


def test_an_unknown_cell_is_named_with_those_that_exist():
    with pytest.raises(ConfigError, match="no cell single_source:harder; known: single_source:easy, "):
        drafts("webwalkerqa", Order(quota={("single_source", "harder"): 1}))


def test_facts_that_belong_together_are_paired_first():
    hard = drafts("webwalkerqa", Order(quota={("multi_source", "hard"): 4}))
    subjects = [{term[2][1] for term in each.formula[1:]} for each in hard if sum(map(len, each.paths)) == 7]
    assert list(map(len, subjects)) == [1, 1, 2, 2]


def test_what_is_asked_twice_on_the_site_is_not_asked():
    twice = replace(GROUND.statements[0], value="1 January 1900", evidence=GROUND.statements[4].evidence)
    ground = replace(GROUND, statements=(*GROUND.statements, twice))
    assert not [each for each in drafts("webwalkerqa", ground=ground) if "Fir Point lit" in each.question]


def test_spans_are_masked_and_asked_for_in_order():
    made = {each.parts: each for each in drafts("masked", Order(2))}
    question = made[("9 June 1904", "18.5 metres")]
    assert question.question == (
        "The page “Gull Rock” says: “The light was lit on [mask 1] by two brothers of the village. Its tower of "
        "granite is [mask 2] tall.” What stands in place of [mask 1] and [mask 2]?"
    )
    assert question.gold == (f"{ROOT}gull",)
    assert question.cells["hops"] == "2"
    assert {"foghorn", "Ada Fell", "Hamlin"} <= {each.answer for each in drafts("masked", Order(1))}


def test_a_pattern_that_fits_two_texts_is_no_question():
    ground = lighthouses(ada="<p>She was born in Barrow and came here as a child with her uncle.</p>")
    assert not [each for each in drafts("masked", Order(1), ground=ground) if "page “Ada Fell”" in each.question]


def test_a_sentence_that_stands_on_two_pages_leads_to_neither():
    ground = lighthouses(bo="<p>Its tower of granite is 18.5 metres tall.</p>")
    asked = " ".join(each.question for each in drafts("webnav", ground=ground))
    assert "granite" not in asked
    assert "foghorn" in asked
    assert all(GROUND.depth(each.answer) >= 2 for each in drafts("webnav"))


def test_an_instruction_is_what_the_walk_did():
    made = {each.question: each for each in drafts("backward")}
    question = made[
        "From the home page, click “Coasts”, then click “Gull Rock”. Where was the keeper of Gull Rock born?"
    ]
    assert (question.answer, question.gold) == ("Torvik", (f"{ROOT}gull", f"{ROOT}bo"))
    assert question.recipe["clicks"][1:] == [{"label": "Gull Rock"}, {"relation": "keeper", "subject": "Gull Rock"}]
    opened = [each for each in made if "then follow the link to the keeper of Fir Point, then click “Lodge”." in each]
    assert made[opened[0]].answer == "LD-204"
    solve = SYNTHS.load("backward").solve
    assert not solve(question, GROUND.without([f"{ROOT}coasts"]))  # it lies on the way
    assert not solve(question, GROUND.without([ROOT]))


def test_passages_are_exact_and_code_is_no_prose():
    markdown = (
        "# This heading is long enough to look like a sentence of prose.\n"
        "| This row is long | enough to be a piece. |\n| --- | --- |\n"
        "```\nThis code is long enough to look like a sentence of prose.\n```\n"
        "- This item is a sentence of `prose` with marks in it.\n"
        "Too short. Another sentence of prose which is quite long enough to be taken, really!\n"
        "灯塔建于一八六一年，由两兄弟主持建造，至今仍在使用。太短了。"
    )
    page = Page("p", ROOT, "t", markdown, spans=(("main", Span(0, len(markdown))),))
    item = "This item is a sentence of `prose` with marks in it."
    prose = [
        "Another sentence of prose which is quite long enough to be taken, really!",
        "灯塔建于一八六一年，由两兄弟主持建造，至今仍在使用。",
    ]
    assert [markdown[span.start : span.end] for span in sentences(page)] == [item, *prose]
    row = "| This row is long | enough to be a piece. |"
    assert [markdown[span.start : span.end] for span in pieces(page)] == [row, item, *prose]


@given(st.text(alphabet="Ab .!?。灯塔\n`*|#-1", max_size=300))
def test_passages_lie_within_lines_and_do_not_overlap(text):
    page = Page("p", ROOT, "t", text, spans=(("main", Span(0, len(text))),))
    end = 0
    for span in pieces(page):
        assert end <= span.start < span.end
        assert re.fullmatch(r"\S(?:[^\n]*\S)?", text[span.start : span.end])
        end = span.end


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["world", "catalogue"])
@pytest.mark.parametrize("number", [0, 1])
async def test_the_generator_agrees_and_the_checks_keep_most(kind, number):
    ground = await generated(kind, number)
    for synth in PAGES:
        made = drafts(synth, Order(2), ground=ground, count=40)
        assert len(made) >= 10
        assert all(is_true(question) for question in made)
        assert all(
            url in follow(ground, labels) for each in made for url, labels in zip(each.gold, each.paths, strict=True)
        )
        ready = checks()
        kept = [question for question in made if not await dropped_by(question, ground, ready)]
        assert len(kept) >= 0.9 * len(made)


async def test_a_wrong_answer_is_not_what_the_generator_says():
    ground = await generated("catalogue", 0)
    for synth in PAGES:
        one, two = drafts(synth, Order(1), ground=ground, count=2)
        assert is_true(one)
        assert not is_true(one.model_copy(update={"answer": two.answer, "parts": two.parts}))


def test_masks_are_filled_in_order():
    once = lighthouses(ada="<p>The boat sails from `Kell` to `Morr` on all days.</p>")
    question = next(
        each for each in drafts("masked", Order(2), 400, ground=once) if set(each.parts) == {"Kell", "Morr"}
    )
    assert question.parts == ("Kell", "Morr")
    assert question.data == {"ordered": True}
    both = lighthouses(
        ada="<p>The boat sails from `Kell` to `Morr` on all days.</p>",
        bo="<p>The boat sails from `Morr` to `Kell` on all days.</p>",
    )
    assert len(SYNTHS.load("masked").solve(question, both)) == 2


def test_a_mask_hides_no_part_of_a_word():
    ground = lighthouses(ada="<p>The field `ieee754` was set on board of the `Gannet` by the harbour office.</p>")
    assert not [each for each in drafts("masked", Order(1), 400, ground=ground) if each.answer == "754"]


def test_a_walk_over_told_links_ends_with_nothing_that_can_be_searched_for():
    def asked(ground):
        made = drafts("backward", Order(3), ground=ground)
        told = [each for each in made if not all("label" in click for click in each.recipe["clicks"])]
        return {each.recipe["asked"]["relation"] for each in told}

    assert "born" in asked(GROUND)
    quoting = {**GROUND.relations, "born": replace(GROUND.relations["born"], quotes=True)}
    assert "born" not in asked(replace(GROUND, relations=quoting))
