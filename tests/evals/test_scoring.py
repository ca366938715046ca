"""Shares with their intervals, and when an answer counts as right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.evals.scoring import Share, correct, mean, normalise


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval(hits, n, low, high):
    share = Share.of([True] * hits + [False] * (n - hits))
    assert (share.hits, share.n) == (hits, n)
    assert share.low == pytest.approx(low, abs=2e-4)
    assert share.high == pytest.approx(high, abs=2e-4)


@given(st.lists(st.booleans(), min_size=1))
def test_the_interval_holds_the_share(trials):
    share = Share.of(trials)
    assert 0 <= share.low <= share.share <= share.high <= 1
    assert share.hits == sum(trials)


def test_no_trial_says_nothing():
    assert (Share.of([]).low, Share.of([]).high, mean([])) == (0, 1, 0)
    assert str(Share.of([True] * 3 + [False])) == "75 % (30–95)"


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        ("The deadline is March 3, 2025.", ["march 3,  2025"]),
        ("代码是HTL-3721。", ["HTL-3721"]),
        ("会议共有21名成员。", ["21名成员"]),
        ("Room Ｆ１６６; at 08:40", ["f166", "08:40"]),
        ("| Speaker | **Ann Lee** |", ["Ann Lee"]),
    ],
)
def test_right(answer, truth):
    assert correct(answer, truth)


@pytest.mark.parametrize(
    ("answer", "truth"),
    [
        ("", ["12"]),
        ("There are 112 of them.", ["12"]),
        ("Ann Leeds", ["Ann Lee"]),
        ("Only 08:40 is known", ["08:40", "F166"]),
        (f"12 {'and so on ' * 30}", ["12"]),
    ],
)
def test_wrong(answer, truth):
    assert not correct(answer, truth)


@given(st.text(), st.text())
def test_a_part_of_a_text_is_found_in_it_when_it_ends_at_words(before, after):
    assert normalise("the answer").strip() in normalise(f"{before} the answer {after}")
    assert correct(f"{before[:50]} 42 apples {after[:50]}", ["42 Apples"])
