"""The loop: what it promises about labels, and that a killed one ends as an uninterrupted one."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from active_kit import Toy, Truth, items, order
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.config import Settings
from webfarer.core.errors import BudgetExceeded, ConfigError, WebfarerError
from webfarer.core.fare import Budget, Price
from webfarer.data.log import read_log
from webfarer.train.active import learn
from webfarer.train.labels import Labelling
from webfarer.train.oracle import ORACLES, Desk, Said
from webfarer.train.oracles.file import FileOracle
from webfarer.train.oracles.human import HumanOracle
from webfarer.train.oracles.model import ModelOracle
from webfarer.train.picker import Picked
from webfarer.train.pickers.star import Star
from webfarer.train.pool import PoolItem, Set
from webfarer.train.rounds import PICKS, ROUNDS, Pick, Plan, Record, adapter_of, read_answers


@pytest.fixture(scope="module", autouse=True)
def unsynced():
    """Leave writing to the system: no test cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


def untimed(report):
    return [record.model_copy(update={"seconds": {}}) for record in report.records]


class Killed(BaseException):
    """As a kill would end it: nothing of ours catches it."""


def test_a_learning_spends_its_labels_round_by_round(tmp_path):
    told = []
    report = learn(order(tmp_path), told.append)
    assert report.ended == "all labels are spent"
    assert told == report.records == read_log(tmp_path / ROUNDS, Record)
    assert [record.labels for record in told] == [4, 8, 12, 16, 20]
    assert told[0].calibration is None
    assert all(record.calibration is not None for record in told[1:])
    assert told[-1].examined.accuracy.mean > told[0].examined.accuracy.mean
    assert told[-1].figures == {"norm": 20.0}
    assert len(read_answers(tmp_path, 4)) == 12


@settings(max_examples=10)
@given(st.integers(1, 30), st.integers(0, 6), st.integers(0, 10), st.integers(0, 3))
def test_what_is_picked_was_not_labelled_and_every_round_gets_its_share(tmp_path_factory, labels, rounds, first, seed):
    shared = labels - first if first else labels
    if shared < (rounds if first else rounds + 1) or (first and not rounds and shared):
        with pytest.raises(ConfigError, match=r"too few|no rounds"):
            Plan(labels=labels, rounds=rounds, first=first)
        return
    plan = Plan(labels=labels, rounds=rounds, first=first, seed=seed)
    sizes = [plan.size(number) for number in range(rounds + 1)]
    assert sizes[0] == first or not first
    assert max(sizes[1:], default=0) - min(sizes[1:], default=0) <= 1
    given = items()
    folder = tmp_path_factory.mktemp("learn")
    report = learn(order(folder, plan, items=given))
    picked = [name for record in report.records for name in record.items]
    assert len(picked) == len(set(picked)) == labels == sum(sizes)
    assert set(picked) <= {each.id for each in given.pool}
    assert [record.labels for record in report.records] == [sum(sizes[: n + 1]) for n in range(rounds + 1)]
    assert given.key.asked == picked
    again = learn(order(tmp_path_factory.mktemp("again"), plan))
    assert untimed(again) == untimed(report)


@pytest.mark.parametrize("warm", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_killed_anywhere_it_ends_as_if_it_was_not(tmp_path, warm):
    plan = Plan(labels=9, rounds=2, warm=warm, probe=True)
    whole, steps = order(tmp_path / "whole", plan), []
    expected = untimed(learn(order(tmp_path / "counted", plan, learner=Toy(steps.append))))
    assert untimed(learn(whole)) == expected
    assert expected[1].unsure.keys() == {"base", "adapted"}
    assert [len(pick.scores["base"]) for pick in read_log(whole.folder / PICKS, Pick)[1:]] == [3, 3]
    for at in range(len(steps)):
        folder, given, left = tmp_path / str(at), items(), [at]

        def wear(what, left=left):
            left[0] -= 1
            if left[0] == -1:
                raise Killed

        with pytest.raises(Killed):
            learn(order(folder, plan, items=given, learner=Toy(wear)))
        assert untimed(learn(order(folder, plan, items=given))) == expected
        assert len(given.key.asked) == len(set(given.key.asked)) == 9
        for name in ("plan.json", "picks.jsonl", "labels.jsonl"):
            assert (folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert learn(whole).records[-1] == read_log(whole.folder / ROUNDS, Record)[-1]


PLAN = Plan(labels=9, rounds=2)
OTHERWISE = Truth({each.id: f"thus #### {each.cells['kind']}" for each in items().pool})


@pytest.mark.parametrize(
    ("changed", "trained"),
    [
        ({}, 2),
        ({"plan": Plan(labels=9, rounds=2, seed=1)}, 3),
        ({"items": items(size=50)}, 3),
        ({"oracle": FileOracle(Desk(Path(), OTHERWISE))}, 3),
    ],
)
def test_a_twins_first_adapter_is_taken_where_ours_would_be_the_same(tmp_path, changed, trained):
    learn(order(tmp_path / "twin", PLAN, picker=Star(schedule="calibrated", passes=0)))
    changed, steps = {"plan": PLAN} | changed, []
    alone = learn(order(tmp_path / "alone", **changed))
    beside = learn(order(tmp_path / "beside", learner=Toy(steps.append), twin=tmp_path / "twin", **changed))
    assert untimed(beside) == untimed(alone)
    assert steps.count("teach") == trained
    weights = [adapter_of(tmp_path / name, 0) / "counts.json" for name in ("alone", "beside")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_a_folder_holds_one_learning_with_one_plan(tmp_path):
    learn(order(tmp_path))
    with pytest.raises(ConfigError, match="another learning"):
        learn(order(tmp_path, Plan(labels=20, rounds=4, seed=1)))
    with pytest.raises(ConfigError, match="another learning"):
        learn(order(tmp_path, items=items(size=61)))
    given = items()
    given.key.answers["h1"] = "because #### 5"
    with pytest.raises(ConfigError, match="another learning"):
        learn(order(tmp_path, items=given))
    with pytest.raises(ConfigError, match="another learning"):
        learn(order(tmp_path, oracle=HumanOracle(Desk(tmp_path, people=2))))
    with pytest.raises(ConfigError, match="ask for fewer"):
        learn(order(tmp_path, Plan(labels=61, rounds=0)))


@pytest.mark.parametrize(
    "values",
    [
        {"labels": 4, "rounds": -1},
        {"labels": 4, "rounds": 1, "first": -3},
        {"labels": 4, "rounds": 1, "first": 4},
        {"labels": 4, "rounds": 0, "first": 2},
        {"labels": 4, "rounds": 1, "stop": float("nan")},
        {"labels": 4, "rounds": 1, "patience": 0},
    ],
)
def test_a_plan_that_cannot_work_is_refused(values):
    with pytest.raises(ConfigError):
        Plan(**values)


def test_to_stop_needs_held_out_items_and_none_of_them_is_in_the_pool(tmp_path):
    given = items()
    with pytest.raises(ConfigError, match="hold some out"):
        learn(order(tmp_path, Plan(labels=4, rounds=1, stop=0.5), items=Set(given.pool, (), given.key)))
    twin = given.pool[3].model_copy(update={"id": "h99"})
    given.key.answers["h99"] = "x"
    with pytest.raises(ConfigError, match="prompt of a held-out one, as 'p3'"):
        learn(order(tmp_path, items=Set(given.pool, [twin], given.key)))


def test_items_that_share_an_id_and_folders_that_are_none_are_refused(tmp_path):
    given = items()
    with pytest.raises(ConfigError, match="share an id with another, as 'p1'"):
        learn(order(tmp_path, items=Set(given.pool, given.pool[1:2], given.key)))
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used for a learning"):
        learn(order(tmp_path / "file" / "below", items=given))


def test_calibration_is_taken_before_the_new_labels_are_learnt(tmp_path):
    steps = []
    learn(order(tmp_path, Plan(labels=4, rounds=1), learner=Toy(steps.append)))
    assert steps == ["teach", "taught", "answers", "view", "answers", "answers", "teach", "taught", "answers"]


def test_it_stops_when_the_answers_have_settled(tmp_path):
    report = learn(order(tmp_path, Plan(labels=50, rounds=9, stop=0.05)))
    assert report.ended == "the answers have settled"
    assert [record.changed for record in report.records[-2:]] == [0, 0]
    assert len(report.records) < 10
    assert learn(order(tmp_path, Plan(labels=50, rounds=9, stop=0.05))) == report


class Unclear:
    """Gives answers of which the learner cannot learn those of even numbers, or any."""

    name = "unclear"

    def __init__(self, key, every=2):
        self.key, self.every = key, every

    async def label(self, items):
        for each in items:
            clear = int(each.id[1:]) % self.every
            answer = self.key.answer(each.id) if clear else "whatever"
            yield Said(item=each.id, answer=answer, by="ann", cost={"turns": 1})


def test_an_answer_that_cannot_be_learnt_is_a_refusal_with_its_reason(tmp_path):
    given = items()
    report = learn(order(tmp_path, items=given, oracle=Unclear(given.key)))
    assert report.ended == "all labels are spent"
    said = read_log(tmp_path / "labels.jsonl", Said)
    assert {each.word for each in said if int(each.item[1:]) % 2 == 0} == {"skip"}
    reasons = [each.why for each in said if each.word == "skip"]
    assert [why for record in report.records for why in record.why] == reasons
    assert all("has no final answer" in why for why in reasons)
    assert report.records[-1].fare.turns == len(said) == 20 + len(reasons)


def test_a_learning_whose_every_answer_is_refused_stops_before_the_pool_is_spent(tmp_path):
    given, plan = items(), Plan(labels=10, rounds=1)
    for asked in (8, 16):
        with pytest.raises(WebfarerError, match=f"none of {asked} items got a label: p.* has no final answer"):
            learn(order(tmp_path, plan, items=given, oracle=Unclear(given.key, 1)))
        assert len(read_log(tmp_path / "labels.jsonl", Said)) == asked
    assert learn(order(tmp_path, plan, items=given, oracle=Unclear(given.key))).ended == "all labels are spent"


class Choosy:
    """Refuses items of kind 0, and answers nobody's second asking of an item."""

    name = "choosy"

    def __init__(self, key):
        self.key, self.asked = key, []

    async def label(self, items):
        for each in items:
            self.asked.append(each.id)
            if each.cells["kind"] == "0":
                yield Said(item=each.id, answer="", by="choosy", word="skip", cost={"turns": 1})
            else:
                yield Said(item=each.id, answer=self.key.answer(each.id), by="choosy", cost={"turns": 1})


def test_another_item_is_asked_for_one_that_is_refused(tmp_path):
    given = items()
    oracle, steps = Choosy(given.key), []
    report = learn(order(tmp_path, items=given, oracle=oracle, learner=Toy(steps.append)))
    assert steps.count("view") == 4
    assert len(read_log(tmp_path / PICKS, Pick)) > 5
    last = report.records[-1]
    assert last.labels == 20
    assert sum(record.refused for record in report.records) == len(oracle.asked) - 20 > 0
    assert last.fare.turns == len(oracle.asked) == len(set(oracle.asked))


def test_a_pool_that_is_used_up_ends_it(tmp_path):
    given = items(size=30)
    report = learn(order(tmp_path, Plan(labels=28, rounds=6), items=given, oracle=Choosy(given.key)))
    assert report.ended == "the pool is used up"
    assert report.records[-1].labels == sum(each.cells["kind"] != "0" for each in given.pool)


def test_without_held_out_items_nothing_is_examined(tmp_path):
    given = items()
    report = learn(order(tmp_path, items=Set(given.pool, (), given.key)))
    assert (report.records[-1].examined, report.records[-1].changed) == (None, None)


class Careless:
    title = "careless"

    def pick(self, view, count, at):
        return Picked([0] * count)


def test_a_picker_that_repeats_itself_is_told(tmp_path):
    with pytest.raises(WebfarerError, match="4 different items of 56"):
        learn(order(tmp_path, picker=Careless()))


def test_people_are_waited_for_and_never_asked_twice(tmp_path):
    plan, given = Plan(labels=4, rounds=1), items()
    desk = Desk(tmp_path, people=2)

    def go_on():
        return learn(order(tmp_path, plan, items=given, learner=Trusting(), oracle=HumanOracle(desk)))

    def work(name, wrong=False):
        with Labelling(tmp_path, name) as labelling:
            while (each := labelling.next()) is not None:
                labelling.answer(each.id, "no #### 9" if wrong else given.key.answer(each.id))
            return labelling.progress["answered"]

    assert go_on().waiting == 2
    assert work("ann") == 2
    assert go_on().waiting == 2
    assert work("bob") == 2
    report = go_on()
    assert (len(report.records), report.waiting, report.records[0].fare.turns) == (1, 2, 4)
    assert work("ann", wrong=True) == work("bob") == 4
    report = go_on()
    assert (report.ended, report.waiting, report.records[-1].fare.turns) == ("all labels are spent", 0, 8)


def test_a_file_of_labels_goes_before_the_key(tmp_path):
    (tmp_path / "known.jsonl").write_text('{"item": "a", "answer": "yes", "by": "ann", "cost": {"turns": 1}}\n')
    desk = Desk(tmp_path, Truth({"b": "no"}), tmp_path / "known.jsonl")
    said = read(FileOracle(desk), "a", "b")
    assert said == [Said(item="a", answer="yes", by="ann", cost={"turns": 1}), Said(item="b", answer="no", by="key")]
    with pytest.raises(ConfigError, match="no answer is known to 'b'"):
        read(FileOracle(Desk(tmp_path, None, tmp_path / "known.jsonl")), "a", "b")


def read(oracle, *names, choices=()):
    """Return what an oracle says of some items, asked together."""

    async def ask():
        asked = [PoolItem(id=name, prompt=name, choices=choices) for name in names]
        return [said async for said in oracle.label(asked)]

    return asyncio.run(ask())


def scripted(folder, *replies, **budget):
    """Return an oracle that asks a scripted model."""
    script = folder / "script.json"
    script.write_text(json.dumps(replies))
    prices = {"scripted": Price(input=1, output=2)}
    settings = Settings(model=f"scripted:{script}", budget=Budget(**budget), prices=prices)
    return ModelOracle(Desk(folder, settings=settings))


def test_a_model_is_paid_once_and_what_is_none_of_the_choices_is_a_refusal(tmp_path):
    first = read(scripted(tmp_path, "yes", "perhaps", " no\n"), "a", "b", "c", choices=("yes", "no"))
    assert [(said.word, said.answer, said.by) for said in first] == [
        ("label", "yes", "scripted"),
        ("skip", "", "scripted"),
        ("label", "no", "scripted"),
    ]
    assert all(said.cost["tokens"] > 0 and said.cost["usd"] > 0 and said.cost["calls"] == 1 for said in first)
    assert read(scripted(tmp_path), "a", "b", "c", choices=("yes", "no")) == first
    with pytest.raises(ConfigError, match="used up"):
        read(scripted(tmp_path), "a", "d")


def test_a_model_is_asked_within_the_budget_and_goes_on_with_a_larger_one(tmp_path):
    plan, given = Plan(labels=4, rounds=1), items(choices=tuple(f"because #### {kind}" for kind in range(6)))

    def go_on(**budget):
        replies = ["because #### 0"] * 2
        return learn(
            order(tmp_path, plan, items=given, learner=Trusting(), oracle=scripted(tmp_path, *replies, **budget))
        )

    with pytest.raises(BudgetExceeded, match="tokens"):
        go_on(tokens=1600)
    before = (tmp_path / "labels.jsonl").read_bytes()
    assert len(read_log(tmp_path / ROUNDS, Record)) == 1
    with pytest.raises(BudgetExceeded, match="usd"):
        go_on(usd=0.001)
    report = go_on(tokens=5000, usd=1)
    assert (tmp_path / "labels.jsonl").read_bytes().startswith(before)
    assert (report.ended, report.records[-1].fare.calls) == ("all labels are spent", 4)


class Trusting(Toy):
    """Learns whatever it is told."""

    def teach(self, labels, into, seed, start):
        into.mkdir(exist_ok=True)
        (into / "counts.json").write_text(json.dumps({label.answer.split()[-1]: 1 for _, label in labels}))


def test_every_oracle_is_found_and_a_model_needs_to_be_named(tmp_path):
    assert ORACLES.ids() == ["file", "human", "model"]
    assert ORACLES.load("human") is HumanOracle
    with pytest.raises(ConfigError, match="provider:model"):
        ORACLES.load("model")(Desk(tmp_path))
