"""Walks killed with SIGKILL at random moments and resumed: the same answer, and nothing that was recorded paid twice.

What may happen twice is the one call in flight when the process died. For a model call the idempotency key makes that
free; a fetch whose page had not been kept is repeated, and the test counts how often.
"""

import asyncio
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from walk_kit import Reader, kinds, log, settings, told

from webfarer.core.errors import TraceError
from webfarer.core.trace import Event
from webfarer.core.types import Answer
from webfarer.worlds.endpoint import Stub, serve_endpoint
from webfarer.worlds.server import Site, serve
from webfarer.worlds.world import Question, World, WorldSpec, generate

RUN = "killed"
LATENCY = 0.015


@dataclass
class Tally:
    """What the kills of one suite came to."""

    kills: int = 0
    trials: int = 0
    fetches_in_flight: int = 0
    fetches_repeated: int = 0
    models_in_flight: int = 0
    models_repeated: int = 0


@dataclass
class Trial:
    """One run, killed until it ends; what was in flight each time it died."""

    job: dict[str, Any]
    dangling: list[Event] = field(default_factory=list)
    robots: int = 1

    @property
    def events(self) -> list[Event]:
        """The log as it stands; empty before the first event."""
        try:
            return log(settings(Path(self.job["home"])), RUN)
        except TraceError:
            return []

    @property
    def told(self) -> dict[str, Any]:
        """What the answer says, without the bytes: those of a call that was in flight are not charged."""
        said = told(Answer.model_validate(self.events[-1].data["answer"]))
        del said["fare"]["bytes"]
        return said

    def note_kill(self) -> None:
        events = self.events
        ended = {event.data["call"] for event in events if event.type == "result"}
        self.dangling += [event for event in events if event.type == "call" and event.seq not in ended]
        self.robots += len(kinds(events, "result")) == 0

    def in_flight(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for event in self.dangling if event.data["kind"] == kind]


class Forks:
    """The process that forks one walk at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    async def run(self, job: dict[str, Any], kill_after: float | None = None) -> bool:
        """Do the job and say whether it was killed."""
        self._stdin.write(json.dumps({**job, "kill_after": kill_after}).encode() + b"\n")
        await self._stdin.drain()
        ended = int(await self._stdout.readline())
        assert ended in (0, -signal.SIGKILL)
        return ended != 0


@asynccontextmanager
async def forking(*modules: str) -> AsyncIterator[Forks]:
    program = str(Path(__file__).parent / "walk_process.py")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, program, *modules, stdin=pipe, stdout=pipe)
    try:
        await process.stdout.readline()  # type: ignore[union-attr]
        yield Forks(process)
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        await process.wait()


def slow_world() -> tuple[World, Question]:
    """Return a small world whose pages take 10 ms each, and its question with the longest way."""
    world = generate(WorldSpec("conference", 1, size=20, depth=2))
    slow = {path: replace(page, delay=0.01) for path, page in world.pages.items()}
    return replace(world, pages=slow), max(world.questions, key=lambda question: sum(question.depths))


class Suite:
    """Kills runs of one policy."""

    def __init__(self, folder: Path, forks: Forks, site: Site, question: Question, chat: bool) -> None:
        self.tally = Tally()
        self._folder, self._forks, self._site, self._question, self._chat = folder, forks, site, question, chat
        self._random = random.Random(7)

    async def kill(self, times: int) -> None:
        """Kill runs until `times` are dead, finish each, and check it against one that was left alone."""
        began = time.monotonic()
        untouched, alone = await self._trial(0)
        self._start = time.monotonic() - began - untouched.events[-1].t
        wanted, paid = untouched.told, self._paid_once(untouched, alone)
        self._events, self._seconds = len(untouched.events), untouched.events[-1].t
        while self.tally.kills < times:
            trial, stub = await self._trial(times - self.tally.kills)
            assert trial.told == wanted
            assert self._paid_once(trial, stub) == paid

    async def _trial(self, kills: int) -> tuple[Trial, Stub | None]:
        """Run until it ends; kill it on the way, at most `kills` times, at moments spread over what is left of it."""
        self.tally.trials += 1
        home = self._folder / str(self.tally.trials)
        self._site.requests.clear()
        endpoint = serve_endpoint(Reader(self._question.answers[0]).reply, latency=LATENCY)
        async with endpoint if self._chat else nullcontext() as stub:
            changes = {"model": "endpoint:stub", "base_url": stub.url} if stub else {}
            job = {
                "home": str(home),
                "run": RUN,
                "url": self._site.url,
                "question": self._question.text,
                "settings": {"budget": {"steps": 12}, **changes},
            }
            trial = Trial(job)
            while kills:
                left = self._seconds * (1 - len(trial.events) / self._events)
                if not await self._forks.run(job, self._random.uniform(0, self._start + left)):
                    break
                trial.note_kill()
                self.tally.kills += 1
                kills = (kills - 1) * (self._random.random() < 0.75)
            else:
                await self._forks.run(job)
        return trial, stub

    def _paid_once(self, trial: Trial, stub: Stub | None) -> tuple[Counter[str], int]:
        """Check what the servers saw against what was in flight; return what was paid for, in flight left out."""
        origin = self._site.url.rstrip("/")
        in_flight = Counter(data["request"]["url"].removeprefix(origin) for data in trial.in_flight("fetch"))
        in_flight["/robots.txt"] = trial.robots - 1
        asked = Counter(self._site.requests)
        repeated = asked - Counter(dict.fromkeys(asked, 1))
        assert repeated <= in_flight  # a redirect's target would be asked twice too: this world's ways hold none
        self.tally.fetches_in_flight += len(trial.in_flight("fetch"))
        self.tally.fetches_repeated += repeated.total()
        if stub is None:
            return Counter(dict.fromkeys(asked, 1)), 0
        keys = Counter(stub.keys)
        again = keys - Counter(dict.fromkeys(keys, 1))
        dangling = Counter(data["key"] for data in trial.in_flight("model"))
        assert Counter(key.split("-")[1] for key in again.elements()) <= dangling
        self.tally.models_in_flight += dangling.total()
        self.tally.models_repeated += again.total()
        assert stub.paid == len(keys)
        return Counter(dict.fromkeys(asked, 1)), stub.paid


async def suite(folder: Path, chat: bool, kills: int) -> Tally:
    world, question = slow_world()
    modules = ["webfarer.agents.policies.chat", "openai"] if chat else ["webfarer.agents.policies.lexical"]
    async with serve(world) as site, forking(*modules) as forks:
        killing = Suite(folder, forks, site, question, chat)
        await killing.kill(kills)
    return killing.tally


@pytest.mark.slow
async def test_a_walk_killed_three_times_ends_the_same(tmp_path: Path) -> None:
    tally = await suite(tmp_path, chat=False, kills=3)
    assert tally.kills == 3


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("chat", [False, True], ids=["lexical", "chat"])
async def test_fifty_kills(tmp_path: Path, chat: bool, capsys: pytest.CaptureFixture[str]) -> None:
    tally = await suite(tmp_path, chat, kills=50)
    with capsys.disabled():
        print(f"\n{'chat' if chat else 'lexical'}: {tally}")  # noqa: T201
    assert tally.kills == 50
    assert tally.models_repeated == 0 or chat
