"""The metered model: traced, budgeted, charged, replayed."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import BudgetExceeded, ConfigError, ModelTimeout, RateLimited
from webfarer.core.fare import Budget, Price
from webfarer.core.run import Run
from webfarer.core.trace import TRACE_VERSION, Trace
from webfarer.models.base import Attempt, Message, Reply, Sampling, ToolCall, Usage
from webfarer.models.endpoint import Endpoint
from webfarer.models.metered import Metered
from webfarer.models.scripted import Scripted
from webfarer.worlds.endpoint import Fault, serve_endpoint

ASKED = [Message("user", "Say hello.")]
FULL = Reply(
    "hello",
    "hm",
    (ToolCall("c", "f", {"a": [1, None]}),),
    "tool_calls",
    Usage(100, 20),
    (Attempt("RateLimited", "busy", 0.5),),
    ("seed",),
)


def run_with(**limits):
    return Run("r", Trace.create(), Budget(**limits))


def begun(path):
    trace = Trace.create(path)
    trace.emit("start", version=TRACE_VERSION)
    return trace


async def test_the_reply_comes_back_whole_and_the_fare_is_charged():
    run = run_with(usd=1)
    reply = await Metered(run, Scripted([FULL], name="m"), Price(input=1, output=10)).complete(ASKED)
    assert reply == FULL
    fare = run.ledger.fare
    assert (fare.tokens, fare.tokens_in, fare.tokens_out, fare.calls) == (120, 100, 20, 1)
    assert fare.usd == pytest.approx((100 * 1 + 20 * 10) / 1e6)


async def test_the_trace_holds_what_the_model_saw_and_said():
    run = run_with()
    await Metered(run, Scripted([FULL], name="m")).complete(ASKED, sampling=Sampling(seed=4))
    call, result = run.trace.events
    assert call.data["kind"] == "model"
    assert call.data["request"]["model"] == "m"
    assert call.data["request"]["messages"][0]["content"] == "Say hello."
    assert call.data["request"]["sampling"]["seed"] == 4
    assert result.data["value"]["reasoning"] == "hm"
    assert result.data["value"]["attempts"][0]["error"] == "RateLimited"


async def test_a_replay_gives_the_same_reply_and_asks_nobody(tmp_path):
    path = tmp_path / "trace.jsonl"
    trace = begun(path)
    await Metered(Run("r", trace), Scripted([FULL])).complete(ASKED)
    trace.close()
    silent = Scripted([])
    recording = Trace.replay(path)
    recording.emit("start", version=TRACE_VERSION)
    run = Run("r", recording)
    assert await Metered(run, silent).complete(ASKED) == FULL
    assert silent.asked == []
    assert run.ledger.fare.tokens == 120


def test_a_money_limit_needs_a_price():
    with pytest.raises(ConfigError, match=r'\[prices."m"\]'):
        Metered(run_with(usd=1), Scripted([], name="m"))
    Metered(run_with(tokens=1), Scripted([], name="m"))


@pytest.mark.parametrize(
    ("limits", "price"), [({"tokens": 300}, None), ({"usd": 0.0003}, Price(input=1, output=1))], ids=["tokens", "usd"]
)
async def test_the_reply_is_as_long_as_the_budget_allows(limits, price):
    model = Scripted(["a"])
    run = run_with(**limits)
    await Metered(run, model, price).complete(ASKED)
    granted = model.samplings[0].max_tokens
    assert 64 <= granted < 300
    assert granted + model.count(ASKED) == pytest.approx(300, abs=1)


async def test_no_room_for_a_reply_of_use_sends_nothing():
    model = Scripted(["a"])
    run = run_with(tokens=70)
    with pytest.raises(BudgetExceeded) as caught:
        await Metered(run, model).complete(ASKED)
    assert caught.value.detail["meter"] == "tokens"
    assert model.asked == []
    assert run.ledger.fare.tokens == 0


async def test_a_reply_that_was_asked_to_be_short_may_be_short():
    model = Scripted(["a"])
    await Metered(run_with(tokens=60), model).complete(ASKED, sampling=Sampling(max_tokens=8))
    assert model.samplings[0].max_tokens == 8


@given(
    st.integers(0, 2000),
    st.lists(st.tuples(st.integers(0, 400), st.integers(1, 500)), max_size=8),
    st.sampled_from([Price(input=0.15, output=0.6), Price(input=3, output=0), Price(input=0, output=0)]),
)
def test_no_limit_is_passed_while_the_count_is_right(limit, calls, price):
    class Honest(Scripted):
        def count(self, messages, tools=()):
            return int(messages[0].content)

        async def complete(self, messages, tools=(), sampling=Sampling(), call=None):
            return Reply("x" * 3, usage=Usage(self.count(messages), sampling.max_tokens))

    async def spend(run):
        model = Metered(run, Honest([]), price)
        for prompt, wanted in calls:
            try:
                await model.complete([Message("user", str(prompt))], sampling=Sampling(max_tokens=wanted))
            except BudgetExceeded:
                return

    for limits in ({"tokens": limit}, {"usd": limit / 1e6}):
        run = run_with(**limits)
        asyncio.run(spend(run))
        assert run.ledger.fare.tokens <= limits.get("tokens", float("inf"))
        assert run.ledger.fare.usd <= limits.get("usd", float("inf")) + 1e-15


async def test_a_failed_call_is_charged_what_it_cost():
    run = run_with(usd=1)
    model = Scripted([ModelTimeout("late", cost={"tokens_in": 50}), RateLimited("busy")])
    metered = Metered(run, model, Price(input=2, output=2))
    with pytest.raises(ModelTimeout):
        await metered.complete(ASKED)
    assert (run.ledger.fare.tokens, run.ledger.fare.usd, run.ledger.fare.calls) == (50, 100 / 1e6, 1)
    with pytest.raises(RateLimited):
        await metered.complete(ASKED)
    assert (run.ledger.fare.tokens, run.ledger.fare.calls) == (50, 2)


async def test_the_runs_seconds_bound_the_call():
    model = Scripted(["a"])
    await Metered(run_with(seconds=5), model).complete(ASKED)
    assert model.samplings[0].seconds <= 5


async def test_a_call_cut_off_by_a_crash_is_not_paid_twice(tmp_path):
    path = tmp_path / "trace.jsonl"
    async with serve_endpoint(["first", "second"], faults=[Fault(lost=True)]) as server:
        model = Endpoint("m", base_url=server.url)
        trace = begun(path)
        task = asyncio.create_task(Metered(Run("r", trace), model).complete(ASKED))
        while not server.paid:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        trace.close()
        resumed = Run("r", Trace.resume(path))
        resumed.trace.emit("start", version=TRACE_VERSION)
        reply = await Metered(resumed, model).complete(ASKED)
        await model.close()
        resumed.trace.close()
    assert reply.text == "first"
    assert server.paid == 1
    assert len(set(server.keys)) == 1


async def test_closing_closes_the_model():
    class Closing(Scripted):
        closed = False

        async def close(self):
            self.closed = True

    model = Closing([])
    await Metered(run_with(), model).close()
    assert model.closed
