"""Calibration against sums done by hand, its bounds, and what must not change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.train.calibration import calibration, expected_error

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


def test_a_case_done_by_hand() -> None:
    # bins of width 0.5: {0.2 wrong, 0.4 right}: |0.3 - 0.5| x 2/5; {0.6 right, 0.9 right, 0.9 wrong}: |0.8 - 2/3| x 3/5
    found = calibration([0.2, 0.4, 0.6, 0.9, 0.9], [False, True, True, True, False], bins=2)
    assert found.ece.mean == pytest.approx(0.2 * 2 / 5 + (0.8 - 2 / 3) * 3 / 5)
    assert found.brier.mean == pytest.approx((0.04 + 0.36 + 0.16 + 0.01 + 0.81) / 5)
    assert found.accuracy.mean == pytest.approx(0.6)
    assert found.confidence == pytest.approx(0.6)
    assert [row[:3] for row in found.table] == [(0.0, 0.5, 2), (0.5, 1.0, 3)]
    assert [row.confidence for row in found.table] == pytest.approx([0.3, 0.8])
    assert [row.accuracy for row in found.table] == pytest.approx([0.5, 2 / 3])


def test_bins_of_equal_mass_done_by_hand() -> None:
    # {0.90 right, 0.91 wrong}: |0.905 - 0.5| x 1/2; {0.92, 0.93 right}: |0.925 - 1| x 1/2; by width all are in one
    sure, right = [0.92, 0.90, 0.93, 0.91], [True, True, True, False]
    assert expected_error(sure, right, bins=2, mass=True) == pytest.approx(0.405 / 2 + 0.075 / 2)
    assert expected_error(sure, right, bins=2) == pytest.approx(0.915 - 0.75)


def test_equal_confidences_share_a_bin_of_equal_mass() -> None:
    sure, right = [0.5] * 4, [True, True, False, False]
    assert expected_error(sure, right, bins=4, mass=True) == 0


@pytest.mark.parametrize(("confidence", "bin_of_ten"), [(0.0, 0), (0.1, 0), (0.5, 4), (0.51, 5), (1.0, 9)])
def test_a_border_belongs_to_the_lower_bin(confidence: float, bin_of_ten: int) -> None:
    middle = (bin_of_ten + 0.5) / 10
    together = calibration([confidence, middle], [True, False]).table
    assert [row.items for row in together] == [2]


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, 3)), min_size=1, max_size=5))
def test_perfect_calibration_has_no_error(cells: list[tuple[int, int]]) -> None:
    sure = [tenth / 10 for tenth, times in cells for _ in range(10 * times)]
    right = [number < tenth * times for tenth, times in cells for number in range(10 * times)]
    assert expected_error(sure, right) == pytest.approx(0, abs=1e-12)
    assert expected_error(sure, right, mass=True) == pytest.approx(0, abs=1e-12)


@given(ANSWERS, st.integers(1, 15))
def test_errors_keep_their_bounds(answers: list[tuple[float, bool]], bins: int) -> None:
    sure, right = zip(*answers, strict=True)
    found = calibration(sure, right, bins)
    for value in (found.ece, found.ece_mass, found.brier):
        assert 0 <= value.low <= value.mean + 1e-12
        assert value.mean - 1e-12 <= value.high <= 1
    over_all = abs(found.confidence - found.accuracy.mean)
    assert found.ece.mean >= over_all - 1e-9, "bins can only hide less"
    assert found.ece_mass.mean >= over_all - 1e-9
    assert found.ece.mean**2 <= found.brier.mean + 1e-9, "Jensen"
    assert sum(row.items for row in found.table) == len(answers)


@given(ANSWERS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(answers: list[tuple[float, bool]], random) -> None:
    shuffled = random.sample(answers, len(answers))
    for mass in (False, True):
        first, other, twice = (
            expected_error(*zip(*rows, strict=True), mass=mass) for rows in (answers, shuffled, answers * 2)
        )
        assert first == pytest.approx(other, abs=1e-12)
        assert first == pytest.approx(twice, abs=1e-12)


def test_the_interval_holds_the_true_error_and_narrows() -> None:
    random, widths = np.random.default_rng(0), []
    for items in (200, 2000):
        sure = random.uniform(0.5, 1, items)
        found = calibration(sure, random.random(items) < sure - 0.15)
        assert found.ece.low < 0.15 < found.ece.high
        widths.append(found.ece.high - found.ece.low)
    assert widths[1] < widths[0] / 2


def test_the_seed_draws_the_intervals() -> None:
    sure, right = np.linspace(0, 1, 50), np.arange(50) % 2 == 0
    assert calibration(sure, right, seed=1) == calibration(sure, right, seed=1)
    assert calibration(sure, right, seed=1).ece.high != calibration(sure, right, seed=2).ece.high


@pytest.mark.parametrize(
    ("sure", "right", "bins"),
    [([], [], 10), ([0.5], [True, False], 10), ([1.1], [True], 10), ([float("nan")], [True], 10), ([0.5], [True], 0)],
)
def test_what_cannot_be_measured_is_refused(sure: list[float], right: list[bool], bins: int) -> None:
    with pytest.raises(ValueError, match="confidences"):
        calibration(sure, right, bins)
