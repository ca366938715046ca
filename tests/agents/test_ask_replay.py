"""A search is a recording of itself: replayed byte for byte, resumed from any event, killed at any moment."""

import asyncio
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ask_kit import CITED, ENGINE, ROOM, Actor, Place, call, place, search, visit
from test_kill import forking
from test_replay import ban_network
from walk_kit import LIBRARY, QUESTION, TRUTH, kinds, log, told

from webfarer.agents.runs import Options, replay, resume
from webfarer.core.errors import ReplayMismatch
from webfarer.core.fare import Budget
from webfarer.core.trace import Event, Trace
from webfarer.core.types import Answer
from webfarer.worlds.endpoint import serve_endpoint

KNOWN = dict.fromkeys(LIBRARY, "reading room")


def crowd(there: Place) -> Actor:
    """Several calls in each step, a walk among them."""
    walk = call("walk", url=there.url(), goal="How many spaces for cars are there?")
    second = visit(there.url("news"), there.url("people")) + visit(there.url("gone")) + search("people", "zebra") + walk
    return Actor(
        search("reading room", "roof") + search("library"), second, visit(there.url(ROOM), there.url("news")), CITED
    )


@pytest.mark.parametrize("limits", [{}, {"steps": 3}, {"pages": 3}, {"tokens": 5_000}, {"bytes": 2_500}])
async def test_a_replay_is_byte_identical_with_everything_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, int]
) -> None:
    async with place(tmp_path, known=KNOWN) as there:
        asked = await there.ask(crowd(there), Budget(**limits), run_id="r")
        chosen = there.settings()
    path = tmp_path / "runs" / "r.jsonl"
    before = path.read_bytes()
    ban_network(monkeypatch)
    events: list[Event] = []
    assert await replay("r", options=Options(settings=chosen, on_event=events.append)) == asked.answer
    assert "".join(event.line() + "\n" for event in events).encode() == before == path.read_bytes()


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
async def test_a_run_cut_after_any_event_goes_on_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    monkeypatch.setattr(Trace, "patience", 0.5)
    path = tmp_path / "runs" / "r.jsonl"
    async with place(tmp_path, known=KNOWN) as there:
        actor = crowd(there)
        async with serve_endpoint(actor.reply) as stub:
            there.changes |= {"model": "endpoint:stub", "base_url": stub.url}
            asked = await there.ask(None, run_id="r")
            assert asked.answer.text == TRUTH
            lines = path.read_bytes().splitlines(keepends=True)
            for keep in range(1, len(lines), every):
                path.write_bytes(b"".join(lines[:keep]))
                for seen in (there.site.requests, there.stub.asked, stub.keys):
                    seen.clear()
                resumed = await resume("r", options=Options(settings=there.settings()))
                assert (resumed.text, resumed.claims) == (asked.answer.text, asked.answer.claims)
                check_not_repeated([json.loads(line) for line in lines[:keep]], there, stub.keys)


def check_not_repeated(kept: list[dict[str, Any]], there: Place, keys: list[str]) -> None:
    """Check that nothing whose result is among the events `kept` was asked for again."""
    ended = {event["data"]["call"] for event in kept if event["type"] == "result"}
    done: dict[str, set[str]] = {"fetch": set(), "search": set(), "model": set()}
    made: Counter[str] = Counter()  # the same question may be asked of the model twice
    for event in (event for event in kept if event["type"] == "call"):
        data = event["data"]
        if event["seq"] in ended:
            request = data["request"]
            what = {"fetch": "url", "search": "query"}.get(data["kind"])
            done[data["kind"]].add(request[what] if what else f"r-{data['key']}-{made[data['key']]}")
        made[data["key"]] += 1
    assert done["fetch"].isdisjoint(there.url(path.lstrip("/")) for path in there.opened())
    assert done["search"].isdisjoint(query for _, query in there.stub.asked)
    assert done["model"].isdisjoint(keys)


async def test_a_cut_recording_does_not_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trace, "patience", 0.05)
    async with place(tmp_path, known=KNOWN) as there:
        await there.ask(crowd(there), run_id="r")
        chosen = there.settings()
    path = tmp_path / "runs" / "r.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    for keep in range(1, len(lines), 9):
        path.write_bytes(b"".join(lines[:keep]))
        with pytest.raises(ReplayMismatch):
            await replay("r", options=Options(settings=chosen))
        assert path.read_bytes() == b"".join(lines[:keep])


def said(events: list[Event]) -> dict[str, Any]:
    """Return the answer of a run, without the bytes: those of a call that was in flight are not charged."""
    answer = told(Answer.model_validate(events[-1].data["answer"]))
    del answer["fare"]["bytes"], answer["run"]
    return answer


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_twenty_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Searches killed at random moments until twenty are dead; each, once let run, ends like one left alone."""
    draw, kills, trials, again = random.Random(7), 0, 0, 0
    wanted: dict[str, Any] = {}
    async with place(tmp_path, known=KNOWN) as there:
        endpoint = serve_endpoint(crowd(there).reply, latency=0.015)
        async with endpoint as stub, forking("webfarer.agents.minds.chat", "openai") as forks:
            searching = {"search": there.settings().search.model_dump(), "searxng_url": there.stub.bases()[ENGINE]}
            changes = {"model": "endpoint:stub", "base_url": stub.url, "browser": "never", **searching}
            clock, seconds = asyncio.get_running_loop().time, 0.0
            while kills < 20:
                trials += 1
                job = {"home": str(tmp_path), "run": f"r{trials}", "question": QUESTION, "settings": changes}
                asked_before, began = len(there.opened()), clock()
                while wanted and await forks.run(job, draw.uniform(0, seconds)):
                    kills += 1
                    again += 1
                if not wanted:
                    await forks.run(job)
                    seconds = clock() - began
                events = log(there.settings(), f"r{trials}")
                wanted = wanted or said(events)
                assert said(events) == wanted
                fetches = [call for call in kinds(events, "call") if call["kind"] == "fetch"]
                assert len(there.opened()) - asked_before <= len(fetches) + 2 * again  # two at a time to one host
            assert stub.paid == len(set(stub.keys))
            repeated = len(stub.keys) - len(set(stub.keys))
    with capsys.disabled():
        print(f"\n{kills} kills in {trials - 1} searches; model calls in flight asked again, free: {repeated}")  # noqa: T201
    assert repeated <= 5 * kills
