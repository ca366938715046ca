"""Pickers on numbers that are given: what they prefer, what does not matter to them, and that they see no answer."""

import typing
from dataclasses import dataclass, field
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.core.specs import made, spec_of
from webfarer.train.picker import PICKERS, Round, View
from webfarer.train.pickers._ranking import best, scaled, spread
from webfarer.train.pickers.semantic import meanings
from webfarer.train.pickers.star import Star
from webfarer.train.pool import PoolItem
from webfarer.train.released import Released


@dataclass
class Given:
    """A view of numbers; with `passes` the n-th pass adds n times `shaken`."""

    base: np.ndarray
    adapted: np.ndarray
    shaken: np.ndarray | float = 0.0
    chosen: list = field(default_factory=list)
    told: tuple = ()
    points: np.ndarray | None = None
    taken: np.ndarray | tuple = ()
    factors: tuple = ()

    def __len__(self):
        return len(self.adapted)

    @property
    def closed(self):
        return bool(self.chosen)

    def nll(self, who, passes=0):
        values = getattr(self, who)
        return np.stack([values + n * self.shaken for n in range(passes)]) if passes else values

    entropy = nll

    def information(self, passes):
        return np.array(self.told, float)

    def lengths(self, who):
        return np.arange(1.0, len(self) + 1)

    def choices(self, who, passes=0):
        return [np.array(chances) for chances in self.chosen]

    def samples(self, count, seed):
        return [["#### 3", f"so #### {n % (row + 1)}", "3."][:count] for row, n in enumerate(range(len(self)))]

    def embeddings(self):
        return self.points

    def picked(self):
        return self.taken

    def gradients(self):
        return self.factors

    def leaders(self):
        return np.array(self.told, float)


def at(number=0, rounds=9, calibration=None, seed=0):
    return Round(number, rounds, Random(seed), calibration)


def pick(spec, view, count=2, when=None):
    return made(PICKERS, spec).pick(view, count, when or at()).rows


def ranking(scores):
    return best(scores, len(scores), Random(0))


WHOLE = st.lists(st.integers(0, 1 << 20), min_size=2, max_size=30)
PAIRS = st.integers(2, 12).flatmap(
    lambda n: st.tuples(
        *[st.lists(st.integers(0, 1 << 20), min_size=n, max_size=n).map(lambda v: np.array(v, float))] * 2
    )
)
# powers of two and whole numbers, so that nothing is rounded and equal scores stay equal
AFFINE = st.tuples(st.integers(-8, 8).map(lambda n: 2.0**n), st.integers(-(1 << 20), 1 << 20))


@given(PAIRS)
def test_lambda_one_ranks_as_the_base_model_and_zero_as_the_adapted(pair):
    base, adapted = pair
    assert ranking(Star().mixed(base, adapted, 1.0)) == ranking(base)
    assert ranking(Star().mixed(base, adapted, 0.0)) == ranking(adapted)


@given(PAIRS, AFFINE, AFFINE, st.integers(0, 8))
def test_the_units_of_either_score_do_not_matter(pair, one, other, number):
    base, adapted = pair
    part = Star().weight(at(number))
    changed = [values * factor + shift for values, (factor, shift) in zip(pair, (one, other), strict=True)]
    assert ranking(Star().mixed(*changed, part)) == ranking(Star().mixed(base, adapted, part))


def test_the_released_mixture_depends_on_units():
    base, adapted = np.array([0.0, 1.0, 2.0]), np.array([90.0, 50.0, 0.0])
    raw, paper = Released(scale=True), Star()
    assert ranking(raw.mixed(base, adapted, 0.9)) == [0, 1, 2]
    assert ranking(raw.mixed(base, adapted / 100, 0.9)) == [2, 1, 0] == ranking(paper.mixed(base, adapted, 0.9))


@given(WHOLE.map(lambda values: np.array(values, float)))
def test_scaled_scores_reach_from_0_to_1(values):
    found = scaled(values)
    if values.min() == values.max():
        assert not found.any()
    else:
        assert (found.min(), found.max()) == (0.0, 1.0)
    assert len(scaled(values[:0])) == 0


@given(st.integers(1, 6), st.integers(1, 8))
def test_a_pool_of_equal_items_is_picked_from_by_lot(size, count):
    view = Given(np.full(size, 3.0), np.full(size, 70.0), points=np.ones((size, 2)))
    for spec in ("star", "star:diversity=kcenter", "pe", "gap"):
        found = pick(spec, view, count)
        assert len(set(found)) == len(found) == min(size, count)
        assert set(found) <= set(range(size))


def test_equal_items_all_have_their_chance():
    view = Given(np.full(4, 3.0), np.full(4, 70.0))
    assert {pick("star", view, 1, at(seed=seed))[0] for seed in range(40)} == {0, 1, 2, 3}


def test_the_clock_gives_the_papers_weights_and_calibration_its_own():
    clock, measured = Star(), Star(schedule="calibrated")
    assert [round(clock.weight(at(t)), 9) for t in range(9)] == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    assert [round(clock.weight(at(t, rounds=3)), 9) for t in range(3)] == [0.75, 0.5, 0.25]
    assert measured.weight(at()) == clock.weight(at())
    assert measured.weight(at(calibration=(0.1, 0.3))) == pytest.approx(0.75)
    assert measured.weight(at(calibration=(0.0, 0.0))) == 0.5


def test_star_goes_from_the_base_model_to_the_adapted_one():
    view = Given(np.array([5.0, 0, 0, 1]), np.array([0.0, 90, 0, 30]))
    assert [pick("star", view, 1, at(number))[0] for number in (0, 8)] == [0, 1]
    assert pick("star:per=token", Given(np.array([2.0, 2]), np.array([3.0, 3])), 1) == [0]


def test_star_says_how_it_mixed_and_how_far_that_is_the_adapted_model_alone():
    view = Given(np.array([5.0, 4, 0, 1]), np.array([0.0, 90, 80, 30]))
    first, last = (Star().pick(view, 2, at(number)) for number in (0, 8))
    assert ({*first.rows}, first.weight, first.overlap) == ({0, 1}, pytest.approx(0.9), 0.5)
    assert ({*last.rows}, last.weight, last.overlap) == ({1, 2}, pytest.approx(0.1), 1.0)
    assert made(PICKERS, "pe").pick(view, 2, at())[1:] == (None, None)


def test_star_takes_the_mean_of_its_passes():
    view = Given(np.zeros(3), np.array([1.0, 2, 3]), shaken=np.array([9.0, 0, 0]))
    assert pick("star:passes=0", view, 1) == [2]
    assert pick("star:passes=3", view, 1) == [0]


def test_star_with_diversity_does_not_pick_near_duplicates():
    points = np.array([[0.0, 0], [0, 0.01], [5, 0], [9, 9]])
    view = Given(np.array([9.0, 8.9, 5, 0]), np.array([9.0, 8.9, 5, 0]), points=points)
    assert pick("star", view) == [0, 1]
    assert pick("star:diversity=kcenter", view, 3) == [0, 2, 1]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [("pe", [3, 2]), ("token_entropy", [3, 2]), ("pe:per=token", [0, 3]), ("gap", [1, 3]), ("gap:per=token", [1, 3])],
)
def test_scores_of_outputs(spec, expected):
    view = Given(base=np.array([3.0, 0, 6, 7]), adapted=np.array([3.0, 4, 6, 8]))
    assert pick(spec, view) == expected


def test_margin_takes_the_closest_call():
    assert pick("margin", Given(np.zeros(3), np.zeros(3), chosen=[[0.1, 0.9], [0.3, 0.5, 0.2], [0.6, 0.4]])) in (
        [1, 2],
        [2, 1],
    )
    assert pick("margin", Given(np.zeros(2), np.zeros(2), told=[[0.9, 0.05], [0.3, 0.2]])) == [1, 0]


def test_bald_takes_disagreement_and_not_doubt():
    doubt, dispute = [[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]]
    assert pick("bald", Given(np.zeros(2), np.zeros(2), chosen=[doubt, dispute])) == [1, 0]
    assert pick("bald", Given(np.zeros(2), np.zeros(2), told=[0.2, 0.3])) == [1, 0]
    assert pick("bald:per=token", Given(np.zeros(2), np.zeros(2), told=[0.2, 0.3])) == [0, 1]
    with pytest.raises(ConfigError, match="dropout"):
        pick("bald", Given(np.zeros(2), np.zeros(2), chosen=[doubt, doubt]))


def test_semantic_entropy_counts_meanings():
    assert meanings(["so #### 3", "#### 3 .", "3"]) == 0
    assert meanings(["1", "2", "3", "4"]) == pytest.approx(np.log(4))
    assert meanings(["1", "1", "1", "2"]) == pytest.approx(-0.75 * np.log(0.75) - 0.25 * np.log(0.25))


def test_kcenter_reaches_every_cluster_before_it_returns_to_one():
    points = np.repeat(np.array([[0.0, 0], [9, 0], [0, 9]]), 4, axis=0) + np.arange(12)[:, None] / 100
    for seed in range(5):
        found = pick("kcenter", Given(np.zeros(12), np.zeros(12), points=points), 3, at(seed=seed))
        assert sorted(row // 4 for row in found) == [0, 1, 2]


def test_kcenter_goes_where_nothing_is_labelled():
    points = np.array([[0.0, 0], [1, 0], [9, 0], [0, 9]])
    view = Given(np.zeros(4), np.zeros(4), points=points, taken=points[2:3])
    assert [pick("kcenter", view, 2, at(seed=seed)) for seed in range(5)] == [[3, 0]] * 5


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 3), st.integers(0, 99))
def test_each_spread_item_is_as_far_as_can_be(size, count, labelled, seed):
    points = np.random.default_rng(seed).standard_normal((size + labelled, 2))
    points, centres = points[:size], points[size:]
    found = spread(points, np.ones(size), count, Random(seed), centres)
    assert len(set(found)) == min(size, count)
    for place in range(0 if labelled else 1, len(found)):
        others = np.concatenate([centres, points[found[:place]]])
        gaps = np.linalg.norm(points[:, None] - others, axis=2).min(1)
        assert gaps[found[place]] == pytest.approx(gaps.max())


def test_badge_draws_as_k_means_begins_on_the_written_out_gradients():
    draw = np.random.default_rng(0)
    residual, hidden = draw.standard_normal((8, 5)), draw.standard_normal((8, 3))
    written = np.einsum("iv,ih->ivh", residual, hidden).reshape(8, -1)
    lots = Random(5)
    expected = [int((written**2).sum(1).argmax())]
    while len(expected) < 4:
        gaps = ((written[:, None] - written[expected]) ** 2).sum(2).min(1)
        expected.append(int(np.searchsorted(gaps.cumsum(), lots.random() * gaps.sum(), side="right")))
    assert pick("badge", Given(np.zeros(8), np.zeros(8), factors=(residual, hidden)), 4, at(seed=5)) == expected
    same = (np.ones((5, 2)), np.ones((5, 2)))
    assert sorted(pick("badge", Given(np.zeros(5), np.zeros(5), factors=same), 9)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", PICKERS.ids())
def test_specs_of_pickers_are_read_back(name):
    picker = made(PICKERS, name)
    assert made(PICKERS, spec_of(picker)) == picker
    assert picker.title


def test_neither_items_nor_views_hold_an_answer():
    assert set(PoolItem.model_fields) == {"id", "prompt", "choices", "cells"}
    names = {"ndarray": np.ndarray, "View": View}
    hints = [typing.get_type_hints(value, names) for value in vars(View).values() if callable(value)]
    named = {str(hint) for each in hints for hint in each.values()}
    assert named
    assert not [hint for hint in named if "Key" in hint or "Label" in hint or "pool.Set" in hint]


PEEPING = """
from webfarer.train.picker import Round, View
from webfarer.train.pool import PoolItem

def peep(view: View, item: PoolItem, at: Round) -> None:
    view.nll("base")
    view.answer("1")
    item.answer
    at.key
    view.key
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_type_checker_sees_a_picker_that_peeps(tmp_path):
    from mypy import api

    path = tmp_path / "peeping.py"
    path.write_text(PEEPING)
    said, problems, _ = api.run(["--strict", str(path)])
    assert not problems
    assert [line.split(":")[1] for line in said.splitlines() if "[attr-defined]" in line] == ["7", "8", "9", "10"], said
    assert said.count("error:") == 4
