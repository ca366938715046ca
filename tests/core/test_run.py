"""Runs: resume is replay. Whenever the process died, the run ends the same and no recorded effect happens twice."""

import asyncio
import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import BudgetExceeded, HttpStatus, ReplayMismatch, WebfarerError
from webfarer.core.fare import Budget
from webfarer.core.run import Outcome, Run
from webfarer.core.trace import TRACE_VERSION, Trace, read_events


class World:
    """Effects with a counter each; some fail, each takes a chosen number of turns of the event loop."""

    def __init__(self, naps=(0,)):
        self.performed = Counter()
        self.naps = itertools.cycle(naps)

    def effect(self, name):
        async def perform(call):
            self.performed[name] += 1
            for _ in range(next(self.naps)):
                await asyncio.sleep(0)
            if name.endswith("!"):
                raise HttpStatus(f"{name} answered 404", cost={"pages": 1, "bytes": 7}, status=404)
            return Outcome({"name": name, "pair": (1, 2)}, {"pages": 1, "bytes": 10})

        return perform


async def fetch(run, world, name):
    try:
        return await run.call("fetch", {"url": name}, world.effect(name), needs={"pages": 1})
    except WebfarerError as error:
        return error.to_dict()


async def agent(trace, world, groups, budget=None):
    """Fetch each group side by side, note what came back, end; return all that a caller could see."""
    run = Run("r", trace, budget)
    trace.emit("start", version=TRACE_VERSION)
    seen = []
    for group in groups:
        found = await asyncio.gather(*(fetch(run, world, name) for name in group))
        seen.append(trace.emit("step", found=found, exhausted=run.ledger.exhausted()).data)
    trace.emit("end", fare=run.ledger.fare.model_dump())
    return seen, run.ledger.fare


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("run") / "run.jsonl"


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(Trace, "patience", 0.05)


def fresh(path):
    path.unlink(missing_ok=True)
    return Trace.create(path)


GROUPS = st.lists(st.lists(st.sampled_from(["a", "b", "c!", "d"]), min_size=1, max_size=4), min_size=1, max_size=3)
NAPS = st.lists(st.integers(0, 5), min_size=1, max_size=5)


@given(GROUPS, NAPS, NAPS, st.sampled_from([None, Budget(pages=2)]))
async def test_a_replay_sees_the_same_performs_nothing_and_has_the_same_bytes(path, groups, naps, others, budget):
    trace = fresh(path)
    recorded = await agent(trace, World(naps), groups, budget)
    trace.close()
    raw = path.read_bytes()
    world = World(others)
    replay = Trace.replay(path)
    assert await agent(replay, world, groups, budget) == recorded
    assert not world.performed
    assert "".join(event.line() + "\n" for event in replay.events).encode() == raw
    resumed = Trace.resume(path)
    assert await agent(resumed, world, groups, budget) == recorded
    resumed.close()
    assert not world.performed
    assert path.read_bytes() == raw


@given(GROUPS, NAPS, NAPS, st.sampled_from([None, Budget(pages=2)]), st.floats(0, 1))
async def test_a_run_killed_at_any_byte_ends_the_same(path, groups, naps, others, budget, killed):
    trace = fresh(path)
    seen, fare = await agent(trace, World(naps), groups, budget)
    trace.close()
    raw = path.read_bytes()
    path.write_bytes(raw[: round(killed * len(raw))])
    kept = read_events(path)
    known = {event.data["call"] for event in kept if event.type == "result"}
    called = Counter(event.data["request"]["url"] for event in kept if event.type == "call" and event.seq in known)
    world = World(others)
    trace = Trace.resume(path)
    again, fare_again = await agent(trace, world, groups, budget)
    trace.close()
    assert read_events(path)[: len(kept)] == kept
    wanted = Counter(itertools.chain(*groups))
    assert all(world.performed[name] <= wanted[name] - called[name] for name in wanted)
    if budget is None:  # with one, which of the calls side by side is refused depends on the order they finish in
        assert again == seen
        assert fare_again.model_dump(exclude={"seconds"}) == fare.model_dump(exclude={"seconds"})
        assert world.performed == wanted - called
    assert fare_again.pages <= (budget.pages if budget else len(list(itertools.chain(*groups))))


@pytest.mark.slow
async def test_every_prefix_of_a_log_resumes_to_the_same_end(path):
    groups = [["a", "b", "a"], ["c!", "d"], ["a"]]
    trace = fresh(path)
    seen, _ = await agent(trace, World([3, 0, 1]), groups)
    trace.close()
    raw = path.read_bytes()
    for cut in range(len(raw) + 1):
        path.write_bytes(raw[:cut])
        trace = Trace.resume(path)
        assert (await agent(trace, World([0, 2]), groups))[0] == seen
        trace.close()


async def test_calls_side_by_side_replay_in_recorded_order(path):
    names = ["a", "b", "d"]
    for naps in itertools.permutations([2, 5, 8]):
        trace = fresh(path)
        await agent(trace, World(naps), [names])
        trace.close()
        order = [event.data["call"] for event in trace.events if event.type == "result"]
        assert order == [1 + index for index in sorted(range(3), key=lambda index: naps[index])]
        replay = Trace.replay(path)
        await agent(replay, World(), [names])
        assert replay.events == trace.events


async def test_a_failed_effect_fails_identically_and_costs_the_same(path):
    async def once(trace):
        run = Run("r", trace)
        trace.emit("start", version=TRACE_VERSION)
        with pytest.raises(HttpStatus) as caught:
            await run.call("fetch", {"url": "c!"}, World().effect("c!"))
        return caught.value.to_dict(), run.ledger.fare

    live = await once(fresh(path))
    replayed = await once(Trace.replay(path))
    assert live == replayed
    assert live[0] == {"error": "HttpStatus", "message": "c! answered 404", "detail": {"status": 404}}
    assert (live[1].pages, live[1].bytes) == (1, 7)


async def test_an_error_outside_the_tree_is_not_recorded_as_a_result(path):
    async def perform(call):
        raise TimeoutError("a bug of the plugin, not our deadline")

    run = Run("r", fresh(path), Budget(seconds=60))
    run.trace.emit("start", version=TRACE_VERSION)
    with pytest.raises(TimeoutError, match="bug"):
        await run.call("fetch", {}, perform)
    assert [event.type for event in run.trace.events] == ["start", "call"]


async def test_a_call_without_room_is_recorded_and_not_performed():
    world, run = World(), Run("r", Trace.create(), Budget(pages=1))
    await run.call("fetch", {"url": "a"}, world.effect("a"), needs={"pages": 1})
    with pytest.raises(BudgetExceeded):
        await run.call("fetch", {"url": "b"}, world.effect("b"), needs={"pages": 1})
    assert world.performed == {"a": 1}
    assert [event.type for event in run.trace.events] == ["call", "result", "call", "result"]


async def test_a_call_that_outlasts_the_budget_is_cut_off_and_replays_as_cut_off(path):
    async def forever(call):
        assert 0 < call.seconds <= 0.05
        await asyncio.Event().wait()

    async def once(trace):
        run = Run("r", trace, Budget(seconds=0.05))
        trace.emit("start", version=TRACE_VERSION)
        with pytest.raises(BudgetExceeded, match="time ran out") as caught:
            await run.call("model", {}, forever)
        return caught.value.detail, run.ledger.exhausted(), run.ledger.fare

    live = await once(fresh(path))
    assert live[:2] == ({"meter": "seconds", "room": 0.0}, "seconds")
    assert await once(Trace.replay(path)) == live


async def test_the_identity_of_a_call_is_kept_by_resuming_and_differs_between_repetitions(path):
    ids = []

    async def once(trace):
        async def perform(call):
            ids.append(call.id)
            return Outcome(None)

        run = Run("r", trace)
        trace.emit("start", version=TRACE_VERSION)
        for _ in range(2):
            await run.call("model", {"x": 1}, perform)
        trace.close()

    await once(fresh(path))
    path.write_bytes(path.read_bytes()[:-2])  # killed while the second result was written
    await once(Trace.resume(path))
    assert ids[0] != ids[1] == ids[2]


async def test_a_cancelled_run_leaves_a_log_that_resumes(path):
    world, reached = World(), asyncio.Event()

    async def hang(call):
        reached.set()
        await asyncio.Event().wait()

    async def walk(trace, last):
        run = Run("r", trace)
        trace.emit("start", version=TRACE_VERSION)
        first = await fetch(run, world, "a")
        return first, await run.call("fetch", {"url": "b"}, last)

    trace = fresh(path)
    task = asyncio.create_task(walk(trace, hang))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    trace.close()
    assert [event.type for event in read_events(path)] == ["start", "call", "result", "call"]
    _, last = await walk(Trace.resume(path), world.effect("b"))
    assert last["name"] == "b"
    assert world.performed == {"a": 1, "b": 1}


async def test_a_call_cancelled_in_the_recording_is_not_performed_again(path):
    """Of two calls side by side the first to end cancels the other; the run goes on."""

    async def walk(trace, world):
        run = Run("r", trace)
        trace.emit("start", version=TRACE_VERSION)
        both = [asyncio.create_task(fetch(run, world, name)) for name in ("a", "b")]
        done, pending = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.wait(both)
        trace.emit("step", found=[task.result() for task in done])
        return await fetch(run, world, "d")

    trace = fresh(path)
    await walk(trace, World([9, 0, 0]))
    trace.close()
    for again in (Trace.replay(path), Trace.resume(path)):
        world = World()
        assert (await walk(again, world))["name"] == "d"
        assert not world.performed
        assert again.events == trace.events
        again.close()


async def test_leaving_the_recording_is_loud(path, impatient):
    trace = fresh(path)
    await agent(trace, World(), [["a"], ["b"]])
    trace.close()
    for way, groups in itertools.product(
        (Trace.replay, Trace.resume), ([["x"]], [["b"], ["a"]], [["a"]], [["a", "b"]])
    ):
        world, again = World(), way(path)
        with pytest.raises(ReplayMismatch):
            await agent(again, world, groups)
        assert not world.performed
        again.close()
        assert read_events(path) == trace.events


async def test_a_replay_of_an_unfinished_log_performs_nothing(path, impatient):
    trace = fresh(path)
    await agent(trace, World(), [["a"]])
    trace.close()
    lines = path.read_bytes().splitlines(keepends=True)
    for keep in range(1, len(lines)):
        path.write_bytes(b"".join(lines[:keep]))
        world = World()
        with pytest.raises(ReplayMismatch):
            await agent(Trace.replay(path), world, [["a"]])
        assert not world.performed
