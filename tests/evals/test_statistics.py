"""Intervals over items, paired comparisons and weighted cells, against published and hand-computed values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.evals.scoring import Share
from webfarer.evals.statistics import Estimate, compare, mcnemar, weighted

MARK = st.sampled_from([0.0, 1.0])
GROUPS = st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=4), min_size=1, max_size=30)


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_one_run_per_item_has_wilsons_interval(trials):
    share, found = Share.of(trials), Estimate.share([[float(trial)] for trial in trials])
    assert (found.items, found.runs) == (len(trials), len(trials))
    assert (found.mean, found.low, found.high) == pytest.approx((share.share, share.low, share.high), abs=1e-4)


def test_runs_that_repeat_each_other_are_no_new_items():
    once = Estimate.share([[1.0]] * 6 + [[0.0]] * 4)
    thrice = Estimate.share([[1.0] * 3] * 6 + [[0.0] * 3] * 4)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))
    assert thrice.runs == 30


def test_runs_that_differ_by_chance_count_as_trials():
    # every item 1 of 2: nothing differs between items, so there were 20 trials
    found = Estimate.share([[1.0, 0.0]] * 10)
    alone = Share.of([True] * 10 + [False] * 10)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=1e-4)


def test_an_interval_computed_by_hand():
    # item means 1, 0.5, 0.5, 0: variance of their mean 0.5 / 16, effective trials 0.25 / 0.03125 = 8
    found = Estimate.share([[1, 1], [1, 0], [0, 1], [0, 0]])
    z = 1.959964
    spread = z * math.sqrt(0.25 / 8 + z * z / (4 * 64)) / (1 + z * z / 8)
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5 - spread, 0.5 + spread))


def test_no_item_says_nothing():
    assert Estimate.share([]) == Estimate(mean=0, low=0, high=1, items=0, runs=0)
    assert Estimate.share([[], [1.0]]).items == 1


@given(GROUPS)
def test_a_share_and_its_interval_are_shares(groups):
    found = Estimate.share(groups)
    assert 0 <= found.low <= found.mean <= found.high <= 1


@pytest.mark.parametrize(
    ("better", "worse", "p"), [(1, 8, 20 / 512), (0, 6, 2 / 64), (3, 3, 1), (0, 0, 1), (5, 0, 2 / 32)]
)
def test_mcnemar(better, worse, p):
    assert mcnemar(better, worse) == mcnemar(worse, better) == pytest.approx(p)


def paired_runs(both, first, second, neither):
    one = [[1.0]] * both + [[1.0]] * first + [[0.0]] * second + [[0.0]] * neither
    other = [[1.0]] * both + [[0.0]] * first + [[1.0]] * second + [[0.0]] * neither
    return one, other


def test_agrestis_approval_ratings():
    # Agresti, Categorical Data Analysis: 794, 150, 86, 570; z² = 17.36; Wald interval of the difference (.02, .06)
    found = compare(*paired_runs(794, 150, 86, 570))
    assert (found.method, found.items, found.better, found.worse) == ("mcnemar", 1600, 150, 86)
    assert found.difference == pytest.approx(0.04)
    assert (found.low, found.high) == pytest.approx((0.0213, 0.0587), abs=3e-4)
    assert found.p == pytest.approx(3.7e-5, rel=0.1)


def test_a_very_large_comparison_has_a_p_value():
    assert compare(*paired_runs(0, 3000, 10, 0)).p == pytest.approx(0, abs=1e-100)


def test_a_sign_flip_test_by_hand():
    # differences .5 .5 .5 -.5: of 16 sums, 1 + 4 on each side are as far from 0 as 1
    found = compare([[1, 0]] * 3 + [[0, 0]], [[0, 0]] * 3 + [[1, 0]])
    assert (found.method, found.p) == ("sign_flip", pytest.approx(10 / 16))
    assert (found.better, found.worse, found.difference) == (3, 1, 0.25)


def test_many_differences_are_drawn_with_a_seed():
    one, other = [[1.0, 0.0]] * 30 + [[0.0, 0.0]] * 8, [[0.0, 0.0]] * 30 + [[1.0, 0.0]] * 8
    found = compare(one, other)
    assert found == compare(one, other)
    assert found.p == pytest.approx(mcnemar(30, 8), abs=5e-4)  # equal sizes: the same test
    assert compare(one, other, seed=1).p == pytest.approx(found.p, abs=2e-3)


@given(GROUPS, st.randoms(use_true_random=False))
def test_a_comparison_turned_round_says_the_same(one, random):
    other = [[random.random() for _ in group] for group in one]
    there, back = compare(one, other), compare(other, one)
    assert there.difference == pytest.approx(-back.difference)
    assert (there.low, there.high, there.p) == pytest.approx((-back.high, -back.low, back.p))
    assert there.low - 1e-9 <= there.difference * there.items / (there.items + 2) <= there.high + 1e-9
    assert 0 < there.p <= 1


@given(GROUPS)
def test_a_system_does_not_differ_from_itself(groups):
    found = compare(groups, groups)
    assert (found.difference, found.p, found.better, found.worse) == (0, 1, 0, 0)
    assert found.low < 0 < found.high


def test_a_comparison_needs_the_same_items():
    with pytest.raises(ValueError, match="same items"):
        compare([[1.0]], [[1.0], [0.0]])
    with pytest.raises(ValueError, match="mark"):
        compare([[1.0]], [[]])


def test_the_published_cells_of_webwalkerqa_give_the_printed_overall():
    # WebWalker with GPT-4o: single easy, medium, hard, multi easy, medium, hard
    cells = list(zip((55.00, 50.00, 30.00, 47.50, 34.29, 15.83), (80, 140, 120) * 2, strict=True))
    assert weighted(cells) == pytest.approx(37.50, abs=0.01)
    assert weighted([]) == 0.0
