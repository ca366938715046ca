"""Draft lengths against published closed forms and against trying every one."""

from itertools import pairwise, product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.engine.lengths import Chooser, Costs, Estimate, best, expected

chances = st.sampled_from([0.0, 0.05, 0.3, 0.5, 0.7, 0.9, 1.0])


@pytest.mark.parametrize(
    ("acceptance", "tokens"),
    [
        (0.5, (1.5, 1.75, 1.875, 1.938, 1.969, 1.996)),
        (0.7, (1.7, 2.19, 2.533, 2.773, 2.941, 3.199)),
        (0.8, (1.8, 2.44, 2.952, 3.362, 3.689, 4.329)),
        (0.9, (1.9, 2.71, 3.439, 4.095, 4.686, 6.126)),
        (1.0, (2, 3, 4, 5, 6, 9)),
        (0.0, (1, 1, 1, 1, 1, 1)),
    ],
)
def test_expected_tokens_of_a_pass(acceptance, tokens):
    assert [round(expected(acceptance, k), 3) for k in (1, 2, 3, 4, 5, 8)] == pytest.approx(tokens, abs=6e-4)


@pytest.mark.parametrize(
    ("step", "rows"),
    [
        (0.05, {0.5: (3, 1.63), 0.7: (6, 2.35), 0.8: (8, 3.09), 0.9: (13, 4.67)}),
        (0.1, {0.5: (2, 1.46), 0.7: (4, 1.98), 0.8: (6, 2.47), 0.9: (10, 3.43)}),
        (0.2, {0.5: (1, 1.25), 0.7: (3, 1.58), 0.8: (4, 1.87), 0.9: (7, 2.37)}),
    ],
)
def test_the_best_length_of_one_row_and_what_it_gains(step, rows):
    costs = Costs(((1, 1.0),), ((1, step),))
    for acceptance, (k, gain) in rows.items():
        assert best([acceptance], costs, 16) == [k]
        assert round(expected(acceptance, k) / (costs.draft(1, k) + costs.verify(k + 1)), 2) == gain


def rate(chosen, acceptances, costs):
    tokens = sum(expected(a, k) for a, k in zip(acceptances, chosen, strict=True))
    return tokens / (costs.draft(len(chosen), max(chosen)) + costs.verify(sum(chosen) + len(chosen)))


times = st.integers(1, 40).map(lambda t: t / 8)
prices = st.builds(
    lambda passes, step, more: Costs(tuple(zip((1, 3, 5, 9), sorted(passes), strict=True)), ((1, step), (3, more))),
    st.tuples(times, times, times, times),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.sampled_from([0.0, 0.1, 0.5]),
)


@given(acceptances=st.lists(chances, min_size=1, max_size=3), costs=prices, most=st.integers(0, 4))
def test_no_other_lengths_are_better(acceptances, costs, most):
    found = rate(best(acceptances, costs, most), acceptances, costs)
    for other in product(range(most + 1), repeat=len(acceptances)):
        assert found >= rate(other, acceptances, costs) * (1 - 1e-12)


def test_nothing_is_drafted_where_it_does_not_pay():
    assert best([0.9, 0.9], Costs(((2, 1.0), (4, 2.0))), 8) == [0, 0]  # a pass over two more tokens costs as much again
    assert best([0.3], Costs(((1, 1.0),), ((1, 0.4),)), 8) == [0]
    assert best([0.0, 0.9], Costs(((1, 1.0),)), 5) == [0, 5]
    assert best([], Costs(((1, 1.0),)), 5) == []
    assert best([0.9], Costs(((1, 1.0),)), 0) == [0]


def test_a_step_of_drafting_that_is_dear_is_taken_by_all_rows_or_none():
    assert best([0.9, 0.5], Costs(((1, 1.0),), ((1, 0.5),)), 8) == [1, 1]
    assert best([0.9, 0.5], Costs(((2, 1.0), (4, 1.2)), ((1, 0.7),)), 8) == [0, 0]


def test_rows_that_are_believed_get_longer_drafts():
    lengths = best([0.9, 0.5, 0.7, 0.1], Costs(((1, 1.0), (64, 4.0)), ((1, 0.02),)), 12)
    assert lengths[0] > lengths[2] > lengths[1] > lengths[3]


@given(points=st.lists(st.tuples(st.integers(1, 50), times), min_size=1, max_size=5, unique_by=lambda point: point[0]))
def test_costs_follow_the_measured_points(points):
    points = tuple(sorted(points))
    costs = Costs(points, points)
    for count, time in points:
        assert costs.verify(count) == pytest.approx(time)
        assert costs.draft(count, 3) == pytest.approx(3 * time)
    for (x0, y0), (x1, y1) in pairwise(points):
        assert min(y0, y1) - 1e-9 <= costs.verify((x0 + x1) // 2) <= max(y0, y1) + 1e-9
    assert costs.verify(points[-1][0] + 7) >= points[-1][1]
    assert costs.draft(3, 0) == costs.draft(0, 3) == 0


@pytest.mark.parametrize(
    "points", [(), ((2, 1.0), (1, 2.0)), ((1, 1.0), (1, 2.0)), ((1, 0.0),), ((1, float("nan")),), ((1, -1.0),)]
)
def test_points_that_are_no_measurements_are_refused(points):
    with pytest.raises(ConfigError, match="costs"):
        Costs(points)


def rounds(estimate, chance, count, random, k=4):
    """Let `count` rounds of drafts be judged."""
    for _ in range(count):
        stood = [random.random() < chance for _ in range(k)]
        estimate.learn(k, [*stood, False].index(False))


def test_an_estimate_finds_the_chance_and_follows_it():
    random, found = Random(3), []
    for chance in (0.8, 0.2):
        seen = []
        estimate = Estimate()
        rounds(estimate, 1 - chance, 100, random)
        rounds(estimate, chance, 60, random)  # what was before is forgotten
        for _ in range(300):
            rounds(estimate, chance, 1, random)
            seen.append(estimate.value)
        found.append(sum(seen) / len(seen))
    assert found == pytest.approx([0.8, 0.2], abs=0.05)


@given(st.lists(st.integers(0, 5).flatmap(lambda k: st.tuples(st.just(k), st.integers(0, k))), max_size=40))
def test_an_estimate_stays_a_chance(seen):
    estimate = Estimate()
    assert estimate.value == 0.6
    for proposed, accepted in seen:
        before = estimate.value
        estimate.learn(proposed, accepted)
        assert 0 < estimate.value < 1
        if not proposed:
            assert estimate.value == before
        if proposed and not accepted:
            assert estimate.value < before


def test_a_row_that_stopped_speculating_comes_back():
    costs = Costs(((1, 1.0),), ((1, 0.3),))
    chooser, estimate = Chooser(costs, most=4), Estimate()
    drafted = []
    for turn in range(400):
        (k,) = chooser.choose([estimate])
        estimate.learn(k, k if turn >= 100 else 0)
        drafted.append(k)
    tries = [turn for turn, k in enumerate(drafted[:100]) if k == 1]
    gaps = [later - earlier for earlier, later in pairwise(tries) if later - earlier > 1]
    assert gaps, "it tries again"
    assert all(later == 2 * earlier for earlier, later in pairwise(gaps)), "more and more seldom"
    assert drafted[-1] == 4
    assert sum(Chooser(costs, most=0).choose([estimate])[0] for _ in range(40)) == 0
    assert not any(Chooser(costs, 4, every=0).choose([Estimate(mean=0.01)])[0] for _ in range(40))


def test_rows_choose_together_and_try_again_in_turn():
    chooser = Chooser(Costs(((1, 1.0), (8, 8.0))), most=4, every=3)
    chosen = [chooser.choose([Estimate(mean=0.1), Estimate(mean=0.2)]) for _ in range(9)]
    assert [turn for turn, each in enumerate(chosen) if any(each)] == [2, 8]
    assert (chosen[2], chosen[8]) == ([1, 0], [0, 1])


def test_costs_follow_what_rounds_really_took():
    chooser = Chooser(Costs(((1, 1.0), (8, 1.0)), ((1, 0.1),)), most=4, every=0)
    assert chooser.choose([Estimate(mean=0.9)])[0] == 4
    for _ in range(30):  # on this machine a pass over drafts takes twice as long, and drafting twice
        chooser.took(1, 1, 2.0)
        chooser.took(1, 5, 4.0)
        chooser.took_drafting(1, 4, 1.6)
    assert chooser.real.checking == pytest.approx(2.0)
    assert chooser.real.drafts == ((1, pytest.approx(0.2)),)
    assert chooser.choose([Estimate(mean=0.6)])[0] == 0
