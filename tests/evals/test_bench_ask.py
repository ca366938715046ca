"""Marks are exact on answers made by hand; the benchmark compares its systems on served webs."""

import io

import pytest
from rich.console import Console

from webfarer.core.errors import ConfigError
from webfarer.core.types import Answer, Claim, Quote, StopReason
from webfarer.evals.bench import run_bench
from webfarer.evals.benches._ask_marks import mark, names_any
from webfarer.worlds.web import generate_web

WEB = generate_web(5)
QUESTION = next(question for question in WEB.questions if question.hops == 3)
FIRST, SECOND, LAST = QUESTION.chain


def claim(fact, text="", *, verified=True, url=""):
    quote = Quote(page="p", url=url or fact.url, text=text or f"It is known that the {fact.statement}.", start=0)
    return Claim(text=fact.value, quote=quote, verified=verified)


def answer(text, *claims):
    return Answer(question=QUESTION.text, text=text, claims=claims, stop_reason=StopReason.ANSWERED)


@pytest.mark.parametrize("form", QUESTION.answers)
def test_every_accepted_form_is_right(form):
    marks = mark(QUESTION, answer(f"I believe it is {form}."), set())
    assert (marks.right, marks.misled) == (True, False)


def test_a_wrong_value_beside_the_right_one_spoils_it():
    marks = mark(QUESTION, answer(f"Either {QUESTION.answers[0]} or {QUESTION.wrong[0]}."), set())
    assert (marks.right, marks.misled) == (False, True)


def test_a_dump_or_silence_is_not_right():
    assert not mark(QUESTION, answer(""), set()).right
    assert not mark(QUESTION, answer(QUESTION.answers[0] + " padding" * 200), set()).right


def test_claims_of_the_whole_chain_count_and_nothing_else_does():
    other = next(fact for fact in WEB.facts if fact not in QUESTION.chain)
    marks = mark(
        QUESTION,
        answer(
            "…",
            claim(LAST),
            claim(FIRST, f"| {FIRST.statement} |"),
            claim(other),  # true, but not what was asked
            claim(SECOND, verified=False),
            claim(SECOND, url=FIRST.url),  # said elsewhere
            claim(SECOND, SECOND.value),  # the value without what it is the value of
            Claim(text="bare"),
        ),
        {FIRST.url, LAST.url},
    )
    assert marks.claims == (True, True, False, False, False, False, False)
    assert marks.cited == (True, False, True)
    assert marks.reached == (True, False, True)


def test_values_count_as_whole_words():
    assert names_any("the REC-64185, then", ["REC-64185"])
    assert not names_any("the REC-641850", ["REC-64185"])


def test_an_unknown_system_is_named(tmp_path):
    with pytest.raises(ConfigError, match="search_walk"):
        run_bench("ask", {"systems": "oracle"}, tmp_path / "ask.json", Console(file=io.StringIO()))


@pytest.mark.slow
def test_every_system_is_asked_the_same_within_its_budget(tmp_path):
    options = {"worlds": 1, "questions": 1, "pages": 6, "jobs": 1}
    report = run_bench("ask", options, tmp_path / "ask.json", Console(file=io.StringIO()))
    rows = {(row["table"], row["system"]): row for row in report.rows}
    assert {system for _, system in rows} == {"search", "walk", "search_walk"}
    assert report.n == 3 * 3
    for system in ("search", "walk", "search_walk"):
        right, reached = rows["Answers right, by hops", system], rows["Gold pages opened, by hops", system]
        assert [right[name].n for name in ("1_hop", "2_hops", "3_hops")] == [1, 1, 1]
        assert [reached[name].n for name in ("1_hop", "2_hops", "3_hops")] == [1, 2, 3]
        assert 0 < rows["Fare of a question", system]["most_pages"] <= 6
    assert rows["Fare of a question", "walk"]["searches"] == 0 < rows["Fare of a question", "search"]["searches"]
    assert report.headline.startswith("ask, answers right within 6 pages: search en ")
