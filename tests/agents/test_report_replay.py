"""Reports: replayed byte for byte, resumed from any event, no limit passed by more than the call in flight."""

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from report_kit import PLAN, QUESTION, TABLE, Clerk, Place, Somebody, place
from walk_kit import kinds, log

from webfarer.agents.reporter import Reporting
from webfarer.agents.reports import Report
from webfarer.agents.runs import Options, list_runs, replay, report, resume
from webfarer.core.errors import ReplayMismatch
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Event, Trace
from webfarer.core.types import StopReason
from webfarer.worlds.endpoint import serve_endpoint

BOTH = pytest.mark.parametrize(
    "clerk", [Clerk(plan={**PLAN, "sections": [*PLAN["sections"], *TABLE["sections"]]}), None]
)
APPROVED = Reporting(approve=True)


async def made(there: Place, url: str = "", **more: Any) -> Report:
    """Return the report of run "r", by the model at `url` if there is one, approved by somebody."""
    options = options_of(there, url)
    return await report(QUESTION, reporting=APPROVED, options=options, **more)


def options_of(there: Place, url: str) -> Options:
    changes = {"model": "endpoint:stub", "base_url": url} if url else {}
    return Options(settings=there.settings.model_copy(update=changes), run_id="r", person=Somebody(["ok"]))


@BOTH
async def test_a_replay_is_byte_identical_and_asks_nobody(tmp_path: Path, clerk: Clerk | None) -> None:
    async with place(tmp_path) as there, serve_endpoint((clerk or Clerk()).reply) as stub:
        done = await made(there, stub.url if clerk else "")
    path = tmp_path / "runs" / "r.jsonl"
    before = path.read_bytes()
    events: list[Event] = []
    assert await replay("r", options=Options(settings=there.settings, on_event=events.append)) == done
    assert "".join(event.line() + "\n" for event in events).encode() == before
    assert await resume("r", options=Options(settings=there.settings)) == done
    assert path.read_bytes() == before
    assert [run.stop_reason for run in list_runs(there.settings)] == [done.stop_reason]


@pytest.mark.slow
@BOTH
async def test_cut_at_any_event_it_is_resumed_to_the_same_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clerk: Clerk | None
) -> None:
    monkeypatch.setattr(Trace, "patience", 0.05)
    async with place(tmp_path) as there, serve_endpoint((clerk or Clerk()).reply) as stub:
        url = stub.url if clerk else ""
        done = await made(there, url)
        path = tmp_path / "runs" / "r.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        paid, opened = stub.paid, len(there.requests)
        shutil.copy(tmp_path / "archive.db", tmp_path / "kept.db")
        for keep in range(1, len(lines)):
            path.write_bytes(b"".join(lines[:keep]) + lines[keep][:20])
            shutil.copy(tmp_path / "kept.db", tmp_path / "archive.db")
            with pytest.raises(ReplayMismatch):
                await replay("r", options=options_of(there, url))
            again = await resume("r", options=options_of(there, url))
            assert isinstance(again, Report)
            assert again.model_copy(update={"fare": done.fare}) == done
            assert again.fare.model_copy(update={"seconds": 0}) == done.fare.model_copy(update={"seconds": 0})
        assert stub.paid == paid  # the idempotency key of a call is the same when it is made again
        assert len(there.requests) == opened  # and what it fetched is in the archive


LIMITS = [{"tokens": tokens} for tokens in (0, 300, 900, 1500, 2500, 4000, 6000, 9000)] + [
    *({"pages": pages} for pages in (0, 1, 2)),
    *({"steps": steps} for steps in (0, 1, 2, 3, 5)),
    *({"bytes": size} for size in (0, 100, 600)),
    {"usd": 0.0},
    {"usd": 0.002},
    {"seconds": 0.000001},
    {"pages": 1, "tokens": 3000},
]


@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("plan", [PLAN, pytest.param(TABLE, marks=pytest.mark.slow)], ids=["plain", "table"])
async def test_no_limit_is_passed_by_more_than_the_call_in_flight(
    tmp_path: Path, limits: dict[str, float], plan: dict[str, Any]
) -> None:
    prices = {"scripted": {"input": 1.0, "output": 2.0}}
    async with place(tmp_path, prices=prices) as there:
        options = Options(settings=there.settings, run_id="r")
        done = await report(QUESTION, model=Clerk(plan=plan).model(), budget=Budget(**limits), options=options)
        assert await replay("r", options=options) == done
    costs = [result["cost"] for result in kinds(log(there.settings, "r"), "result")]
    for meter, limit in limits.items():
        if meter != "seconds":
            last = max((cost.get(meter, 0) for cost in costs), default=0)
            assert getattr(done.fare, meter) <= limit + (last if meter == "bytes" else 0)
    assert len(done.sections) >= 1
    assert done.stop_reason is not StopReason.FAILED
    if not done.claims:
        assert done.text == ""
    for section in done.sections:
        assert section.numbers or section.stop_reason is not StopReason.ANSWERED


async def test_no_section_eats_the_share_of_another(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        clerk = Clerk(instead={"read": {"rational": "", "evidence": [], "summary": ""}})
        options = Options(settings=there.settings, run_id="r")
        await report(QUESTION, model=clerk.model(), budget=Budget(pages=2), options=options)
    at: dict[int, int] = {}
    number = 0
    for event in log(there.settings, "r"):
        number = event.data["number"] if event.type == "section" else number
        if event.type == "call" and event.data["kind"] == "fetch":
            at[number] = at.get(number, 0) + 1
    assert at == {1: 1, 2: 1}


async def test_what_is_not_researched_says_so(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        done = await report(QUESTION, budget=Budget(steps=1), options=Options(settings=there.settings))
    assert done.stop_reason is StopReason.TURNS
    assert done.sections[1].stop_detail == "not researched, the limit on steps is reached"


async def test_stopped_on_request_it_ends_with_what_there_is(tmp_path: Path) -> None:
    runs: list[Run] = []

    def stop_in_second(event: Event) -> None:
        if event.type == "section" and event.data["number"] == 2:
            runs[0].stop()

    async with place(tmp_path) as there:
        options = Options(settings=there.settings, run_id="r", on_event=stop_in_second, on_run=runs.append)
        done = await report(QUESTION, model=Clerk().model(), options=options)
        assert await replay("r", options=Options(settings=there.settings)) == done
    assert done.stop_reason is StopReason.CANCELLED
    assert done.sections[0].numbers
    assert not done.sections[1].numbers


PROGRAM = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from report_kit import QUESTION
from walk_kit import settings
from webfarer.agents.runs import Options, report
deadly = int(sys.argv[4])
def die(event):
    if event.seq == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
chosen = settings(Path(sys.argv[2]), search={"engines": ["searxng"], "delay": 0}, searxng_url=sys.argv[3])
asyncio.run(report(QUESTION, options=Options(settings=chosen, run_id="r", on_event=die)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("deadly", [1, 5, 12])
async def test_killed_it_is_resumed_to_a_whole_report(tmp_path: Path, deadly: int) -> None:
    async with place(tmp_path) as there:
        arguments = [str(Path(__file__).parent), str(tmp_path), there.settings.searxng_url, str(deadly)]
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, *arguments, env=os.environ)
        assert await process.wait() == -signal.SIGKILL
        done = await resume("r", options=Options(settings=there.settings))
        assert isinstance(done, Report)
        assert all(section.numbers for section in done.sections)
        assert await replay("r", options=Options(settings=there.settings)) == done
