"""Four defects, each apart: what they change, and what that does to what is picked."""

import numpy as np
import pytest
import scoring_kit as kit

from webfarer.core.errors import ConfigError
from webfarer.core.specs import made
from webfarer.train.pickers.star import Star
from webfarer.train.pool import PoolItem
from webfarer.train.released import DEFECTS, Simulated, Unscaled, leaked, maths, overlaps
from webfarer.train.scoring import Limits, Scorer
from webfarer.train.tuner import TUNERS
from webfarer.train.view import Views


def test_without_a_defect_it_is_the_papers():
    plain = maths()
    assert (plain.picker, plain.leak) == (Star(), False)
    assert made(TUNERS, plain.tuner) == made(TUNERS, "constrained")


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_changes_one_thing(defect):
    plain, other = maths(), maths(defect)
    changed = {
        "leak": other.leak != plain.leak,
        "scale": type(other.picker) is Unscaled,
        "dropout": other.picker.passes != plain.picker.passes,
        "decay": made(TUNERS, other.tuner) != made(TUNERS, plain.tuner),
    }
    assert {name for name, is_so in changed.items() if is_so} == {defect}
    with pytest.raises(ConfigError, match="known: leak, scale"):
        maths(defect, "typo")


def test_mixed_on_one_scale_the_base_model_counts_and_raw_it_does_not():
    proper, raw = (
        np.array([overlaps(maths(*defects).picker, seed=s) for s in range(3)]) for defects in ((), ("scale",))
    )
    assert proper.mean(0)[[0, 8]] == pytest.approx([0.49, 0.96], abs=0.03)
    assert (np.diff(proper.mean(0)) > 0).all()
    assert raw.min() >= 0.98
    assert raw.mean() > 0.99


def test_how_much_the_base_model_counts_is_for_the_correlation_and_the_defect_is_not():
    for correlation, first in ((0.4, 0.27), (0.8, 0.56)):
        pool = Simulated(correlation=correlation)
        assert overlaps(Star(), simulated=pool)[0] == pytest.approx(first, abs=0.04)
        assert min(overlaps(Unscaled(), simulated=pool)) >= 0.97


class Truth:
    def answer(self, item):
        return "d e f"

    def right(self, item, text):
        return text == "d e f"


def test_leaked_views_score_the_right_answers():
    model, language = kit.adapted(), kit.language()
    items = [PoolItem(id=str(row), prompt=prompt) for row, prompt in enumerate(("a b", "c", "g h i"))]
    limits = Limits(longest=4)
    own = Views(model, language, items, limits).at(model, [0, 2])
    leaky = leaked(model, language, items, Truth(), limits).at(model, [0, 2])
    gold = [language.exchange(item.prompt, "d e f") for item in (items[0], items[2])]
    for who, plain in (("base", True), ("adapted", False)):
        expected = Scorer(model, language.ends, limits, plain).score(*zip(*gold, strict=True))
        np.testing.assert_allclose(leaky.nll(who), expected.nll, atol=1e-9)
        assert (leaky.lengths(who) == 4).all()
        assert np.abs(own.nll(who) - leaky.nll(who)).max() > 0.1
