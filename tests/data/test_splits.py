"""Splits: nothing leaks, shares are met as far as groups allow, and the same seed gives the same parts."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.data.check import Desk
from webfarer.data.checks.leakage import check as leakage
from webfarer.data.question import Evidence, Question
from webfarer.data.splits import split, together, traits


def question(number, pages, answer, about=(), **values):
    evidence = [Evidence(url=f"http://a.test/{page}", sha256=f"sha {page}", text=answer, start=0) for page in pages]
    formula = ["both", *(["of", "maker", ["entity", name]] for name in about)] if about else None
    return Question(
        **{"id": f"q{number}", "question": f"what {number}", "answer": answer, "synth": "hand", "ground": "hand"}
        | {"gold": [each.url for each in evidence], "evidence": evidence, "formula": formula}
        | values
    )


QUESTIONS = st.lists(
    st.tuples(
        st.lists(st.integers(0, 40), max_size=2, unique=True),
        st.sampled_from(["3", "Oslo", "4 May 1931"]),
        st.lists(st.integers(0, 40).map(str), max_size=2),
    ),
    max_size=40,
).map(lambda drawn: [question(number, *each) for number, each in enumerate(drawn)])
SHARES = st.dictionaries(st.sampled_from("abc"), st.floats(0.05, 1), min_size=1)


@settings(max_examples=25)
@given(QUESTIONS, SHARES, st.integers(0, 9))
async def test_no_part_knows_a_page_or_an_answer_of_another(questions, shares, seed):
    groups = together(questions)
    assert sorted(number for group in groups for number in group) == list(range(len(questions)))
    if len(groups) < len(shares):
        with pytest.raises(ConfigError, match="questions of more sites"):
            split(questions, shares, seed)
        return
    try:
        parts = split(questions, shares, seed)
    except ConfigError:
        parts = {}
    assert not parts or sorted(each.id for part in parts.values() for each in part) == sorted(q.id for q in questions)
    largest = max(map(len, groups), default=0)
    for name, part in parts.items():
        assert part == [each for each in questions if each in part], "in their order"
        assert len(part) - shares[name] / sum(shares.values()) * len(questions) < largest
        others = [each for other, held in parts.items() if other != name for each in held]
        assert not frozenset().union(*map(traits, part)) & frozenset().union(*map(traits, others))
        check = leakage(Desk(apart=others))
        assert [await check.problem(each, None) for each in part] == [""] * len(part)


def test_groups_are_as_small_as_that_allows():
    questions = [
        question(0, [1], "3", ["Elm"]),
        question(1, [2], "3", ["Oak"]),  # the same answer about something else
        question(2, [3], " ３ ", ["ELM"]),
        question(3, [2, 4], "Oslo"),
        question(4, [5], "Oslo"),
        question(5, [6], "Rome", gold=["https://www.a.test/4/#end", "http://a.test/6"]),
    ]
    assert together(questions) == [[0, 2], [1, 3, 5], [4]]


def test_shares_are_met_where_nothing_hangs_together():
    parts = split([question(n, [n], str(n)) for n in range(100)], {"train": 8, "dev": 1, "test": 1}, 3)
    assert {name: len(part) for name, part in parts.items()} == {"train": 80, "dev": 10, "test": 10}
    again = split([question(n, [n], str(n)) for n in range(100)], {"train": 8, "dev": 1, "test": 1}, 4)
    assert parts["test"] != again["test"]


@pytest.mark.parametrize("shares", [{}, {"train": 1.0, "test": 0.0}])
def test_every_part_has_a_share(shares):
    with pytest.raises(ConfigError, match="share above 0"):
        split([question(0, [0], "0")], shares)


def test_one_site_that_hangs_together_cannot_be_split():
    with pytest.raises(ConfigError, match="nothing is left for test: 5 questions make 1 groups"):
        split([question(n, [1], str(n)) for n in range(5)], {"train": 9, "test": 1})


@pytest.mark.slow
def test_the_same_in_every_process():
    program = (
        f"import sys; sys.path.insert(0, {str(__file__).rpartition('/')[0]!r})\n"
        "from test_splits import question, split\n"
        "drawn = [question(n, [n % 17, n % 13 + 20], str(n % 3), [str(n % 11)]) for n in range(0, 90, 7)]\n"
        "print([[each.id for each in part] for part in split(drawn, {'a': 1, 'b': 1}).values()])"
    )
    runs = {
        subprocess.check_output([sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, text=True)
        for seed in ("1", "2")
    }
    assert len(runs) == 1
