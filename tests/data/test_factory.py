"""The factory: the same order gives the same file, however it is spread and however often it is killed."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest
from observatories_kit import observatories

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError, UnknownPlugin, WebfarerError
from webfarer.core.fare import Budget
from webfarer.data.batch import Batch, make_batch
from webfarer.data.factory import Hands, Wanted, make_questions, planned
from webfarer.data.grounds.site import Sites
from webfarer.data.question import read_questions
from webfarer.data.synth import SYNTHS, Order
from webfarer.evals.task import Item
from webfarer.models.ruled import Ruled

QUOTA = {
    (f"{kind}_source", level): number
    for kind in ("single", "multi")
    for level, number in (("easy", 2), ("medium", 4), ("hard", 3))
}


def wanted(synth="crawlqa", count=12, **more):
    return Wanted(synth, count, **{"settings": load_settings(), "seed": 5, "most": 6, **more})


def test_the_same_order_gives_the_same_bytes_and_says_what_was_dropped(tmp_path):
    report = make_questions(wanted(), tmp_path / "a.jsonl")
    make_questions(wanted(), tmp_path / "b.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    questions = read_questions(tmp_path / "a.jsonl")
    assert len(questions) == report.kept == 12
    assert len({question.id for question in questions}) == 12
    assert report.grounds == 2
    assert report.drafts == 12 + sum(report.dropped.values())
    assert json.loads((tmp_path / "a.jsonl.report.json").read_text())["kept"] == 12


def test_another_seed_gives_other_questions(tmp_path):
    make_questions(wanted(count=6), tmp_path / "a.jsonl")
    make_questions(wanted(count=6, seed=6), tmp_path / "b.jsonl")
    ids = [{question.id for question in read_questions(tmp_path / name)} for name in ("a.jsonl", "b.jsonl")]
    assert not ids[0] & ids[1]


def test_quotas_are_met_exactly(tmp_path):
    order = wanted("webwalkerqa", sum(QUOTA.values()), order=Order(quota=QUOTA))
    report = make_questions(order, tmp_path / "q.jsonl")
    cells = Counter((q.cells["type"], q.cells["difficulty"]) for q in read_questions(tmp_path / "q.jsonl"))
    assert cells == QUOTA
    assert not report.ended


def test_a_longer_order_begins_with_the_shorter_one_and_makes_no_ground_twice(tmp_path, monkeypatch):
    make_questions(wanted(count=6), tmp_path / "q.jsonl")
    short = (tmp_path / "q.jsonl").read_bytes()
    written = (tmp_path / "q.jsonl.work" / "grounds" / "0.json").stat().st_mtime_ns
    make_questions(wanted(count=12), tmp_path / "q.jsonl")
    assert (tmp_path / "q.jsonl").read_bytes().startswith(short)
    assert (tmp_path / "q.jsonl.work" / "grounds" / "0.json").stat().st_mtime_ns == written


def test_a_site_that_gives_no_more_ends_the_order_with_what_there_is(tmp_path, monkeypatch):
    from webfarer.data import factory

    barren = Batch(number=0, questions=(), drafts=3, dropped={"short": 3}, examples=())
    monkeypatch.setattr(factory, "make_batch", lambda plan, number, trace=None: barren)
    report = make_questions(wanted(), tmp_path / "q.jsonl")
    assert (report.kept, report.dropped) == (0, {"short": 60})
    assert "20 generated sites" in report.ended


def test_a_spent_order_goes_on_under_a_larger_budget_and_pays_for_no_reply_twice(tmp_path, monkeypatch):
    asked = []
    complete = Ruled.complete

    async def counted(self, messages, *rest):
        asked.append(1)
        return await complete(self, messages, *rest)

    monkeypatch.setattr(Ruled, "complete", counted)

    def order(tokens):
        return wanted(settings=load_settings(model="ruled:overlap", budget=Budget(tokens=tokens)), count=4)

    short = make_questions(order(4_000), tmp_path / "q.jsonl")
    assert short.ended == "the budget is spent"
    assert short.fare.tokens <= 4_000
    paid = len(asked)
    assert paid == short.fare.calls > 0
    whole = make_questions(order(None), tmp_path / "q.jsonl")
    assert whole.kept == 4
    assert len(asked) == whole.fare.calls
    asked.clear()
    assert make_questions(order(None), tmp_path / "q.jsonl") == whole
    assert not asked
    make_questions(order(None), tmp_path / "at-once.jsonl")
    assert (tmp_path / "at-once.jsonl").read_bytes() == (tmp_path / "q.jsonl").read_bytes()


def test_an_order_that_failed_before_anything_was_made_can_be_corrected(tmp_path):
    with pytest.raises(WebfarerError):
        make_questions(wanted(root="http://127.0.0.1:9/", count=2), tmp_path / "q.jsonl")
    assert make_questions(wanted(count=2), tmp_path / "q.jsonl").kept == 2


def test_another_order_of_the_same_quotas_is_the_same_and_other_numbers_are_another(tmp_path):
    def order(*cells):
        return wanted("webwalkerqa", 3, order=Order(quota=dict(cells)))

    easy, hard = (("single_source", "easy"), 1), (("single_source", "hard"), 2)
    make_questions(order(easy, hard), tmp_path / "a.jsonl")
    made = (tmp_path / "a.jsonl").read_bytes()
    make_questions(order(hard, easy), tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").read_bytes() == made
    with pytest.raises(ConfigError, match="another order"):
        make_questions(order((easy[0], 2), (hard[0], 1)), tmp_path / "a.jsonl")


def test_what_a_synth_refuses_is_counted_and_shown_under_its_rule():
    easy = Item(id="1", question="Which are they?", answer="Ada; Bo", parts=("Ada", "Bo"))
    batch = make_batch(planned(wanted("e2hqa", order=Order(easy=(easy,) * 5))), 0)
    assert (batch.drafts, batch.dropped) == (5, {"easy answer": 5})
    assert {(drop.question, drop.why) for drop in batch.examples} == {(easy.question, "it has no answer, or several")}


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (wanted("nothing"), "unknown synth"),
        (wanted(ground="site"), "--root"),
        (wanted(ground="world", root="https://example.org/"), "leave out --root"),
        (wanted(checks=("nonsense",)), "unknown check"),
        (wanted(order=Order(quota={("single_source", "easy"): 3})), "come to 3"),
    ],
)
def test_an_order_that_cannot_work_is_refused_before_anything_is_made(tmp_path, order, words):
    with pytest.raises((ConfigError, UnknownPlugin), match=words):
        make_questions(order, tmp_path / "q.jsonl")
    assert not (tmp_path / "q.jsonl").exists()


def test_what_a_model_reads_and_nobody_believes_is_counted(tmp_path, monkeypatch):
    async def at(_, place):
        return replace(observatories(), id="site")

    monkeypatch.setattr(Sites, "at", at)
    fact = {"subject": "Elm Ridge", "ask": "who owns {x}", "value": "Eve", "quote": "Eve owns Elm Ridge."}
    (tmp_path / "script.json").write_text(json.dumps([json.dumps({"facts": [fact]}), '{"question": ""}']))
    settings = load_settings(model=f"scripted:{tmp_path / 'script.json'}")
    order = wanted("crawlqa", 1, root="http://sky.test/", settings=settings, checks=("short",))
    report = make_questions(order, tmp_path / "q.jsonl")
    assert (report.kept, report.drafts, report.dropped) == (1, 2, {"fact quote": 1})


def test_what_lies_there_is_not_overwritten(tmp_path):
    (tmp_path / "mine.jsonl").write_text("mine")
    with pytest.raises(ConfigError, match="exists"):
        make_questions(wanted(count=1), tmp_path / "mine.jsonl")
    make_questions(wanted(count=1), tmp_path / "q.jsonl")
    with pytest.raises(ConfigError, match="another order"):
        make_questions(wanted(count=1, seed=9), tmp_path / "q.jsonl")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("synth", SYNTHS.ids())
@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.full)])
def test_questions_of_each_synth_pass_every_check(tmp_path, synth, count):
    quota = {}
    if synth == "webwalkerqa":
        quota = {cell: count // 6 + (number < count % 6) for number, cell in enumerate(QUOTA)}
    report = make_questions(
        wanted(synth, count, most=20, order=Order(quota=quota)), tmp_path / "q.jsonl", Hands(processes=2)
    )
    questions = read_questions(tmp_path / "q.jsonl")
    assert len(questions) == report.kept == count
    assert not report.ended
    if quota:
        assert Counter((q.cells["type"], q.cells["difficulty"]) for q in questions) == quota


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_ray_nodes_and_two_processes_make_the_same_file(tmp_path):
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    make_questions(wanted(count=40), tmp_path / "here.jsonl")
    make_questions(wanted(count=40), tmp_path / "two.jsonl", Hands(processes=2))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        make_questions(wanted(count=40), tmp_path / "there.jsonl", Hands(ray=True))
    finally:
        ray.shutdown()
        cluster.shutdown()
    here = (tmp_path / "here.jsonl").read_bytes()
    assert (tmp_path / "two.jsonl").read_bytes() == here
    assert (tmp_path / "there.jsonl").read_bytes() == here


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_again_and_again_it_ends_with_the_same_file(tmp_path):
    make_questions(wanted(count=300), tmp_path / "whole.jsonl")
    command = [
        *(sys.executable, "-c", "from webfarer.apps.cli.main import main; main()"),
        *("data", "crawlqa", "--seed", "5", "--count", "300", "--per-site", "6", "--processes", "2"),
        *("--out", str(tmp_path / "killed.jsonl")),
    ]
    rng, kills = random.Random(7), 0
    while kills < 40:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(rng.uniform(0.3, 2.0) + kills / 2)  # the first is killed on a fast machine too
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    assert process.returncode == 0
    assert kills > 0
    assert (tmp_path / "killed.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
