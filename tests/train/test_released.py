"""Four defects, each apart: what they change, and what that does to what is picked."""

from dataclasses import fields
from typing import get_type_hints

import numpy as np
import pytest
import scoring_kit as kit

from webfarer.core.errors import ConfigError
from webfarer.core.specs import made
from webfarer.train.adapter_learner import AdapterLearner
from webfarer.train.learner import Learner
from webfarer.train.pickers.star import Star
from webfarer.train.pool import Key, PoolItem
from webfarer.train.released import DEFECTS, LeakyLearner, Released, Simulated, defects_of, leaked, overlaps, released
from webfarer.train.scoring import Limits, Scorer
from webfarer.train.tuner import TUNERS
from webfarer.train.view import Views


def test_without_a_defect_it_is_the_papers():
    picker, tuner = released(())
    paper = Star()
    assert {field.name: getattr(picker, field.name) for field in fields(paper)} == vars(paper)
    base, adapted = Simulated(items=50).scores(1)
    assert (picker.mixed(base, adapted, 0.3) == paper.mixed(base, adapted, 0.3)).all()
    assert (picker.scale, picker.leak, tuner) == (False, False, "constrained")


@pytest.mark.parametrize(
    ("defect", "spec", "changed"),
    [
        ("leak", "constrained:rank=4", Released(leak=True)),
        ("scale", "constrained:rank=4", Released(scale=True)),
        ("dropout", "constrained:rank=4", Released(passes=0)),
        ("decay", "constrained:rank=4,gamma=0,decay=0.5", Released()),
    ],
)
def test_each_defect_changes_one_thing(defect, spec, changed):
    picker, tuner = released([defect], "constrained:rank=4")
    assert picker == changed
    assert made(TUNERS, tuner) == made(TUNERS, spec)


def test_defects_are_named_in_any_order():
    assert defects_of("decay,leak") == ["leak", "decay"]
    assert defects_of("all") == list(DEFECTS)
    with pytest.raises(ConfigError, match="no defect typo; known: leak, scale, dropout, decay, or all"):
        defects_of("scale,typo")
    with pytest.raises(ConfigError, match="'gamma=0' is none of its parameters"):
        released(["decay"], "lora")


def test_mixed_on_one_scale_the_base_model_counts_and_raw_it_does_not():
    proper, raw = (np.array([overlaps(released(defects)[0], seed=s) for s in range(3)]) for defects in ((), ["scale"]))
    assert proper.mean(0)[[0, 8]] == pytest.approx([0.49, 0.96], abs=0.03)
    assert (np.diff(proper.mean(0)) > 0).all()
    assert raw.min() >= 0.98
    assert raw.mean() > 0.99


def test_how_much_the_base_model_counts_is_for_the_correlation_and_the_defect_is_not():
    for correlation, first in ((0.4, 0.27), (0.8, 0.56)):
        pool = Simulated(correlation=correlation)
        assert overlaps(Star(), simulated=pool)[0] == pytest.approx(first, abs=0.04)
        assert min(overlaps(Released(scale=True), simulated=pool)) >= 0.97


def test_no_learner_takes_a_key_but_the_leaky_one():
    taking = {
        learner.__name__
        for learner in (Learner, AdapterLearner, LeakyLearner)
        for method in vars(learner).values()
        if callable(method) and Key in get_type_hints(method).values()
    }
    assert taking == {"LeakyLearner"}


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
