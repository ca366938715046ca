"""What goes wrong stays with the sequences it happened to, and the engine is as good as new."""

import dataclasses

import pytest
from batching import Heard, engine_of, model, run, solo, submit

from webfarer.core.errors import WebfarerError
from webfarer.engine.caches.full import Policy
from webfarer.engine.engine import Engine, Limits
from webfarer.engine.sampling import Request, SamplingParams

PARAMS = SamplingParams(max_tokens=6, ignore_eos=True)


class Faulty:
    """The tiny model's decoder, in which one forward goes wrong."""

    def __init__(self, call, fault):
        self.call, self.fault, self.calls = call, fault, 0
        self.layout = model().decoder.layout

    def forward(self, tokens, positions, attend, adapters=None, ends=None):
        self.calls += 1
        if self.calls != self.call:
            return model().decoder.forward(tokens, positions, attend, adapters, ends)

        def halfway(layer, q, k, v):
            if layer == 1:
                raise self.fault
            return attend(layer, q, k, v)

        return model().decoder.forward(tokens, positions, halfway, adapters, ends)

    def logits(self, hidden):
        return model().decoder.logits(hidden)


def faulty(call, fault=RuntimeError("out of memory"), **limits):
    decoder = Faulty(call, fault)
    return Engine(dataclasses.replace(model(), decoder=decoder), Policy(), Limits(**limits)), decoder


def serves(engine):
    """Look whether the engine works as on its first day."""
    engine.check_integrity()
    heard = submit(engine, [4, 5], PARAMS)[1]
    run(engine)
    assert heard.ids == solo([4, 5], PARAMS).ids
    return True


def test_a_failed_step_ends_the_sequences_in_it_and_nobody_else():
    engine, _ = faulty(3, rows=2)
    heard = [submit(engine, [i, i], PARAMS)[1] for i in range(4)]
    run(engine)
    assert [h.finished.reason for h in heard] == ["error", "error", "length", "length"]
    assert heard[0].finished.error == "drawing tokens: RuntimeError: out of memory"
    assert heard[0].ids == solo([0, 0], PARAMS).ids[:2]
    assert heard[2].ids == solo([2, 2], PARAMS).ids
    assert serves(engine)


def test_a_failed_prompt_leaves_those_alone_that_were_active():
    engine, _ = faulty(4)
    _, first = submit(engine, [1, 2], PARAMS)
    engine.step()
    engine.step()
    _, second = submit(engine, [3], PARAMS)
    run(engine)
    assert (second.finished.reason, second.ids) == ("error", [])
    assert "reading prompts" in second.finished.error
    assert first.ids == solo([1, 2], PARAMS).ids
    assert serves(engine)


def test_prompts_that_fail_together_leave_those_alone_that_were_active():
    """Their rows move over one another when they are given back."""
    engine, _ = faulty(4, rows=4)
    _, first = submit(engine, [1, 2], PARAMS)
    engine.step()
    engine.step()
    failed = [submit(engine, [token] * 3, PARAMS)[1] for token in (3, 4, 5)]
    run(engine)
    assert [heard.finished.reason for heard in failed] == ["error"] * 3
    assert first.ids == solo([1, 2], PARAMS).ids
    assert serves(engine)


def test_an_interrupt_passes_and_leaves_a_clean_engine():
    engine, _ = faulty(3, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        engine.generate([[1], [2]], PARAMS)
    assert engine.stats().finished == {"error": 2}
    assert serves(engine)


def test_an_interrupted_listener_leaves_a_clean_engine():
    engine, interrupted = engine_of(), []

    def listen(event):
        interrupted.append(event)
        raise KeyboardInterrupt

    engine.submit(Request((1,), PARAMS), listen)
    _, other = submit(engine, [2], PARAMS)
    for _ in range(PARAMS.max_tokens + 1):
        with pytest.raises(KeyboardInterrupt):
            engine.step()
        engine.check_integrity()
    run(engine)
    assert len(interrupted) == PARAMS.max_tokens + 1
    assert other.ids == solo([2], PARAMS).ids


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_no_numbers_are_an_error_of_their_row(temperature):
    engine, decoder = faulty(-1)

    def logits(hidden):
        found = model().decoder.logits(hidden)
        if decoder.calls == 3:
            found[1, 17] = float("nan")
        return found

    decoder.logits = logits
    params = dataclasses.replace(PARAMS, temperature=temperature, seed=3)
    heard = [submit(engine, [i], params)[1] for i in range(3)]
    run(engine)
    assert [h.finished.reason for h in heard] == ["length", "error", "length"]
    assert "not numbers" in heard[1].finished.error
    assert len(heard[1].ids) == 2
    assert [heard[i].ids for i in (0, 2)] == [solo([i], params).ids for i in (0, 2)]
    assert serves(engine)


@pytest.mark.parametrize("at", [0, 2, 6])
def test_a_listener_that_raises_ends_its_own_sequence_only(at):
    engine, calls = engine_of(), []

    def broken(event):
        calls.append(event)
        if len(calls) == at + 1:
            raise ZeroDivisionError

    engine.submit(Request((1,), PARAMS), broken)
    _, other = submit(engine, [2], PARAMS)
    run(engine)
    assert len(calls) == at + 1, "it is not called again"
    assert other.ids == solo([2], PARAMS).ids
    assert engine.stats().finished == ({"cancelled": 1, "length": 1} if at < 4 else {"length": 2})


def test_a_tokenizer_that_fails_ends_one_sequence():
    engine = engine_of()
    _, first = submit(engine, [1], PARAMS)
    _, second = submit(engine, [2], PARAMS)
    engine.step()
    sequence = engine._batch.active[0]
    sequence._stopper._text.add = lambda token: 1 / 0
    run(engine)
    assert (first.finished.reason, second.finished.reason) == ("error", "length")
    assert "ZeroDivisionError" in first.finished.error


@pytest.mark.parametrize("broken", ["open", "prefill", "decode", "close", "stats"])
def test_a_memory_that_fails_is_put_right_or_replaced(broken, monkeypatch):
    engine = engine_of(rows=2)
    heard = [submit(engine, [i], PARAMS)[1] for i in range(3)]
    engine.step()

    def fail(*args):
        raise MemoryError("no room")

    monkeypatch.setattr(type(engine._batch.memory), broken, fail)
    while engine.step():
        pass
    monkeypatch.undo()
    reasons = [h.finished.reason for h in heard]
    assert "error" in reasons
    assert set(reasons) <= {"error", "length"}
    assert serves(engine)


def test_integrity_is_really_looked_at():
    engine = engine_of()
    submit(engine, [1], PARAMS)
    submit(engine, [2], PARAMS)
    engine.step()
    engine._batch.active.reverse()
    with pytest.raises(WebfarerError, match=r"rows are \[1, 0\]"):
        engine.check_integrity()


def test_cancelling_after_the_end_does_nothing():
    engine, heard = engine_of(), Heard()
    ticket = engine.submit(Request((1,), PARAMS), heard)
    run(engine)
    ticket.cancel()
    assert not engine.step()
    assert heard.finished.reason == "length"
