"""Taking questions apart: what they are about, what is asked, and which ask for the newest or for yes and no."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webfarer.agents.hops import Question, says_newest, take_apart
from webfarer.core.text import words

PIECES = (
    *("Does", "gpt-3.5-turbo", "support", "json_schema", "the latest", "publication", "by", "Foo Lab", "of", "who is"),
    *("最新", "的", "论文", "是什么", "青鸟模型", "是否", "支持", "吗", "？", "?", '"', "{", "...", "and", "when"),
)
QUESTIONS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join))


@given(QUESTIONS)
@example("latest")
@example("Is ?")
@example("是否支持")
def test_nothing_raises_and_the_parts_are_the_question_s_own(question: str) -> None:
    taken = take_apart(question)
    assert taken.text == question
    assert taken.subject in question
    assert taken.subject in taken.goal
    assert all(word in question for word in (*taken.inner, *taken.asked))
    assert all(terms for terms in taken.names)


@given(QUESTIONS, st.text(min_size=1, max_size=20))
def test_going_on_leaves_fewer_words(question: str, value: str) -> None:
    taken = take_apart(question)
    beyond = taken.beyond(value, question)
    assert (beyond.subject, beyond.asked, beyond.shape) == (value, taken.asked, taken.shape)
    assert value in beyond.goal
    assert len(beyond.inner) <= max(0, len(taken.inner) - 2)


@pytest.mark.parametrize(
    ("question", "subject", "asked", "shape"),
    [
        ("What is the latest publication by Meridian Lab?", "Meridian Lab", "publication", "newest"),
        ("latest publication written by meridian?", "meridian", "publication", "newest"),
        ("Which is the newest report the Foo Fund published?", "Foo Fund", "report", "newest"),
        ("What is the most recent release of gpt-4o?", "gpt-4o", "release", "newest"),
        ("子午实验室最新的论文是什么？", "子午实验室", "论文", "newest"),
        ("极光研究所最近发表的报告是哪一篇？", "极光研究所", "报告", "newest"),
        ("Does gpt-3.5-turbo support structured outputs?", "gpt-3.5-turbo", "support structured outputs", "whether"),
        ("Is the Foo Library open on Sunday?", "Foo Library", "open Sunday", "whether"),
        ("青鸟模型是否支持函数调用？", "青鸟模型", "支持函数调用", "whether"),
        ("What is the context window of gpt-3.5-turbo?", "gpt-3.5-turbo", "context window", ""),
        ("Who is the chair of the Foo Track?", "Foo Track", "chair", ""),
        ("雁湖学会的会长是谁？", "雁湖学会", "会长", ""),
    ],
)
def test_subjects_and_shapes(question: str, subject: str, asked: str, shape: str) -> None:
    taken = take_apart(question)
    assert (taken.subject, " ".join(taken.asked), taken.shape, taken.inner) == (subject, asked, shape, ())


def test_a_chain_ends_in_the_newest() -> None:
    taken = take_apart("What is the latest report of the lab that won the Bar Prize?")
    assert taken == Question(taken.text, "Bar Prize", ("won", "lab"), ("report",), "newest")
    assert taken.goal == "Bar Prize won lab?"
    beyond = taken.beyond("Foo Lab", "The Bar Prize was won by Foo Lab")
    assert (beyond.inner, set(words(beyond.goal))) == ((), set(words("Foo Lab report")))


@pytest.mark.parametrize(
    ("text", "newest"), [("the latest news", True), ("最新公告", True), ("离西湖最近的车站", False)]
)
def test_the_newest_is_not_the_nearest(text: str, newest: bool) -> None:
    assert says_newest(text) is newest
