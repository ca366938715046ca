"""The engine in its own thread: submitted to and cancelled from others, idle without turning."""

import threading

import pytest
from batching import Heard, engine_of, solo, submit

from webfarer.engine.sampling import Finished, Request, SamplingParams

PARAMS = SamplingParams(max_tokens=8, ignore_eos=True)


class Waiting(Heard):
    """A listener that can be waited for."""

    def __init__(self):
        super().__init__()
        self.done = threading.Event()

    def __call__(self, event):
        super().__call__(event)
        if isinstance(event, Finished):
            self.done.set()


@pytest.fixture
def engine():
    made = engine_of(rows=3)
    made.start()
    yield made
    made.stop()
    made.check_integrity()
    assert made.stats().active == made.stats().waiting == 0


def test_many_threads_submit_and_each_hears_its_own(engine):
    heard = [[Waiting() for _ in range(4)] for _ in range(4)]

    def caller(mine):
        for i, listener in enumerate(mine):
            engine.submit(Request((i, 5), PARAMS), listener)

    threads = [threading.Thread(target=caller, args=(mine,)) for mine in heard]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in heard:
        for i, listener in enumerate(mine):
            assert listener.done.wait(30)
            assert listener.ids == solo([i, 5], PARAMS).ids


def test_a_sequence_is_cancelled_from_another_thread(engine):
    listener, long = Waiting(), SamplingParams(max_tokens=100, ignore_eos=True)
    begun = threading.Event()

    def listen(event):
        listener(event)
        begun.set()

    ticket = engine.submit(Request((1,), long), listen)
    assert begun.wait(30)
    ticket.cancel()
    assert listener.done.wait(30)
    assert listener.finished.reason in ("cancelled", "length")
    assert listener.ids == solo([1], long).ids[: len(listener.ids)]


def test_an_idle_engine_sleeps(engine, monkeypatch):
    listener = Waiting()
    engine.submit(Request((1,), PARAMS), listener)
    assert listener.done.wait(30)
    slept, sleep = threading.Event(), engine._line.sleep
    rounds = []

    def counting():
        rounds.append(1)
        slept.set()
        sleep()

    monkeypatch.setattr(engine._line, "sleep", counting)
    engine._line.wake()
    assert slept.wait(30)
    slept.clear()
    assert not slept.wait(0.05), "nobody woke it"
    assert len(rounds) <= 2


def test_a_listener_may_submit_and_run_rounds(engine):
    second, inner = Waiting(), []

    def first(event):
        if isinstance(event, Finished):
            inner.extend(engine.generate([[2]], PARAMS)[0].ids)
            engine.submit(Request((3,), PARAMS), second)

    engine.submit(Request((1,), PARAMS), first)
    assert second.done.wait(30)
    assert inner == solo([2], PARAMS).ids
    assert second.ids == solo([3], PARAMS).ids


def test_generate_works_beside_the_thread(engine):
    made = engine.generate([[i] for i in range(5)], PARAMS)
    assert [c.ids for c in made] == [solo([i], PARAMS).ids for i in range(5)]


def test_stopping_cancels_what_is_left_and_the_engine_starts_again():
    engine = engine_of(rows=1)
    long = SamplingParams(max_tokens=300, ignore_eos=True)
    heard = [submit(engine, [i], long)[1] for i in range(3)]
    engine.start()
    engine.start()
    engine.stop()
    assert {h.finished.reason for h in heard} <= {"cancelled", "length"}
    assert heard[-1].finished.reason == "cancelled"
    engine.start()
    again = Waiting()
    engine.submit(Request((1,), PARAMS), again)
    assert again.done.wait(30)
    engine.stop()
    assert "webfarer-engine" not in [thread.name for thread in threading.enumerate()]


def test_a_listener_may_stop_the_engine():
    engine, heard = engine_of(), Waiting()

    def listen(event):
        heard(event)
        if not isinstance(event, Finished):
            engine.stop()

    engine.start()
    engine.submit(Request((1,), PARAMS), listen)
    assert heard.done.wait(30)
    assert heard.finished.reason == "cancelled"
