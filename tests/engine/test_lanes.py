"""Schedules that do not batch: one sequence after the other, and first come, first served."""

import gc
import os
import threading
from itertools import pairwise
from pathlib import Path

import batching
import pytest
import tiny
from batching import engine_of, submit
from guessing import PARAMS, POLICIES, PROMPTS, plain

from webfarer.core.errors import ConfigError
from webfarer.engine.drafters import _apart
from webfarer.engine.policy import parse
from webfarer.engine.sampling import SamplingParams
from webfarer.engine.speculation import Speculate


@pytest.mark.parametrize("scheduler", ["serial", "fcfs"])
@pytest.mark.parametrize("draft", [None, "ngram", "self:streaming:budget=6,sinks=1"])
@pytest.mark.parametrize("policy", POLICIES[:2])
@pytest.mark.slow
def test_one_at_a_time_says_the_same(scheduler, draft, policy):
    engine, spans = engine_of(parse(policy), rows=3), []
    if draft is None and scheduler == "fcfs":
        with pytest.raises(ConfigError, match="drafts"):
            engine.arrange(None, scheduler)
        return
    engine.arrange(draft and Speculate(draft, k=3), scheduler, spans.append)
    heard = [submit(engine, prompt, one)[1] for prompt, one in zip(PROMPTS, PARAMS, strict=True)]
    while engine.step():
        pass
    engine.check_integrity()
    assert [(c.ids, c.finished.reason) for c in heard] == plain(policy, tuple(PARAMS))
    passes = [span for span in spans if span.kind != "draft"]
    assert len(passes) == engine.stats().rounds
    assert all(one.end <= two.start for one, two in pairwise(passes)), "one pass at a time"
    for number in range(4):
        mine = sorted((s for s in spans if s.numbers == (number,)), key=lambda s: s.start)
        assert all(one.end <= two.start for one, two in pairwise(mine)), "a sequence drafts or is checked"
    if scheduler == "serial":
        assert [s.numbers for s in passes] == sorted(s.numbers for s in passes), "one after the other"


def test_drafts_are_checked_in_the_order_they_were_finished():
    engine, spans = engine_of(rows=3), []
    engine.arrange(Speculate("ngram", k=3), "fcfs", spans.append)
    for prompt in PROMPTS[:3]:
        submit(engine, prompt, SamplingParams(max_tokens=40, ignore_eos=True))
    while engine.step():
        pass
    waiting, checked = [], 0
    for span in sorted(spans, key=lambda s: s.end if s.kind == "draft" else s.start):
        if span.kind == "draft":
            waiting.append(span.numbers)
        elif span.kind == "verify":
            assert waiting.pop(0) == span.numbers
            checked += 1
    assert checked > 10


def test_sequences_leave_and_come_while_others_draft():
    engine = engine_of(rows=2)
    engine.arrange(Speculate("self:full", k=3), "fcfs")
    tickets = [submit(engine, prompt, SamplingParams(max_tokens=30, ignore_eos=True)) for prompt in PROMPTS]
    for _ in range(3):
        engine.step()
    tickets[0][0].cancel()
    tickets[3][0].cancel()
    while engine.step():
        pass
    engine.check_integrity()
    assert [heard.finished.reason for _, heard in tickets] == ["cancelled", "length", "length", "cancelled"]
    expected = engine_of(rows=1).generate(PROMPTS[1:3], SamplingParams(max_tokens=30, ignore_eos=True))
    assert [heard.ids for _, heard in tickets[1:3]] == [c.ids for c in expected]
    assert engine.stats().active == engine.stats().waiting == 0


def test_stopping_ends_the_threads_that_draft_and_the_engine_works_again():
    before = set(threading.enumerate())
    engine = engine_of(rows=2)
    engine.arrange(Speculate("ngram", k=2), "fcfs")
    for _ in range(2):
        engine.stop()
        heard = [submit(engine, prompt, one)[1] for prompt, one in zip(PROMPTS, PARAMS, strict=True)]
        while engine.step():
            pass
        assert [(c.ids, c.finished.reason) for c in heard] == plain("full", tuple(PARAMS))
        assert any("draft" in thread.name for thread in set(threading.enumerate()) - before)
    rounds = engine.stats().rounds
    engine.stop()
    assert set(threading.enumerate()) <= before
    assert engine.stats().rounds == rounds > 0


def test_how_tokens_are_drawn_is_settled_first():
    engine = engine_of(rows=1)
    submit(engine, PROMPTS[0])
    with pytest.raises(ConfigError, match="before the first request"):
        engine.arrange(Speculate(k=1))
    with pytest.raises(ConfigError, match="unknown scheduler"):
        engine_of().arrange(None, "random")


def test_who_leaves_between_draft_and_check_takes_no_drafts_along():
    engine = engine_of(rows=3)
    engine.arrange(Speculate("self:streaming:budget=6,sinks=1", k=3), "fcfs")
    long = SamplingParams(max_tokens=30, ignore_eos=True)
    tickets = [submit(engine, prompt, long) for prompt in PROMPTS[:3]]
    for ticket, _ in tickets[:2]:
        engine.step()
        ticket.cancel()
    while engine.step():
        pass
    engine.check_integrity()
    assert engine.stats().gave_up is None
    assert tickets[2][1].ids == engine_of(rows=1).generate([PROMPTS[2]], long)[0].ids


def test_an_arrangement_that_is_refused_leaves_the_old_one():
    engine = engine_of(rows=2)
    engine.arrange(Speculate("ngram", k=2), "fcfs")
    with pytest.raises(ConfigError):
        engine.arrange(Speculate("nowhere", k=2), "fcfs")
    assert [len(c.ids) for c in engine.generate(PROMPTS[:2], SamplingParams(max_tokens=5, ignore_eos=True))] == [5, 5]


def test_who_comes_after_an_interrupted_one_hears_of_it(monkeypatch):
    engine = engine_of(rows=3)
    engine.arrange(Speculate("ngram", k=2), "fcfs")
    heard = [submit(engine, prompt)[1] for prompt in PROMPTS[:3]]

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine._batch._lanes[0]._decoder, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        engine.step()
    monkeypatch.undo()
    while engine.step():
        pass
    assert [h.finished.reason for h in heard] == ["error", "cancelled", "cancelled"]


@pytest.fixture(scope="module")
def draft(tmp_path_factory):
    """The folder of a small model, with one process that drafts with it for every engine, and ends after the last."""
    folder = str(tiny.save(tiny.llama(layers=1), tmp_path_factory.mktemp("draft")))
    before = processes()
    kept = _apart.helper(_apart.Model.of(folder, batching.model()))
    (process,) = processes() - before
    yield folder
    assert processes() - before == {process}
    del kept
    assert processes() <= before


def processes():
    """Return what this process has begun and what has not ended."""
    gc.collect()
    return {
        int(number) for task in Path("/proc/self/task").iterdir() for number in (task / "children").read_text().split()
    }


@pytest.mark.slow
@pytest.mark.parametrize("how", [{"k": 3}, {"widths": (2, 1)}, {"k": None}])
def test_a_small_model_drafts_in_another_process_and_the_texts_are_the_same(draft, how):
    engine = engine_of(rows=3)
    engine.arrange(Speculate(draft, **how), "fcfs")
    heard = [submit(engine, prompt, one)[1] for prompt, one in zip(PROMPTS, PARAMS, strict=True)]
    while engine.step():
        pass
    engine.check_integrity()
    assert [(c.ids, c.finished.reason) for c in heard] == plain("full", tuple(PARAMS))
    assert engine.stats().gave_up is None
    assert engine.stats().drafted > 0 or how == {"k": None}


@pytest.mark.slow
def test_another_process_draws_as_this_one_does(draft):
    params = [SamplingParams(max_tokens=20, temperature=0.9, seed=seed, ignore_eos=True) for seed in range(4)]
    texts = []
    for scheduler in ("serial", "fcfs"):
        engine = engine_of(rows=3)
        engine.arrange(Speculate(draft, k=3, rule="ratio"), scheduler)
        texts.append([c.ids for c in engine.generate(PROMPTS, params)])
        assert engine.stats().gave_up is None
    assert texts[0] == texts[1]


@pytest.mark.slow
def test_a_process_that_ends_takes_drafts_along_and_no_text(tmp_path):
    folder = str(tiny.save(tiny.llama(layers=1), tmp_path))
    before, engine = processes(), engine_of(rows=2)
    engine.arrange(Speculate(folder, k=3), "fcfs")
    (process,) = processes() - before
    heard = [submit(engine, prompt, one)[1] for prompt, one in zip(PROMPTS, PARAMS, strict=True)]
    engine.step()
    os.kill(process, 9)
    while engine.step():
        pass
    engine.check_integrity()
    assert [(c.ids, c.finished.reason) for c in heard] == plain("full", tuple(PARAMS))
    assert "drafting" in engine.stats().gave_up
    engine.arrange()
    assert processes() <= before


def test_errors_are_kept_until_a_draft_is_asked_for():
    desk = _apart._Desk.__new__(_apart._Desk)
    desk._drafters, desk._failed = {}, {}
    assert desk.do(1, "settle", ([],)) is None
    assert "KeyError" in desk.do(1, "propose", ([],))
    desk.do(1, "forget", ())
    assert desk._failed == {}


def test_a_process_that_does_not_start_is_reported(monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ConfigError, match="starting a process that drafts"):
        _apart.helper(_apart.Model("nowhere", "float32", "cpu", 3))
