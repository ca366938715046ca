"""A study: its arms, and what it says of them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from active_kit import Toy, item, items

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.train import study as studies
from webfarer.train.adapter_learner import Teaching
from webfarer.train.calibration import calibration
from webfarer.train.oracle import Desk
from webfarer.train.pickers.pe import PredictiveEntropy
from webfarer.train.pickers.star import Star
from webfarer.train.released import Released
from webfarer.train.rounds import Plan, Record, Report
from webfarer.train.study import Arm, Study, arms_of, curves, overlap_rows, run


def records(*rounds, overlap=None):
    """Return rounds of ten labels, of each how sure ten answers are, and how many are right."""
    found = []
    for number, (sure, right) in enumerate(rounds):
        examined = calibration([sure] * 10, [place < right for place in range(10)])
        share = overlap if number else None
        found.append(Record(number=number, items=(), labels=10 * number, examined=examined, overlap=share))
    return Report(records=found)


def test_arms_are_named_by_what_differs():
    assert arms_of(["pe", "star"], ["constrained"]) == [
        Arm("pe", PredictiveEntropy(), "constrained"),
        Arm("star", Star(), "constrained"),
    ]
    arms = arms_of(["star"], ["constrained", "constrained:gamma=1"], ["decay,leak"])
    assert [arm.name for arm in arms] == [
        "star constrained",
        "star released:leak+decay constrained",
        "star constrained:gamma=1",
        "star released:leak+decay constrained:gamma=1",
    ]
    assert (arms[3].picker, arms[3].tuner) == (Released(leak=True), "constrained:gamma=1,gamma=0,decay=0.5")
    with pytest.raises(ConfigError, match="star released:leak is named twice"):
        arms_of(["star"], ["constrained"], ["leak", "leak"])
    with pytest.raises(ConfigError, match="star is named twice"):
        arms_of(["star", "star"], ["constrained"])


@pytest.mark.parametrize(
    ("picker", "tuner", "message"),
    [
        ("bald", "lora", "bald reads dropout passes, and lora has no dropout"),
        ("star", "rslora", "star reads dropout passes"),
        ("star:passes=-1", "constrained", "passes is 0 at least"),
        ("bald:passes=0", "constrained", "two at least"),
        ("semantic:samples=0", "lora", "two at least"),
    ],
)
def test_an_arm_that_could_not_pick_is_refused_before_any_is_trained(picker, tuner, message):
    with pytest.raises(ConfigError, match=message):
        arms_of(["random", picker], [tuner])
    assert arms_of(["random", "star:passes=0", "pe"], ["lora"])
    assert arms_of(["bald"], ["lora:dropout=0.1"])


@pytest.fixture
def toys(monkeypatch):
    monkeypatch.setattr(studies, "AdapterLearner", lambda model, how: Toy())


def study(arms, seeds, desk, oracle="file"):
    return Study(arms, seeds, Plan(labels=4, rounds=1), Path(), Teaching(), oracle, desk)


def test_one_learning_has_the_folder_itself_and_several_have_one_each(tmp_path, toys):
    arms = arms_of(["random", "star:passes=0"], ["lora"])
    one = study(arms[:1], (1,), Desk(tmp_path))
    run(one, lambda seed: items(), tmp_path / "one")
    assert (tmp_path / "one" / "plan.json").exists()
    with pytest.raises(ConfigError, match="holds another study"):
        run(replace(one, arms=arms), lambda seed: items(), tmp_path / "one")
    run(replace(one, arms=arms), lambda seed: items(), tmp_path / "two")
    assert [path.parent.name for path in sorted((tmp_path / "two").glob("*/plan.json"))] == [
        "random-1",
        "star:passes=0-1",
    ]
    with pytest.raises(ConfigError, match="holds another study"):
        run(one, lambda seed: items(), tmp_path / "two")


def test_the_arms_and_seeds_of_a_study_pay_once_for_an_item(tmp_path, toys):
    pool = replace(items(), pool=[item("p", number, 0) for number in range(5)])
    (tmp_path / "script.json").write_text(json.dumps(["because #### 0"] * 4))
    desk = Desk(tmp_path, settings=Settings(model=f"scripted:{tmp_path / 'script.json'}"))
    arms = arms_of(["random", "star:passes=0"], ["lora"])
    found = run(study(arms, (1, 2, 3), desk, "model"), lambda seed: pool, tmp_path / "out")
    calls = (tmp_path / "out" / "calls.jsonl").read_text().splitlines()
    assert len(calls) == 5
    assert {report.records[-1].fare.calls for reports in found.values() for report in reports} == {4}


def test_what_is_said_of_an_arm_is_a_mean_over_seeds_and_a_difference_seed_by_seed():
    first = [records((0.9, 5), (0.9, 7)), records((0.9, 5), (0.9, 5))]
    other = [records((0.7, 5), (0.8, 8)), records((0.7, 5), (0.8, 6))]
    rows = curves({"lora": first, "constrained": other})
    assert rows[1] == {
        "arm": "constrained",
        "seeds": 2,
        "area": 0.6,
        "area_se": 0.05,
        "over_first": 0.05,
        "over_first_se": 0.0,
        "accuracy_at_end": 0.7,
        "accuracy_at_end_se": 0.1,
        "accuracy_over_first": 0.1,
        "accuracy_over_first_se": 0.0,
        "ece_at_end": 0.1,  # 0 and 0.2; the first arm's: 0.2 and 0.4
        "ece_at_end_se": 0.1,
        "ece_over_first": -0.2,
        "ece_over_first_se": 0.0,
        "brier_at_end": 0.22,  # 0.16 and 0.28; the first arm's: 0.25 and 0.41
        "brier_at_end_se": 0.06,
        "brier_over_first": -0.11,
        "brier_over_first_se": 0.02,
        "ece_mean": 0.15,  # 0.1 and 0.2; the first arm's: 0.3 and 0.4
        "ece_mean_se": 0.05,
        "ece_mean_over_first": -0.2,
        "ece_mean_over_first_se": 0.0,
    }
    assert rows[0]["area"] == 0.55
    assert rows[0]["ece_over_first"] == 0
    assert curves({"lora": first[:1]})[0]["ece_over_first_se"] is None
    assert curves({"lora": [records((0.9, 5))]}) == [{"arm": "lora", "seeds": 0}]


def test_arms_are_compared_at_the_numbers_of_labels_that_all_reached():
    short, long = records((0.9, 5), (0.9, 6)), records((0.9, 5), (0.9, 6), (0.9, 9), (0.9, 9))
    rows = curves({"stopped": [short, long], "random": [long, long]})
    assert rows[0]["over_first"] == rows[1]["over_first"] == rows[1]["accuracy_over_first"] == 0
    assert rows[1]["accuracy_at_end"] == rows[0]["accuracy_at_end"] == 0.75
    waiting = records((0.9, 5))
    assert [row["seeds"] for row in curves({"a": [long, long], "b": [waiting, long]})] == [1, 1]


def test_overlaps_stand_beside_simulated_ones():
    arms = arms_of(["star", "pe", "star:per=token"], ["constrained"], ["scale"])
    ran = [records((0.9, 5), (0.9, 5), overlap=share) for share in (0.4, 0.6)]
    study = Study(arms, (1, 2), Plan(labels=20, rounds=1), Path(), Teaching(), "file", Desk(Path()))
    rows = overlap_rows(study, {arm.name: ran for arm in arms})
    assert [(row["arm"], row["round"], row["overlap"], row["overlap_se"]) for row in rows] == [
        ("star", 1, 0.5, 0.1),
        ("star released:scale", 1, 0.5, 0.1),
    ]
    assert rows[0]["simulated"] < 0.8 < 0.98 < rows[1]["simulated"]
