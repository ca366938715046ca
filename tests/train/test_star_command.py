"""What `webfarer train star` is told and tells: options that cannot work are refused before anything is trained."""

import json

import pytest

from webfarer.apps.cli._starring import Drawn, items_of, told
from webfarer.apps.cli.main import main
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Fare
from webfarer.train import active
from webfarer.train.adapter_learner import Teaching
from webfarer.train.oracle import Desk
from webfarer.train.rounds import Plan, Record, Report
from webfarer.train.study import Study, arms_of

STAR = ["train", "star", "facts", "--labels", "4", "--rounds", "1", "--size", "20", "--held-out", "5"]


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [
        {"question": {"stem": f"which of {n}", "choices": [{"label": c, "text": c} for c in "AB"]}, "answerKey": "A"}
        for n in range(9)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_what_people_have_written_is_not_for_the_small_learner(tmp_path, published):
    for drawn in (Drawn("pool.jsonl", None, 2), Drawn("facts", published, 2)):
        with pytest.raises(ConfigError, match="--model"):
            items_of(drawn, None)
    for size, skew in ((5, None), (None, 0.5)):
        with pytest.raises(ConfigError, match="leave them out"):
            items_of(Drawn("facts", published, 2, size, skew), tmp_path)


def test_what_is_held_out_of_a_published_set_is_drawn_by_the_seed(tmp_path, published):
    sets = [items_of(Drawn("facts", published, 3), tmp_path)(seed) for seed in (1, 1, 2)]
    assert all((len(one.pool), len(one.held_out)) == (6, 3) for one in sets)
    assert sets[0] == sets[1]
    assert sets[0].held_out != sets[2].held_out


@pytest.mark.parametrize(
    "options",
    [
        "--rate nan",
        "--stop nan",
        "--people 0",
        "--held-out -1",
        "--picker all --tuner lora",
        "--json nowhere/x.json",
    ],
)
def test_options_that_cannot_work_are_refused_before_anything_is_trained(tmp_path, monkeypatch, capsys, options):
    monkeypatch.setattr(active._Learning, "run", None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main([*STAR, *options.split()])
    assert end.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "star").exists()


def test_it_tells_how_every_learning_ended_and_what_its_labels_cost(tmp_path):
    done = Record(number=0, items=("a",), labels=1, refused=2, why=("b cannot be taught",), fare=Fare(turns=3, usd=0.5))
    reports = [Report(records=[done], ended="all labels are spent"), Report(records=[], waiting=4)]
    study = Study(
        arms_of(["pe"], ["lora"]), (1, 2), Plan(labels=1, rounds=0), tmp_path, Teaching(), "human", Desk(tmp_path)
    )
    text = told(study, {"pe": reports}, tmp_path / "my labels")
    assert "pe, seed 1: all labels are spent; 1 labels, 2 refused; cost 3 turns, 0.5 usd\n" in text
    assert "1 answers could not be learnt, as b cannot be taught" in text
    assert "pe, seed 2: 4 items wait for a label; 0 labels, 0 refused; cost nothing" in text
    assert f"webfarer label '{tmp_path}/my labels'" in text
