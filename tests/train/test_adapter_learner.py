"""A learner of flesh and blood, if small: what it teaches is on disk, and the model below it never changes."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from webfarer.core.errors import ConfigError
from webfarer.data.log import read_log
from webfarer.train import checkpoints
from webfarer.train.active import Order, learn
from webfarer.train.adapter_learner import AdapterLearner, Teaching
from webfarer.train.fitting import Settings
from webfarer.train.oracle import Desk
from webfarer.train.oracles.file import FileOracle
from webfarer.train.pickers.star import Star
from webfarer.train.pool import POOLS, Label
from webfarer.train.rounds import ROUNDS, Plan, Record, adapter_of
from webfarer.train.school import enrol, recipe_named, write_folder
from webfarer.train.scoring import Limits
from webfarer.train.study import Study, arms_of, run

HOW = Teaching("constrained:rank=2,gamma=0.1", Settings(epochs=1, batch=4, rate=0.05), Limits(longest=8), save_every=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.set_num_threads(1)
    term = enrol(replace(recipe_named("learner"), hidden=32, layers=1, inner=32, pools=("passages", "arithmetic")), 1)
    out = tmp_path_factory.mktemp("model")
    write_folder(out, term.model, term.tokenizer)
    return out


def taught(name, count=8):
    """Return items of a pool with their labels."""
    drawn = POOLS.load(name).draw(count, 0, 1)
    return [(item, Label(item=item.id, answer=drawn.key.answer(item.id), by="key")) for item in drawn.pool]


@pytest.mark.parametrize("pool", ["arithmetic", pytest.param("passages", marks=pytest.mark.slow)])
def test_an_adapter_is_what_lies_in_its_folder(folder, tmp_path, pool):
    labels = taught(pool)
    items = [item for item, _ in labels]
    learner = AdapterLearner(folder, HOW)
    before = learner.answers(items, None)
    learner.teach(labels, tmp_path / "one", 1, None)
    after = learner.answers(items, tmp_path / "one")
    assert after != before == learner.answers(items, None)
    assert all(0 <= each.confidence <= 1 for each in after)
    assert all(each.text in item.choices for each, item in zip(after, items, strict=True) if item.choices)
    again = AdapterLearner(folder, HOW)
    again.teach(labels, tmp_path / "two", 1, None)
    weights = "adapter_model.safetensors"
    assert (tmp_path / "one" / weights).read_bytes() == (tmp_path / "two" / weights).read_bytes()
    assert again.answers(items, tmp_path / "one") == after
    assert again.figures(tmp_path / "one") == learner.figures(tmp_path / "two")
    assert learner.figures(tmp_path / "one")["norm_b"] > 0
    again.teach(labels, tmp_path / "warm", 1, tmp_path / "one")
    assert again.figures(tmp_path / "warm")["norm_b"] != again.figures(tmp_path / "one")["norm_b"]


@pytest.mark.slow
def test_views_keep_what_the_base_says(folder, tmp_path):
    labels = taught("passages")
    items = [item for item, _ in labels]
    learner = AdapterLearner(folder, HOW)
    learner.teach(labels, tmp_path / "one", 1, None)
    whole, part = (learner.view(items, rows, tmp_path / "one") for rows in (range(8), (1, 5)))
    assert whole.base is part.base
    assert part.nll("base").tolist() == whole.nll("base")[[1, 5]].tolist()
    assert part.nll("adapted") == pytest.approx(whole.nll("adapted")[[1, 5]])


def test_another_pool_of_the_same_ids_has_views_of_its_own(folder, tmp_path):
    learner = AdapterLearner(folder, HOW)
    learner.teach(taught("passages"), tmp_path / "one", 1, None)
    pools = [POOLS.load("passages").draw(4, 0, seed).pool for seed in (1, 2)]
    shown = [[learner.view(pool, range(4), tmp_path / "one").nll(who) for who in ("base", "adapted")] for pool in pools]
    alone = AdapterLearner(folder, HOW).view(pools[1], range(4), tmp_path / "one")
    assert [item.id for item in pools[0]] == [item.id for item in pools[1]]
    assert np.array_equal(shown[1], [alone.nll("base"), alone.nll("adapted")])
    assert not np.allclose(shown[0], shown[1])


def test_a_tuner_that_changes_the_model_is_refused(folder):
    with pytest.raises(ConfigError, match="take lora"):
        AdapterLearner(folder, Teaching("full"))


class Killed(BaseException):
    """As a kill would end it."""


def test_an_answer_that_the_tokens_cannot_write_is_told_before_it_is_taught(folder):
    learner, ((item, label), *_) = AdapterLearner(folder, HOW), taught("passages")
    learner.check(item, label.answer)
    with pytest.raises(ConfigError, match="xylophonic"):
        learner.check(item, "the metal is xylophonic")


@pytest.mark.slow
def test_a_warm_training_that_was_killed_goes_on_wherever_its_start_lies_now(folder, tmp_path, monkeypatch):
    learner, labels = AdapterLearner(folder, HOW), taught("passages")
    learner.teach(labels, tmp_path / "one", 1, None)
    learner.teach(labels, tmp_path / "whole", 1, tmp_path / "one")
    save = checkpoints.save

    def killed(*given):
        save(*given)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "save", killed)
        with pytest.raises(Killed):
            learner.teach(labels, tmp_path / "killed", 1, tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "moved")
    learner = AdapterLearner(folder, HOW)
    learner.teach(labels, tmp_path / "killed", 1, tmp_path / "moved")
    weights = "adapter_model.safetensors"
    assert (tmp_path / "killed" / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "time"),
    [("checkpoint.pt", 1), ("adapter_model.safetensors", 2), ("answers.jsonl", 2), ("rounds.jsonl", 2)],
)
def test_killed_while_it_writes_it_ends_as_if_it_was_not(folder, tmp_path, monkeypatch, file, time):
    items = POOLS.load("passages").draw(30, 10, 1, 0.5)

    def go_on(out):
        oracle = FileOracle(Desk(out, items.key))
        learn(Order(Plan(labels=12, rounds=2, seed=1), items, AdapterLearner(folder, HOW), Star(), oracle, out))
        weights = [(adapter_of(out, number) / "adapter_model.safetensors").read_bytes() for number in range(3)]
        return weights, [record.model_copy(update={"seconds": {}}) for record in read_log(out / ROUNDS, Record)]

    seen = []

    def sync(handle):
        path = os.readlink(f"/proc/self/fd/{handle if isinstance(handle, int) else handle.fileno()}")
        seen.extend([path] if file in path else [])
        if len(seen) == time:
            raise Killed

    whole = go_on(tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", sync)
        with pytest.raises(Killed):
            go_on(tmp_path / "killed")
    assert go_on(tmp_path / "killed") == whole


@pytest.mark.slow
def test_arms_beside_each_other_come_out_as_each_alone(folder, tmp_path, monkeypatch):
    taught, teach = [], AdapterLearner.teach
    monkeypatch.setattr(AdapterLearner, "teach", lambda self, *given: taught.append(given[1]) or teach(self, *given))
    arms = arms_of(["random", "star:passes=2"], [HOW.tuner], ["leak", "decay"])

    def ran(out, *some):
        study = Study(some, (1, 2), Plan(labels=8, rounds=1, probe=True), folder, HOW, "file", Desk(out))
        found = run(study, lambda seed: POOLS.load("passages").draw(20, 6, seed), out)
        return {
            name: [record.model_copy(update={"seconds": {}}) for report in reports for record in report.records]
            for name, reports in found.items()
        }

    together = ran(tmp_path / "together", *arms)
    assert len(taught) == 2 * (4 * 2 - 2)  # two arms take the first adapter of another
    assert together == {name: found for arm in arms for name, found in ran(tmp_path / arm.name, arm).items()}
    assert len({str(found) for found in together.values()}) == len(arms)
