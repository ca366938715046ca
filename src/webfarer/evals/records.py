"""The folder of an evaluation run: what was planned, and what came of every attempt. Reports are made from it alone.

`plan.json` says what is run; `items.jsonl` holds the items; `runs/` and `scores/` hold two traces for each attempt, the
agent's and the marking's. There is no other state: an attempt is finished when its marking has ended, so a killed run
goes on where it stopped, and nothing is paid or counted twice. Not safe to be shared: :func:`locked` keeps others out.
"""

import fcntl
import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from webfarer.agents.system import Setting
from webfarer.core.errors import ConfigError, TraceError, boundary
from webfarer.core.fare import Budget, Fare
from webfarer.core.trace import Event, read_events
from webfarer.core.types import Answer
from webfarer.evals.task import Item

VERSION = 1


class Plan(BaseModel):
    """What a run of an evaluation is.

    Attributes:
        version: of the folder's format.
        task, split, subset: which questions; `source` names the file or the hub, for people.
        setting: what the system may use.
        agent, model: who answers; model "" for none.
        judge: who judges; "" for none.
        scorers: ids; the first decides what counts as right.
        budget: limits of one attempt.
        runs: attempts at each item.
        shard: which part of the items, (1, 1) for all.
        seed: of everything that draws lots; attempt k uses seed + k - 1.
        items: how many; `fingerprint` is a hash of them all.
        settings: what else a run depends on, without keys.
        webfarer, commit, machine, started: of the program, where and when it began.
    """

    model_config = ConfigDict(frozen=True)

    version: int = VERSION
    task: str
    split: str = ""
    subset: str = ""
    source: str = ""
    setting: Setting
    agent: str
    model: str = ""
    judge: str = ""
    scorers: tuple[str, ...]
    budget: Budget = Budget()
    runs: int = 1
    shard: tuple[int, int] = (1, 1)
    seed: int = 0
    items: int
    fingerprint: str
    settings: dict[str, Any] = {}
    webfarer: str = ""
    commit: str = ""
    machine: dict[str, str | int] = {}
    started: str = ""

    def same_run(self, other: "Plan") -> bool:
        """Say whether the other plan asks for the same attempts, wherever and whenever it is carried out."""
        return self.identity() == other.identity()

    def identity(self) -> str:
        """Return what says which attempts are made; the items' hash stands for where they come from."""
        return self.model_dump_json(exclude={"source", "webfarer", "commit", "machine", "started"})

    @property
    def digest(self) -> str:
        """Eight digits that stand for the identity, in names."""
        return hashlib.sha256(self.identity().encode()).hexdigest()[:8]


class Result(BaseModel):
    """What came of one attempt at one item.

    Attributes:
        item: its id; `number` says which attempt, from 1; `run` is the id of both traces.
        answer: None when the system failed; `error` then says why: class and message.
        lost: what a failed attempt cost; the folder tells, from its trace.
        opened: addresses of the pages it read, in order, as the item writes them.
        searches: queries it asked an engine.
        marks: values by metric, by scorer.
        detail: what scorers say to people, by scorer.
        unjudged: why a scorer has no marks, by scorer: its judge gave no answer, or none that can be understood.
            The next run of the same plan asks again.
        judging: the fare of the marking.
        flags: what may be wrong with it: "canary" (a page held the data set's own text), "blocked" (an address that
            holds the answers was asked for, and refused).
    """

    model_config = ConfigDict(frozen=True)

    item: str
    number: int
    run: str
    answer: Answer | None = None
    error: dict[str, Any] | None = None
    lost: Fare = Fare()
    opened: tuple[str, ...] = ()
    searches: int = 0
    marks: dict[str, dict[str, float]] = {}
    detail: dict[str, Any] = {}
    unjudged: dict[str, str] = {}
    judging: Fare = Fare()
    flags: tuple[str, ...] = ()

    @property
    def fare(self) -> Fare:
        """What the attempt and its marking cost."""
        made = self.answer.fare if self.answer else self.lost
        return Fare(**{meter: amount + getattr(self.judging, meter) for meter, amount in made.model_dump().items()})

    @property
    def paid(self) -> dict[str, float]:
        """What of that can be limited over many attempts, by meter."""
        return self.fare.model_dump(include={"tokens", "usd"})


class Folder:
    """A run's folder, read and begun; its attempts are made elsewhere."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def plan(self) -> Plan:
        """What is run.

        Raises:
            ConfigError: no run's folder, or one of another version.
        """
        path = self.path / "plan.json"
        try:
            plan = Plan.model_validate_json(path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.path} is no folder of an evaluation run: {error}") from error
        if plan.version != VERSION:
            raise ConfigError(
                f"{self.path} was written in version {plan.version} of the format, this program reads {VERSION}: "
                "report it with the program that wrote it, or run it again into a new folder"
            )
        return plan

    def items(self) -> list[Item]:
        """Return the items, in their order.

        Raises:
            ConfigError: they cannot be read, or are not those of the plan.
        """
        try:
            lines = (self.path / "items.jsonl").read_text(encoding="utf-8").split("\n")
            items = [Item.model_validate_json(line) for line in lines if line]
        except (OSError, ValueError) as error:
            raise ConfigError(f"{self.path}: its items cannot be read: {error}") from error
        if fingerprint(items) != self.plan.fingerprint:
            raise ConfigError(f"{self.path}: items.jsonl does not hold the items of the plan; run it again elsewhere")
        return items

    def begin(self, plan: Plan, items: list[Item]) -> None:
        """Write plan and items, or see that those there are the same; a plan without any attempt gives way.

        Raises:
            ConfigError: the folder holds another run.
        """
        planned = (self.path / "plan.json").exists()
        if planned and self.plan.same_run(plan):
            self.items()
            return
        if self.begun:
            if planned:
                raise ConfigError(f"{self.path} holds another run; give a new folder with --out, or the same options")
            raise ConfigError(f"{self.path} holds attempts of a run whose plan is gone; give a new folder with --out")
        for part in ("runs", "scores"):
            (self.path / part).mkdir(parents=True, exist_ok=True)
        lines = (item.model_dump_json(exclude_defaults=True) + "\n" for item in items)
        put(self.path / "items.jsonl", "".join(lines).encode())
        put(self.path / "plan.json", f"{plan.model_dump_json(indent=1)}\n".encode())

    @property
    def begun(self) -> bool:
        """Whether any attempt was begun."""
        return any(any((self.path / part).glob("*")) for part in ("runs", "scores"))

    def trace(self, run: str) -> Path:
        """Return where the agent's trace of an attempt lies."""
        return self.path / "runs" / f"{run}.jsonl"

    def marking(self, run: str) -> Path:
        """Return where the trace of an attempt's marking lies."""
        return self.path / "scores" / f"{run}.jsonl"

    def finished(self, run: str) -> bool:
        """Say whether an attempt has been marked by every scorer."""
        result = self.result(run)
        return result is not None and not result.unjudged

    def results(self) -> Iterator[Result]:
        """Yield what came of every finished attempt, item by item."""
        plan = self.plan
        for item in self.items():
            for number in range(1, plan.runs + 1):
                result = self.result(attempt_id(item.id, number))
                if result is not None:
                    yield result

    def result(self, run: str) -> Result | None:
        """Return what came of an attempt; None while it is not finished."""
        try:
            end = _ended(self.marking(run))
            result = Result.model_validate(end.data["result"]) if end else None
        except (TraceError, KeyError, ValidationError):
            return None  # damaged: it is marked again
        if result and result.answer is None:
            return result.model_copy(update={"lost": _cost(self.trace(run))})
        return result


def attempt_id(item: str, number: int) -> str:
    """Return the id of an attempt's traces: readable, safe as a file's name, and unlike that of any other item."""
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "-" for sign in item)[:60]
    return f"{plain}-{hashlib.sha256(item.encode()).hexdigest()[:8]}.{number}"


def identity(item: Item) -> str:
    """Return what makes an item what it is: everything but where on this machine its pages lie (`data["place"]`)."""
    return item.model_dump_json(exclude={"data": {"place"}})


def fingerprint(items: list[Item]) -> str:
    """Return a hash of the items and their order."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(identity(item).encode())
    return digest.hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes out of a run's folder.

    Raises:
        ConfigError: another process is at work in it, or it cannot be written.
    """
    with boundary(ConfigError, f"{path} cannot be used for a run"):
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"{path}: another process is at work in it") from error
        yield


def _ended(path: Path) -> Event | None:
    """Return the last event of a trace when it is an end."""
    if not path.exists():
        return None
    events = read_events(path)
    return events[-1] if events and events[-1].type == "end" else None


def _cost(path: Path) -> Fare:
    """Return what the calls of a trace cost; nothing where it cannot be read."""
    try:
        events = read_events(path)
    except TraceError:
        return Fare()
    spent: Counter[str] = Counter()
    for event in events:
        if event.type == "result":
            spent.update(event.data["cost"])
    return Fare.model_validate({**spent, "seconds": events[-1].t if events else 0.0})


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with whole(path) as file:
        file.write(content)


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is there only when all has been written."""
    half = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with half.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
