"""Checks: a good question passes them all, and each kind of bad one is dropped by the check meant for it."""

from dataclasses import replace
from itertools import islice
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lighthouse_kit import ROOT, checks, dropped_by, lighthouses, stated

from webfarer.data.check import CHECKS, Desk
from webfarer.data.standing import plain, states
from webfarer.data.synth import SYNTHS, Order
from webfarer.models.scripted import Scripted

GROUND = lighthouses()


def drafts(synth, count=50, ground=GROUND, order=Order()):
    return list(islice(SYNTHS.load(synth).drafts(ground, order, Random(1)), count))


def asked(text):
    """Return the draft of the WebWalkerQA pipeline that asks for one thing, in these words."""
    return next(each for each in drafts("webwalkerqa") if text in each.question and len(each.gold) == 1)


LIT = asked("was Fir Point lit?")
BOTH = next(each for each in drafts("webwalkerqa") if each.question.startswith("Where was Ada Fell born, and"))


def changed(made=LIT, /, **values):
    return made.model_copy(update=values)


def moved(question, **values):
    """Return the question with its last piece of evidence changed."""
    *rest, last = question.evidence
    return changed(question, evidence=(*rest, last.model_copy(update=values)))


@pytest.mark.parametrize("question", [LIT, BOTH, *drafts("webnav", 2), *drafts("backward", 2)], ids=lambda q: q.id)
async def test_a_good_question_passes_every_check(question):
    assert await dropped_by(question, GROUND) == ""


PLANTED = {
    "an answer that no evidence states": ("evidence", changed(answer="5 May 1861")),
    "a number inside a longer one": ("evidence", changed(asked("How tall is Gull Rock"), answer="5 metres")),
    "evidence at a wrong place": ("evidence", moved(LIT, start=LIT.evidence[0].start + 1)),
    "evidence with other words": ("evidence", moved(LIT, text=LIT.evidence[0].text.replace("1861", "1862"))),
    "evidence of other bytes": ("evidence", moved(LIT, sha256="0" * 64)),
    "evidence of no page": ("evidence", changed(moved(LIT, url=f"{ROOT}elm"), gold=(f"{ROOT}elm",))),
    "empty evidence": ("evidence", moved(LIT, text="")),
    "a gold page without evidence": ("evidence", changed(BOTH, evidence=BOTH.evidence[:1])),
    "evidence of a page that is not gold": ("evidence", changed(LIT, evidence=(*LIT.evidence, *BOTH.evidence))),
    "no gold page": ("evidence", changed(gold=(), evidence=(), paths=())),
    "another way": ("evidence", changed(paths=(("Coasts", "Gull Rock"),))),
    "an answer that is a sentence": (
        "short",
        changed(asked("was Ada Fell born?"), answer=GROUND.statements[6].evidence.text),
    ),
    "a question in Chinese": ("language", changed(question="灯塔Fir Point是哪一天点亮的？")),
    "a question in German": ("language", changed(question="Wann wurde Fir Point gebaut?")),
    "the answer in the question": ("given_away", changed(question="Was it on 4 MAY 1861 that Fir Point was lit?")),
    "another value of the page": ("unique", changed(answer="31 metres")),
    "something that nobody states": ("unique", changed(formula=["of", "born", ["entity", "Fir Point"]])),
    "a page that is not needed": (
        "ablation",
        changed(
            gold=(*LIT.gold, *BOTH.gold), evidence=(*LIT.evidence, *BOTH.evidence), paths=(*LIT.paths, *BOTH.paths)
        ),
    ),
}


@pytest.mark.parametrize(("check", "question"), PLANTED.values(), ids=PLANTED)
async def test_a_planted_fault_is_found_by_the_check_meant_for_it(check, question):
    assert await dropped_by(question, GROUND) == check


@pytest.mark.parametrize(
    "html",
    [
        "<p>Of all the lights, FIR  POINT is the oldest: it was lit on 4 May １８６１.</p>",
        "<h2>Fir Point</h2><p>4 May 1861</p>",
    ],
)
async def test_a_second_page_that_states_the_answer_is_found_by_its_text(html):
    ground = lighthouses(bo=html)
    assert await dropped_by(asked("was Fir Point lit?"), ground) == "ablation"


async def test_the_answer_alone_or_the_subject_alone_on_another_page_does_no_harm():
    ground = lighthouses(bo="<p>Fir Point lies near. The school was built on 14 May 1861.</p><p>4 May 1861</p>")
    assert await dropped_by(LIT, ground) == ""


async def test_a_second_statement_makes_a_question_ambiguous_or_a_page_needless():
    other = lighthouses(bo="<p>Fire of the old tower: 1 May 1860.</p>")
    other = replace(other, statements=(*other.statements, stated(other, "bo", "Fir Point", "lit", "1 May 1860")))
    assert await dropped_by(LIT, other) == "unique"
    same = lighthouses(bo="<p>The light is older: 4 May 1861.</p>")
    same = replace(same, statements=(*same.statements, stated(same, "bo", "Fir Point", "lit", "4 May 1861")))
    assert await dropped_by(LIT, same) == "ablation"


REPEATED = {
    "in other letters": changed(id="2", question=LIT.question.upper(), formula=None),
    "with a word more": changed(id="2", question="So on which day was Fir Point first lit?"),
    "in other words": changed(id="2", question="When did the lamp of Fir Point burn for the first time?"),
}


@pytest.mark.parametrize("again", REPEATED.values(), ids=REPEATED)
async def test_a_question_is_kept_once(again):
    duplicate = CHECKS.load("duplicate")(Desk())
    assert not await duplicate.problem(LIT, GROUND)
    assert await duplicate.problem(again, GROUND)


async def test_alike_questions_with_other_names_or_answers_are_no_duplicates():
    duplicate = CHECKS.load("duplicate")(Desk())
    said = [await duplicate.problem(each, GROUND) for each in (LIT, asked("was Gull Rock lit?"), BOTH)]
    assert said == ["", "", ""]


async def test_ten_thousand_questions_are_compared_in_little_work(monkeypatch):
    compared = []
    monkeypatch.setattr("webfarer.data.near.Near.add", lambda self, text: compared.append(text))
    duplicate = CHECKS.load("duplicate")(Desk())
    for number in range(300):
        name = ["of", "lit", ["entity", f"Light {number}"]]
        assert not await duplicate.problem(changed(question=f"When was light {number} lit?", formula=name), GROUND)
    assert len(compared) == 300
    assert len(duplicate._near) == 300  # none is compared with another


async def test_nothing_of_another_split_comes_again():
    leakage = CHECKS.load("leakage")
    assert "page" in await leakage(Desk(apart=[asked("How tall is Fir Point")])).problem(LIT, GROUND)
    elsewhere = changed(moved(LIT, sha256="0" * 64), gold=("http://mirror.test/",), question="Other words?")
    assert "fact" in await leakage(Desk(apart=[elsewhere])).problem(LIT, GROUND)
    assert not await leakage(Desk(apart=[asked("was Gull Rock lit?")])).problem(LIT, GROUND)


async def test_the_language_of_chinese_grounds():
    ground = replace(GROUND, language="zh")
    language = CHECKS.load("language")(Desk())
    asked = "Fir Point灯塔是哪一天点亮的？"
    assert not await language.problem(changed(question=asked, answer="1861年5月4日"), ground)
    assert not await language.problem(changed(question=asked, answer="LD-204"), ground)
    assert await language.problem(changed(question=asked, answer="the keeper of the light"), ground)
    assert await language.problem(LIT, ground)


@pytest.mark.parametrize(
    ("replies", "problem"),
    [
        (["Unknown."] * 4, ""),
        (["Maybe 1 May 1861.", "It was lit on 4 May 1861."], "without any page"),
        (["Unknown."] * 3 + ["1861-05-04"], "on the way"),
        ([f"{'Anything. ' * 30}4 May 1861"] + ["Unknown."] * 3, ""),
    ],
)
async def test_what_the_model_knows_without_the_page_is_dropped(replies, problem):
    model = Scripted(replies)
    said = await CHECKS.load("closed_book")(Desk(model, seed=7)).problem(LIT, GROUND)
    assert problem in said
    assert bool(said) == bool(problem)
    assert [sampling.temperature for sampling in model.samplings][:2] == [0.0, 0.7]
    assert len({sampling.seed for sampling in model.samplings[:3]}) == len(model.samplings[:3])
    shown = "".join(message.content for messages in model.asked for message in messages)
    assert LIT.evidence[0].text not in shown


async def test_one_of_two_gold_pages_must_not_be_enough():
    model = Scripted(["Unknown."] * 4 + ["; ".join(BOTH.parts)])
    said = await CHECKS.load("closed_book")(Desk(model)).problem(BOTH, GROUND)
    assert said == f"the model answers it with all its pages but {BOTH.gold[1]}"
    for left_out, messages in zip(BOTH.evidence, model.asked[3:], strict=True):
        assert left_out.text not in messages[-1].content
    other = {BOTH.evidence[0]: BOTH.evidence[1], BOTH.evidence[1]: BOTH.evidence[0]}
    for left_out, messages in zip(BOTH.evidence, model.asked[3:], strict=True):
        assert other[left_out].text in messages[-1].content


def test_checks_that_ask_come_last_and_are_left_out_without_a_model():
    assert "closed_book" not in checks()
    assert list(checks(Desk(Scripted([]))))[-1] == "closed_book"


@pytest.mark.parametrize(
    ("text", "phrase", "stands"),
    [
        ("It is 5.5 m", "5", False),
        ("It is 5.5 m", "5.5 M", True),
        ("It is 15 m or 5, no more", "5", True),
        ("at 10:30 sharp", "30", False),
        ("in 2024年5月", "2024年5月", True),
        ("共有１２ 场", "12场", True),
        ("the catalogue", "cat", False),
        ("a cat.", "Cat", True),
        ("anything", "", False),
        ("version 3.2.1", "3.2", False),
        ("see page 5.", "page 5", True),
    ],
)
def test_phrases_stand_as_whole_words_and_numbers(text, phrase, stands):
    assert states(plain(text), plain(phrase)) is stands


@example("5  塔", "")
@given(st.text(alphabet="ab5. ,灯塔", max_size=12), st.text(alphabet="ab5. ,灯塔", max_size=12))
def test_a_phrase_between_spaces_always_stands_and_comparing_is_stable(text, phrase):
    assert plain(plain(text)) == plain(text)
    words = plain(phrase)
    assert states(f"{plain(text)} | {words} | x", words) is bool(words)


def test_every_check_says_when_it_is_made_and_what_it_needs():
    kinds = {name: CHECKS.load(name) for name in CHECKS.ids()}
    assert len({kind.order for kind in kinds.values()}) == len(kinds)
    assert [name for name, kind in kinds.items() if kind.whole] == ["duplicate"]
    assert [name for name, kind in kinds.items() if kind.asks] == ["closed_book"]
    assert max(kinds, key=lambda name: kinds[name].order) == "closed_book"


async def test_a_piece_of_the_question_that_finds_the_answer_leaves_a_page_unneeded():
    """The last sentence is a search for itself, and whoever makes it need not know who keeps Fir Point."""
    planted = BOTH.model_copy(
        update={
            "question": "Find the keeper of Fir Point. Which town is missing from this sentence on the page of this "
            "keeper: “She was born in ___ and came here as a child with her uncle.”?",
            "answer": "Hamlin",
            "parts": (),
            "formula": ["of", "born", ["of", "keeper", ["entity", "Fir Point"]]],
        }
    )
    good = planted.model_copy(update={"question": "Where was the keeper of Fir Point born?"})
    check = CHECKS.load("ablation")(Desk())
    evidence = {"gold": (f"{ROOT}fir", f"{ROOT}ada")}
    assert "alone leads to the answer" in await check.problem(planted.model_copy(update=evidence), GROUND)
    assert await check.problem(good.model_copy(update=evidence), GROUND) == ""


async def test_a_masked_sentence_that_another_page_holds_as_well_is_dropped():
    made = next(each for each in drafts("masked", order=Order(1)) if each.answer == "Hamlin")
    again = lighthouses(bo="<p>She was born in Hamlin and came here as a child with her uncle.</p>")
    assert await dropped_by(made, GROUND) == ""
    assert "not needed" in await CHECKS.load("ablation")(Desk()).problem(made, again)


async def test_a_page_in_another_language_and_quotes_are_judged_apart():
    language = CHECKS.load("language")(Desk())
    german = replace(GROUND, pages={url: replace(page, language="de") for url, page in GROUND.pages.items()})
    assert "is in 'de'" in await language.problem(LIT, german)
    quoted = "Welches Wort fehlt: “the light of the harbour is a thing of the past”?"
    assert await language.problem(changed(question=quoted), GROUND)
    assert (
        await language.problem(changed(question="Which page says: “灯塔位于北角的尽头，守塔人住在那里”?"), GROUND) == ""
    )


async def test_the_part_of_a_page_around_its_evidence_is_shown():
    last = lighthouses(ada="<p>Waves came and went.</p>" * 400 + "<p>The bell is of bronze.</p>")
    page = last.pages[f"{ROOT}ada"]
    start = page.markdown.index("The bell")
    evidence = BOTH.evidence[0].model_copy(update={"url": page.url, "text": "The bell is of bronze.", "start": start})
    model = Scripted(["Unknown."] * 5)
    await CHECKS.load("closed_book")(Desk(model)).problem(changed(BOTH, evidence=(evidence,)), last)
    assert any("The bell is of bronze." in str(messages) for messages in model.asked)
