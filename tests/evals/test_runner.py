"""Evaluations: each attempt made once, whatever happens; numbers that do not depend on how attempts were spread."""

import asyncio
import fcntl
import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from webfarer.agents.system import SYSTEMS
from webfarer.core.config import load_settings
from webfarer.core.errors import BadReply, ConfigError, FetchError, TraceError
from webfarer.core.fare import Budget
from webfarer.core.run import Outcome
from webfarer.core.trace import Event, read_events
from webfarer.evals import runner
from webfarer.evals.attempts import Heard
from webfarer.evals.records import Folder, attempt_id, fingerprint
from webfarer.evals.runner import Asked, Spread, evaluate, left
from webfarer.evals.scorer import SCORERS, Attempt, Marks, means
from webfarer.evals.task import TASKS, Item, Source

ONE = Spread(jobs=2)


def asked(tmp_path: Path, **changes) -> Asked:
    settings = load_settings(home=tmp_path / "home", model="", budget=Budget(steps=6), seed=0)
    plain = Asked("world", settings, Source(seed=3, size=6), "walker", scorers=("named", "gold_page"))
    return replace(plain, **changes)


def numbers(folder: Folder) -> list:
    """What is the same from run to run: everything but seconds and ids of bytes."""
    return [
        (
            result.run,
            result.answer and (result.answer.text, result.answer.stop_reason),
            result.answer and result.answer.fare.model_copy(update={"seconds": 0.0}),
            result.error,
            result.opened,
            result.searches,
            result.marks,
            result.flags,
        )
        for result in folder.results()
    ]


def test_one_item_after_the_other_and_what_is_left_behind(tmp_path):
    heard = []
    folder = evaluate(asked(tmp_path, runs=2), None, ONE, lambda result, done, total: heard.append((done, total)))
    results = list(folder.results())
    assert heard == [(done, 12) for done in range(13)]
    assert len(results) == 12
    assert len({result.run for result in results}) == 12
    assert folder.path.parent == tmp_path / "home" / "evals"
    first = results[0]
    assert first.marks["named"] == {"correct": 1.0}
    assert all(url.startswith("http://") and ".test/" in url for url in first.opened)
    assert read_events(folder.trace(first.run))[0].data["kind"] == "play"


def test_the_same_command_again_does_nothing_and_another_folder_gives_the_same_numbers(tmp_path):
    one = evaluate(asked(tmp_path), tmp_path / "one", ONE)
    before = {path: path.stat().st_mtime_ns for path in one.path.rglob("*.jsonl")}
    evaluate(asked(tmp_path), tmp_path / "one", ONE)
    assert {path: path.stat().st_mtime_ns for path in one.path.rglob("*.jsonl")} == before
    two = evaluate(asked(tmp_path), tmp_path / "two", Spread(jobs=5))
    assert numbers(one) == numbers(two)


@pytest.mark.parametrize("cut", [0.0, 0.3, 0.7, 1.0])
def test_what_was_killed_goes_on_where_it_stopped(tmp_path, cut):
    whole = evaluate(asked(tmp_path), tmp_path / "whole", ONE)
    evaluate(asked(tmp_path), tmp_path / "killed", ONE)
    killed = Folder(tmp_path / "killed")
    for number, result in enumerate(list(killed.results())[1:]):
        trace, marking = killed.trace(result.run), killed.marking(result.run)
        if number % 2:
            trace.write_bytes(trace.read_bytes()[: int(cut * trace.stat().st_size)])
            marking.unlink()
        else:
            marking.write_bytes(marking.read_bytes()[: int(cut * marking.stat().st_size)])
    evaluate(asked(tmp_path), killed.path, ONE)
    assert numbers(killed) == numbers(whole)


@pytest.mark.slow
def test_shards_are_the_whole(tmp_path):
    whole = evaluate(asked(tmp_path), tmp_path / "whole", ONE)
    parts = [evaluate(asked(tmp_path, shard=(i, 4)), tmp_path / f"{i}", ONE) for i in range(1, 5)]
    assert sorted(row for part in parts for row in numbers(part)) == sorted(numbers(whole))


@pytest.mark.slow
def test_processes_give_the_same_numbers(tmp_path):
    one = evaluate(asked(tmp_path), tmp_path / "one", ONE)
    two = evaluate(asked(tmp_path), tmp_path / "two", Spread(jobs=2, processes=2))
    assert numbers(one) == numbers(two)


def test_another_run_does_not_go_into_the_folder(tmp_path):
    evaluate(asked(tmp_path, limit=1), tmp_path / "run", ONE)
    with pytest.raises(ConfigError, match="another run"):
        evaluate(asked(tmp_path, limit=2), tmp_path / "run", ONE)


def test_a_plan_of_which_nothing_was_begun_gives_way(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(runner, "_carry_out", lambda *_: None)
        evaluate(asked(tmp_path, limit=1), tmp_path / "run", ONE)
    folder = evaluate(asked(tmp_path, limit=2), tmp_path / "run", ONE)
    assert (folder.plan.items, len(list(folder.results()))) == (2, 2)


def test_two_processes_do_not_share_a_folder(tmp_path):
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match="another process"):
            evaluate(asked(tmp_path), tmp_path / "run", ONE)


def test_a_folder_of_another_version(tmp_path):
    folder = evaluate(asked(tmp_path, limit=1), tmp_path / "run", ONE)
    path = folder.path / "plan.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 0}))
    with pytest.raises(ConfigError, match="version 0"):
        evaluate(asked(tmp_path, limit=1), tmp_path / "run", ONE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "nothing"}, "unknown task"),
        ({"agent": "nobody"}, "unknown agent"),
        ({"scorers": ("nothing",)}, "unknown scorer"),
        ({"setting": "search"}, "choose another --setting"),
        ({"agent": "closed_book"}, "needs a model"),
        ({"scorers": ("judge",)}, "--judge"),
        ({"scorers": ("actions", "named")}, "another one first"),
        ({"shard": (7, 7)}, "no item is left"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_run(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        evaluate(asked(tmp_path, **changes), tmp_path / "run", ONE)
    assert not (tmp_path / "run").exists()


def test_items_with_one_id():
    with pytest.raises(ConfigError, match="two items have the id"):
        runner._distinct([Item(id="a", question="q")] * 2, "world")


class Breaking:
    """A system that fails at some of the items."""

    model, settings, told = "never", ("click",), False
    made: ClassVar[Counter] = Counter()

    def __init__(self, gear, case):
        self._gear, self._case = gear, case

    async def answer(self):
        type(self).made[self._case.question] += 1
        if len(type(self).made) % 2:
            raise ZeroDivisionError("a bug")
        raise FetchError("the web is down", url=self._case.root)


@pytest.fixture
def breaking(monkeypatch):
    load = SYSTEMS.__class__.load
    Breaking.made = Counter()
    monkeypatch.setattr(
        SYSTEMS.__class__, "load", lambda self, name: Breaking if name == "breaking" else load(self, name)
    )
    return Breaking


def test_a_failure_is_kept_and_counted_as_wrong(tmp_path, breaking):
    folder = evaluate(asked(tmp_path, agent="breaking"), None, ONE)
    results = list(folder.results())
    assert len(results) == 6
    assert {result.error["message"] for result in results} == {
        "breaking broke down: ZeroDivisionError: a bug",
        "the web is down",
    }
    assert all(result.marks["named"]["correct"] == 0 for result in results)
    evaluate(asked(tmp_path, agent="breaking"), None, ONE)
    assert set(breaking.made.values()) == {1}


def test_what_a_failure_cost_counts_against_the_limit_on_all(tmp_path, breaking, monkeypatch):
    async def pay(call):
        return Outcome("", {"tokens": 7, "tokens_in": 5, "tokens_out": 2, "usd": 0.5, "calls": 1})

    async def answer(self):
        await self._gear.run.call("model", {"model": "m"}, pay)
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(breaking, "answer", answer)
    wanted = asked(tmp_path, agent="breaking", limit=2)
    folder = evaluate(wanted, None, ONE)
    for result in folder.results():
        assert result.answer is None
        assert (result.fare.tokens, result.fare.usd, result.fare.calls) == (7, 0.5, 1)
        assert result.paid == {"tokens": 7, "usd": 0.5}
    assert left(Budget(tokens=20, usd=1), [folder]) == Budget(tokens=6, usd=0)
    folder.trace(result.run).write_text("no trace")
    assert sum(result.paid["tokens"] for result in folder.results()) == 7


class Fickle:
    """A scorer whose judge is away the first time."""

    needs_judge, decides, metrics = False, True, ("correct",)
    asked = 0

    async def mark(self, attempt: Attempt) -> Marks:
        type(self).asked += 1
        if type(self).asked <= 3:
            raise BadReply("no verdict")
        return Marks({"correct": 1.0})

    def total(self, marks):
        return means(marks)


def test_a_judge_that_was_away_is_asked_again_and_nothing_else_is_done_again(tmp_path, monkeypatch):
    load = SCORERS.__class__.load
    Fickle.asked = 0
    monkeypatch.setattr(
        SCORERS.__class__, "load", lambda self, name: Fickle() if name == "fickle" else load(self, name)
    )
    wanted = asked(tmp_path, scorers=("fickle", "named"))
    folder = evaluate(wanted, None, Spread(jobs=1))
    results = list(folder.results())
    assert [result.unjudged for result in results[:4]] == [{"fickle": "BadReply: no verdict"}] * 3 + [{}]
    assert all("fickle" not in result.marks and "named" in result.marks for result in results[:3])
    traces = {result.run: folder.trace(result.run).read_bytes() for result in results}
    evaluate(wanted, None, Spread(jobs=1))
    again = list(folder.results())
    assert all(result.marks["fickle"] == {"correct": 1.0} and not result.unjudged for result in again)
    assert Fickle.asked == 9
    assert {result.run: folder.trace(result.run).read_bytes() for result in again} == traces


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    real, budget = os.write, [40]

    def write(fd, data):
        budget[0] -= 1
        if budget[0] < 0:
            raise OSError(28, "No space left on device")
        return real(fd, data)

    monkeypatch.setattr("webfarer.core.trace.os.write", write)
    with pytest.raises(TraceError, match="No space left"):
        evaluate(asked(tmp_path), tmp_path / "run", ONE)
    monkeypatch.undo()
    folder = evaluate(asked(tmp_path), tmp_path / "run", ONE)
    assert numbers(folder) == numbers(evaluate(asked(tmp_path), tmp_path / "whole", ONE))


def test_ids_of_attempts_are_files_names_and_differ():
    names = ["a/b", "a-b", "a b", "甲", "乙", "x" * 300, "x" * 301, "", "."]
    ids = [attempt_id(name, number) for name in names for number in (1, 2)]
    assert len(set(ids)) == len(ids)
    assert all(len(each) < 100 and "/" not in each and not each.startswith(".") for each in ids)
    items = [Item(id=name, question="q") for name in names]
    assert fingerprint(items) != fingerprint(items[::-1])


def test_a_damaged_trace_or_marking_is_put_aside_and_made_again(tmp_path):
    whole = evaluate(asked(tmp_path), tmp_path / "whole", ONE)
    folder = evaluate(asked(tmp_path), tmp_path / "run", ONE)
    first, second, third = list(folder.results())[:3]
    folder.trace(first.run).write_bytes(b"junk\n" + folder.trace(first.run).read_bytes())
    folder.marking(first.run).unlink()
    folder.marking(second.run).write_bytes(b"\xff\xfe\n\n")
    folder.marking(third.run).write_text('{"seq":0,"t":0,"type":"end","data":{"version":1}}\n')
    assert [result.run for result in folder.results()] == [result.run for result in list(whole.results())[3:]]
    evaluate(asked(tmp_path), folder.path, ONE)
    assert numbers(folder) == numbers(whole)


def test_items_that_are_not_the_plans_are_refused(tmp_path):
    folder = evaluate(asked(tmp_path), tmp_path / "run", ONE)
    path = folder.path / "items.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:3]))
    with pytest.raises(ConfigError, match="items of the plan"):
        evaluate(asked(tmp_path), folder.path, ONE)
    with pytest.raises(ConfigError, match="items of the plan"):
        list(folder.results())


def test_attempts_without_their_plan_are_not_adopted(tmp_path):
    folder = evaluate(asked(tmp_path), tmp_path / "run", ONE)
    (folder.path / "plan.json").unlink()
    with pytest.raises(ConfigError, match="whose plan is gone"):
        evaluate(asked(tmp_path, agent="oracle"), folder.path, ONE)


def questions(path: Path, count: int = 3) -> Source:
    lines = [f"{{}},What is the last digit of {number}?,{number % 10}\n" for number in range(count)]
    path.write_text("metadata,problem,answer\n" + "".join(lines))
    return Source(path)


def test_one_file_is_one_run_wherever_it_is_named_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = questions(Path("questions.csv"))
    script = tmp_path / "script.json"
    script.write_text('["{\\"answer\\": \\"1\\"}"]')
    settings = load_settings(home=tmp_path / "home", model=f"scripted:{script}")
    wanted = Asked("simpleqa", settings, source, "closed_book", scorers=("named",))
    one = evaluate(wanted, None, ONE)
    again = evaluate(replace(wanted, source=Source((tmp_path / "questions.csv").resolve())), None, ONE)
    assert one.path == again.path
    assert [result.marks["named"]["correct"] for result in one.results()] == [0, 1, 0]


def test_a_search_key_that_is_missing_or_refused_ends_the_run_and_not_the_items(tmp_path):
    source = questions(tmp_path / "questions.csv")
    settings = load_settings(home=tmp_path / "home", model="", search={"engines": ("serper",)})
    wanted = Asked("simpleqa", settings, source, "one_shot_rag", scorers=("named",))
    with pytest.raises(ConfigError, match="SERPER_API_KEY"):
        evaluate(wanted, tmp_path / "run", ONE)
    assert list(Folder(tmp_path / "run").results()) == []


async def test_pages_are_told_in_the_order_they_were_asked_for():
    heard = Heard()
    for seq in (0, 1):
        heard(Event(seq, 0.0, "call", {"kind": "fetch", "request": {"url": f"http://a.test/{seq}"}}))
    for call in (1, 0):
        value = {"record": f"r{call}", "url": f"http://a.test/{call}"}
        heard(Event(3 - call, 0.0, "result", {"call": call, "value": value}))
    assert heard.came == [("r0", "http://a.test/0"), ("r1", "http://a.test/1")]


async def test_what_holds_the_answers_is_not_opened_and_what_was_met_is_flagged(tmp_path, monkeypatch):
    world = TASKS.load("world")
    (item,) = await world.items(Source(seed=3, size=1))
    gold = item.gold[0].rpartition("/")[0]

    class Sealed(type(world)):
        card = replace(world.card, blocked=(gold,))

        async def items(self, source):
            return [item.model_copy(update={"data": {"canary": "DataBridge 2025"}})]

    load = TASKS.__class__.load
    monkeypatch.setattr(TASKS.__class__, "load", lambda seam, name: Sealed() if seam is TASKS else load(seam, name))
    folder = await asyncio.to_thread(evaluate, asked(tmp_path), None, ONE)
    (result,) = folder.results()
    assert result.flags == ("canary", "blocked")
    assert result.marks["named"]["correct"] == 0
    assert not [url for url in result.opened if url.startswith(gold)]
