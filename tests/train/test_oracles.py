"""Oracles: what was paid is kept and never paid again, and what cannot be a label is said at once."""

import asyncio
import json
import os

import pytest

from webfarer.core.config import Settings
from webfarer.core.errors import BudgetExceeded, ConfigError, ModelError
from webfarer.core.fare import Budget, Price
from webfarer.train.labels import Labelling, Queue
from webfarer.train.oracle import GUIDELINES, Desk
from webfarer.train.oracles.file import FileOracle
from webfarer.train.oracles.human import HumanOracle
from webfarer.train.oracles.model import ModelOracle
from webfarer.train.pool import PoolItem

YES_NO = ("yes", "no")


@pytest.fixture(scope="module", autouse=True)
def unsynced():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


def items(count, choices=YES_NO, seed=0):
    return [PoolItem(id=f"p{number}", prompt=f"{number} of {seed}", choices=choices) for number in range(count)]


def said_by(oracle, asked):
    """Return what an oracle says, and the error that ended it."""
    found = []

    async def ask():
        async for said in oracle.label(asked):
            found.append(said)

    try:
        asyncio.run(ask())
    except (ConfigError, ModelError, BudgetExceeded) as error:
        return found, error
    return found, None


def scripted(folder, *replies, **budget):
    script = folder / "script.json"
    script.write_text(json.dumps(replies))
    prices = {"scripted": Price(input=1, output=2)}
    return ModelOracle(
        Desk(folder, settings=Settings(model=f"scripted:{script}", budget=Budget(**budget), prices=prices))
    )


def test_one_call_that_fails_takes_nothing_from_those_beside_it(tmp_path):
    broken = {"error": "ModelUnavailable", "message": "400"}
    said, error = said_by(scripted(tmp_path, "yes", "no", broken, *["yes"] * 5), items(8))
    assert [each.item for each in said] == ["p0", "p1", "p3", "p4", "p5", "p6", "p7"]
    assert isinstance(error, ModelError)
    again, error = said_by(scripted(tmp_path, "no"), items(8))
    assert (error, [each.answer for each in again]) == (None, ["yes", "no", "no", *["yes"] * 5])


def test_a_reply_is_the_choice_that_it_means(tmp_path):
    said, _ = said_by(scripted(tmp_path, "Yes.", "**NO**", "#### no", "maybe", "yes no"), items(5))
    assert [(each.word, each.answer) for each in said] == [
        *[("label", "yes"), ("label", "no"), ("label", "no")],
        *[("skip", ""), ("skip", "")],
    ]


def test_the_budget_is_that_of_all_learnings_and_what_one_paid_is_free_for_another(tmp_path):
    first, _ = said_by(scripted(tmp_path, "yes", "no"), items(2))
    spent = sum(each.cost["tokens"] for each in first)
    again, error = said_by(scripted(tmp_path, tokens=spent), items(2))
    assert (again, error) == (first, None)
    found, error = said_by(scripted(tmp_path, "yes", tokens=spent + 1300), items(3))
    assert ([each.item for each in found], error) == (["p0", "p1", "p2"], None)
    found, error = said_by(scripted(tmp_path, "yes", tokens=spent + 1300), items(2, seed=2))
    assert found == []
    assert isinstance(error, BudgetExceeded)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"item": "p0", "answer": "yes", "cost": {"hugs": 1}}', "hugs"),
        ('{"item": "p0", "answer": "yes", "cost": {"usd": -1}}', "usd"),
        ('{"item": "p0", "answer": "yes", "cost": {"usd": NaN}}', "usd"),
        ('{"item": "p0", "answer": "yes", "cost": "free"}', "row 1: no label"),
        ('{"item": "p0", "answer": "maybe"}', "'maybe' is none of the choices of 'p0'"),
    ],
)
def test_a_file_of_labels_that_cannot_be_kept_is_refused(tmp_path, line, message):
    path = tmp_path / "known.jsonl"
    path.write_text(f"{line}\n")

    def read():
        found, error = said_by(FileOracle(Desk(tmp_path, answers=path)), items(1))
        raise error or AssertionError(found)

    with pytest.raises(ConfigError, match=message):
        read()


def test_two_people_are_two_answers(tmp_path):
    asked = items(3)
    Queue(tmp_path).extend(asked, GUIDELINES)

    def work(name, *answers):
        with Labelling(tmp_path, name) as labelling:
            for answer in answers:
                item = labelling.next().id
                labelling.answer(item, answer) if answer else labelling.skip(item)

    work("ann", "yes", "", "yes")
    work("bob", "no", "yes")
    oracle = HumanOracle(Desk(tmp_path, people=2))
    said, _ = said_by(oracle, asked)
    assert [(each.item, each.word, each.answer, each.by) for each in said] == [
        ("p0", "label", "yes", "ann"),
        ("p1", "skip", "", "ann"),
    ]
    assert said[1].cost == {"turns": 2}
    work("carol", "no", "yes", "no")
    said, _ = said_by(oracle, asked)
    assert [(each.word, each.answer, each.by) for each in said] == [
        ("label", "no", "bob, carol"),
        ("label", "yes", "bob, carol"),
        ("label", "yes", "ann"),
    ]
    with pytest.raises(ConfigError, match="at least 1"):
        HumanOracle(Desk(tmp_path, people=0))


def test_another_item_under_a_known_id_is_not_asked(tmp_path):
    said_by(HumanOracle(Desk(tmp_path)), items(2))
    _, error = said_by(HumanOracle(Desk(tmp_path)), items(2, seed=2))
    assert "something else under the id 'p0'" in error.message
    assert Queue(tmp_path).items == items(2)
