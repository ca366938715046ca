"""The log: what is written comes back, whatever moment the writer died at, and nothing else passes for it."""

import asyncio
import json
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webfarer.core import trace as trace_module
from webfarer.core.errors import ReplayMismatch, TraceError, TraceLocked, TraceVersion
from webfarer.core.trace import TRACE_VERSION, Trace, canonical, read_events

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BODIES = st.lists(st.dictionaries(st.sampled_from(["a", "b", "text"]), JSON, max_size=3), max_size=5)


def write(path, bodies):
    path.unlink(missing_ok=True)
    trace = Trace.create(path)
    trace.emit("start", version=TRACE_VERSION)
    for body in bodies:
        trace.emit("step", **body)
    trace.close()
    return trace


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("trace") / "run.jsonl"


@given(BODIES)
@example([{"text": "half an emoji \ud83d, two lines\r\n\u2028 and 汉字"}])
def test_what_is_written_comes_back_and_replays_to_the_same_bytes(path, bodies):
    written = write(path, bodies)
    events = read_events(path)
    assert events == written.events
    assert [event.data for event in events[1:]] == bodies
    assert "".join(event.line() + "\n" for event in events).encode() == path.read_bytes()
    replay = Trace.replay(path)
    heard = []
    replay.subscribe(heard.append)
    replay.emit("start", version=TRACE_VERSION)
    for body in bodies:
        assert replay.replaying
        replay.emit("step", **body)
    assert replay.events == heard == events
    assert not replay.replaying
    assert replay.time == events[-1].t


def test_a_live_run_gets_what_a_resumed_one_will_get(path):
    path.unlink(missing_ok=True)
    for trace in (Trace.create(), Trace.create(path)):
        assert trace.emit("start", version=1, pair=(1, 2), table={3: "x"}).data == {
            "version": 1,
            "pair": [1, 2],
            "table": {"3": "x"},
        }


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4), st.randoms())
def test_equal_values_have_equal_text(value, random):
    items = list(value.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(value)
    assert json.loads(canonical(value)) == value


def test_numbers_that_json_lacks_are_refused():
    with pytest.raises(ValueError, match="Out of range"):
        Trace.create().emit("step", x=float("nan"))


def test_a_log_cut_at_any_byte_gives_its_whole_events_and_goes_on(path):
    written = write(path, [{"text": "汉字"}, {"a": [1, {"b": "\n"}]}])
    raw = path.read_bytes()
    for cut in range(len(raw) + 1):
        path.write_bytes(raw[:cut])
        whole = raw[:cut].count(b"\n")
        assert read_events(path) == written.events[:whole]
        trace = Trace.resume(path)
        for event in written.events[:whole]:
            trace.emit(event.type, **event.data)
        if whole == 0:
            trace.emit("start", version=TRACE_VERSION)
        trace.emit("more")
        trace.close()
        assert [event.type for event in read_events(path)][-1] == "more"
        assert [event.seq for event in read_events(path)] == list(range(max(1, whole) + 1))


def test_time_goes_on_where_the_log_ended(path):
    path.write_text('{"data":{"version":1},"seq":0,"t":1000.5,"type":"start"}\n')
    trace = Trace.resume(path)
    trace.emit("start", version=1)
    assert trace.time == 1000.5
    assert 1000.5 <= trace.emit("step").t < 2000
    trace.close()


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"seq":1}', b'{"seq":1,"t":0,"type":"x","data":3}']
)
def test_a_damaged_line_in_the_middle_is_an_error(path, damage):
    write(path, [{}, {}])
    lines = path.read_bytes().split(b"\n")
    lines[1] = damage
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(TraceError, match="line 2 is damaged"):
        read_events(path)


def test_a_missing_line_is_an_error(path):
    write(path, [{}, {}])
    first, _, third, _ = path.read_bytes().split(b"\n")
    path.write_bytes(first + b"\n" + third + b"\n")
    with pytest.raises(TraceError, match="line 2 holds event 2"):
        read_events(path)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused_untouched_and_unlocked(path, version):
    raw = canonical({"seq": 0, "t": 0, "type": "start", "data": {"version": version}}) + '\n{"torn'
    path.write_text(raw)
    for way in (Trace.resume, Trace.replay, Trace.resume):  # twice: a refused log must not stay locked
        with pytest.raises(TraceVersion, match="this program reads 1"):
            way(path)
    assert path.read_text() == raw


def test_a_run_is_recorded_once(path):
    write(path, [])
    with pytest.raises(TraceError, match="already recorded"):
        Trace.create(path)


@pytest.mark.parametrize("way", [Trace.resume, Trace.replay])
def test_no_log_is_an_error(tmp_path, way):
    with pytest.raises(TraceError, match=r"No such file"):
        way(tmp_path / "none.jsonl")


def test_one_process_writes_a_log_at_a_time(path):
    write(path, [])
    script = f"""
import sys
from pathlib import Path
from webfarer.core.trace import Trace
trace = Trace.resume(Path({str(path)!r}))
print("locked", flush=True)
sys.stdin.read()
"""
    other = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "locked\n"
    with pytest.raises(TraceLocked):
        Trace.resume(path)
    assert len(read_events(path)) == 1  # reading needs no lock
    other.communicate()
    Trace.resume(path).close()


def test_a_log_that_cannot_be_written_stops_the_run_and_stays_whole(path, monkeypatch):
    write(path, [])
    trace = Trace.resume(path)
    trace.emit("start", version=TRACE_VERSION)
    write_bytes = trace_module.os.write
    monkeypatch.setattr(trace_module.os, "write", lambda fd, raw: write_bytes(fd, raw[:5]))  # the disk is full
    with pytest.raises(TraceError, match="no space"):
        trace.emit("step")
    monkeypatch.undo()
    with pytest.raises(TraceError, match="cannot be written"):
        trace.emit("step")
    assert [event.type for event in read_events(path)] == ["start"]


def test_another_event_than_recorded_is_a_mismatch(path):
    write(path, [{"a": 1}])
    for way in (Trace.replay, Trace.resume):
        for wrong in (("step", {"a": 2}), ("other", {"a": 1}), ("step", {"a": 1, "b": None})):
            trace = way(path)
            trace.emit("start", version=TRACE_VERSION)
            with pytest.raises(ReplayMismatch, match="event 1") as caught:
                trace.emit(wrong[0], **wrong[1])
            assert caught.value.detail["recorded"] == '{"a":1}'
            trace.close()


def test_a_replay_ends_where_its_recording_ends(path):
    write(path, [])
    trace = Trace.replay(path)
    assert trace.sealed
    trace.emit("start", version=TRACE_VERSION)
    with pytest.raises(ReplayMismatch, match="ends before event 1"):
        trace.emit("step")


async def test_waiting_for_an_event_that_never_comes_is_a_mismatch(path, monkeypatch):
    monkeypatch.setattr(Trace, "patience", 0.01)
    write(path, [{}, {}])
    trace = Trace.replay(path)
    trace.emit("start", version=TRACE_VERSION)
    with pytest.raises(ReplayMismatch, match="never came to event 1"):
        await trace.turn(2)


async def test_turn_waits_for_its_event_and_no_longer(path):
    write(path, [{}, {}])
    trace = Trace.replay(path)
    seen = []

    async def wait(seq):
        await trace.turn(seq)
        seen.append((seq, len(trace.events)))

    waiting = [asyncio.create_task(wait(seq)) for seq in (2, 1, None, 0)]
    for type_, body in (("start", {"version": TRACE_VERSION}), ("step", {}), ("step", {})):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        trace.emit(type_, **body)
    await asyncio.gather(*waiting)
    assert seen == [(0, 0), (1, 1), (2, 2), (None, 3)]
