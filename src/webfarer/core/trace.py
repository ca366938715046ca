"""The trace: a run as an append-only event log.

One JSON object a line, written with a single unbuffered write, so a process killed at any moment leaves whole lines and
at most one torn one, which is dropped on reading. The same class records a live run, continues a killed one and
replays a finished one: with a recording, :meth:`Trace.emit` compares instead of writing until the recording ends.

Event lines hold `seq`, `t` (seconds since the run began), `type` and `data`. Types every run has: `start` (first;
`data["version"]`), `call` and `result` around each side effect, `end` (last). Agents add their own.

Not a logger: what is written here decides what a resumed run does.
"""

import asyncio
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from webfarer.core.errors import ReplayMismatch, TraceError, TraceLocked, TraceVersion

TRACE_VERSION = 1


class Event(NamedTuple):
    """One line of the log."""

    seq: int
    t: float
    type: str
    data: dict[str, Any]

    def line(self) -> str:
        """Return the canonical JSON line, without line end; equal events give equal bytes."""
        return canonical({"seq": self.seq, "t": self.t, "type": self.type, "data": self.data})


def canonical(value: Any) -> str:
    """Serialise to JSON such that equal values give equal text (sorted keys, no spaces, UTF-8 kept)."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # a lone surrogate (half an emoji at the end of a cut reply) has no UTF-8; written as \udXXX it is still JSON
    return text.encode("utf-8", "backslashreplace").decode()


def read_events(path: Path) -> list[Event]:
    """Read a log; a torn last line is dropped.

    Raises:
        TraceVersion: the log was written by another version of the format.
        TraceError: no such log, or a damaged line before the last.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TraceError(f"cannot read the run's log {path}: {error.strerror}", path=str(path)) from error
    return list(_parse(raw[: raw.rfind(b"\n") + 1], path))


def _parse(raw: bytes, path: Path) -> Iterator[Event]:
    for number, line in enumerate(raw.splitlines()):
        try:
            record = json.loads(line)
            event = Event(record["seq"], record["t"], record["type"], record["data"])
            found = event.data.get("version")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TraceError(f"{path}: line {number + 1} is damaged", path=str(path)) from error
        if event.seq != number:
            raise TraceError(f"{path}: line {number + 1} holds event {event.seq}", path=str(path))
        if number == 0 and found != TRACE_VERSION:
            raise TraceVersion(f"{path}: format version {found}; this program reads {TRACE_VERSION}", path=str(path))
        yield event


class Trace:
    """The log of one run; made by :meth:`create`, :meth:`resume` or :meth:`replay`.

    Attributes:
        events: the events passed so far, recorded ones too.
        patience: seconds without any event after which a run that follows a recording counts as having left it.
    """

    patience: float = 30.0

    def __init__(self, fd: int | None, recorded: list[Event], *, live: bool) -> None:
        self._fd = fd
        self._recorded = recorded
        self._live = live
        self._next = 0
        self._moved = asyncio.Event()
        self._listeners: list[Callable[[Event], None]] = []
        self._results = {e.data["call"]: e for e in recorded if e.type == "result"}
        self._calls: dict[str, list[Event]] = {}
        for event in recorded:
            if event.type == "call":
                self._calls.setdefault(event.data["key"], []).append(event)
        self._last_t = 0.0
        self._zero = time.monotonic() - (recorded[-1].t if recorded else 0.0)
        self.events: list[Event] = []

    @classmethod
    def create(cls, path: Path | None = None) -> "Trace":
        """Begin a new log at `path` (in memory only when None).

        Raises:
            TraceError: the file exists already.
        """
        if path is None:
            return cls(None, [], live=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise TraceError(f"a run is already recorded at {path}", path=str(path)) from error
        _lock(fd, path)
        return cls(fd, [], live=True)

    @classmethod
    def resume(cls, path: Path) -> "Trace":
        """Continue the log at `path`: what it holds is replayed, then the run goes on live."""
        try:
            fd = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise TraceError(f"cannot open the run's log {path}: {error.strerror}", path=str(path)) from error
        _lock(fd, path)
        try:
            recorded = read_events(path)
            os.ftruncate(fd, path.read_bytes().rfind(b"\n") + 1)  # a torn last line is no event
        except (TraceError, OSError):
            os.close(fd)  # the lock goes with it
            raise
        return cls(fd, recorded, live=True)

    @classmethod
    def replay(cls, path: Path) -> "Trace":
        """Follow the log at `path` without side effects; whatever is not in it raises ReplayMismatch."""
        return cls(None, read_events(path), live=False)

    @property
    def replaying(self) -> bool:
        """True while recorded events are still being followed."""
        return self._next < len(self._recorded)

    @property
    def upcoming(self) -> str:
        """Type of the next recorded event, or "" when the recording has been followed to its end."""
        return self._recorded[self._next].type if self.replaying else ""

    @property
    def sealed(self) -> bool:
        """True for a replay: nothing may be performed or written."""
        return not self._live

    @property
    def time(self) -> float:
        """Time of the last event. Decisions use this, never the wall clock, so that a replay decides alike."""
        return self._last_t

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event, recorded ones too, as the run passes them."""
        self._listeners.append(listener)

    def emit(self, type: str, **data: Any) -> Event:
        """Append an event, or match it against the recording; return it as the log holds it.

        Raises:
            ReplayMismatch: the recording holds something else here, or (replay) nothing more.
            TraceError: the log cannot be written.
        """
        if self.replaying:
            event = self._recorded[self._next]
            if event.type != type or canonical(event.data) != canonical(data):
                raise ReplayMismatch(
                    f"the run left its recording at event {self._next}: recorded {event.type}, now {type}",
                    seq=self._next,
                    recorded=canonical(event.data)[:500],
                    now=canonical(data)[:500],
                )
        elif not self._live:
            raise ReplayMismatch(f"the recording ends before event {self._next} ({type})", seq=self._next)
        else:
            event = self._append(Event(self._next, round(time.monotonic() - self._zero, 6), type, data))
        self._next += 1
        self._last_t = event.t
        self.events.append(event)
        self._moved.set()
        self._moved = asyncio.Event()
        for listener in self._listeners:
            listener(event)
        return event

    def _append(self, event: Event) -> Event:
        line = event.line()
        if self._fd is not None:
            raw = (line + "\n").encode()
            try:
                written = os.write(self._fd, raw)
            except OSError as error:
                raise TraceError(f"the run's log cannot be written: {error.strerror}") from error
            if written < len(raw):
                self.close()  # what came after the torn line would damage the log
                raise TraceError("the run's log cannot be written: no space left")
        return Event(**json.loads(line))  # a live run must get what a resumed one will get: lists, not tuples

    async def turn(self, seq: int | None = None) -> None:
        """Wait until `seq` is the next event (None: until the recording has been followed to its end).

        Raises:
            ReplayMismatch: nothing happened for `patience` seconds; nobody is going to make the next recorded event.
        """
        while self._next < (len(self._recorded) if seq is None else seq):
            stuck = self._next
            try:
                async with asyncio.timeout(self.patience):
                    await self._moved.wait()
            except TimeoutError as error:
                if self._next == stuck:
                    what = f"the run never came to event {stuck} of its recording ({self._recorded[stuck].type})"
                    raise ReplayMismatch(what, seq=stuck) from error

    def recorded_call(self, key: str, count: int) -> Event | None:
        """Return the recorded `call` event with `key` that is number `count` (from 0) of its key, if there is one."""
        same = self._calls.get(key, [])
        return same[count] if count < len(same) else None

    def recorded_result(self, call: int) -> Event | None:
        """Return the recorded `result` event of the call with sequence number `call`, if there is one."""
        return self._results.get(call)

    def close(self) -> None:
        """Release the file; further events raise TraceError."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = -1


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise TraceLocked(f"another process is writing {path}", path=str(path)) from error
