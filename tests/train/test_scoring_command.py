"""Scores of a pool as a file: what views say of each item; and the benchmark that holds them beside a loop."""

import json

import pytest

from webfarer.apps.cli import _scoring
from webfarer.core.errors import ConfigError
from webfarer.evals.benches.scoring import _apart, _row
from webfarer.evals.pupil import folder
from webfarer.train.pool import POOLS
from webfarer.train.scoring import Limits
from webfarer.train.sft import load
from webfarer.train.tuners.constrained import Constrained


def test_every_item_is_scored_by_both_models_and_under_dropout(tmp_path):
    tuner = Constrained(rank=2)
    tuner.save(tuner.attach(load(folder("learner"))[0], 1), tmp_path / "adapter")
    items = POOLS.load("facts").draw(4, 0, 1).pool
    out = tmp_path / "scores.jsonl"
    took = _scoring.score(items, _scoring.Asking(None, tmp_path / "adapter", 2, Limits(8), 1), out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert took["items"] == 4
    assert [row["id"] for row in rows] == [item.id for item in items]
    for row in rows:
        assert row["adapted"] == row["base"]  # B is 0 before it learns
        assert sum(row["base"]["choices"]) == pytest.approx(1)
        assert row["dropout"]["nll"] == pytest.approx([row["base"]["nll"]] * 2, abs=1e-4)
        assert len(row["dropout"]["choices"]) == 2


def test_a_folder_without_an_adapter_is_named(tmp_path):
    with pytest.raises(ConfigError, match="reading the adapter"):
        _scoring.score([], _scoring.Asking(None, tmp_path, 1, Limits(8), 1), tmp_path / "scores.jsonl")


def test_scores_are_compared_where_the_loop_tells_them_and_outputs_agree():
    def scores(nll, output="a"):
        return {who: {"nll": nll, "output": output} for who in ("base", "adapted")}

    ours = {"seconds": 2.0, "processor_seconds": 1.0, "scores": [scores(1.0), scores(5.0, "b")]}
    loop = {"seconds": 30.0, "processor_seconds": 20.0, "scores": [scores(1.5), scores(2.0)]}
    row = _row("facts", [(ours, loop)])
    assert (row["times"], row["times_by_processor"], row["other_outputs"], row["scores_off"]) == (15, 20, 1, "5.0e-01")
    assert _apart({"a": [1.0, 2.0], "more": 9.0}, {"a": [1.0, 2.25]}) == 0.25
