"""Replaying a walk: no network, no model, the same bytes; whatever does not fit its recording is refused."""

import asyncio
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from walk_kit import LIBRARY, QUESTION, TRUTH, Reader, log, serve_pages, settings

from webfarer.agents.runs import Options, list_runs, replay, resume, walk
from webfarer.core.config import Settings, load_settings
from webfarer.core.errors import ConfigError, ModelAuth, ReplayMismatch, TraceError, TraceVersion
from webfarer.core.fare import Budget
from webfarer.core.trace import Event, Trace, canonical
from webfarer.core.types import Answer
from webfarer.worlds.endpoint import serve_endpoint

READERS = (None, Reader())
BOTH = pytest.mark.parametrize("reader", READERS, ids=["lexical", "chat"])


async def recorded(chosen: Settings, reader: Reader | None, **limits: Any) -> Answer:
    """Walk through the library once, as run "r", with a model behind a real endpoint; both servers are gone after."""
    async with serve_pages(LIBRARY) as site, serve_endpoint((reader or Reader()).reply) as stub:
        changes = {"model": "endpoint:stub", "base_url": stub.url} if reader else {}
        there = chosen.model_copy(update=changes)
        return await walk(
            site.url, QUESTION, budget=Budget(**limits), options=Options(settings=there, run_id="r", record=True)
        )


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[Reader | None, Path]:
    """A home with a finished run "r" for each reader."""
    homes: dict[Reader | None, Path] = {reader: tmp_path_factory.mktemp("home") for reader in READERS}
    for reader, home in homes.items():
        asyncio.run(recorded(settings(home), reader))
    return homes


@pytest.fixture(params=READERS, ids=["lexical", "chat"])
def chosen(request: pytest.FixtureRequest, recordings: dict[Reader | None, Path], tmp_path: Path) -> Settings:
    """The settings of a home of its own that holds such a run."""
    shutil.copytree(recordings[request.param], tmp_path, dirs_exist_ok=True)
    return settings(tmp_path)


def ban_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def banned(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("a replay asked the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, banned)
    for name in ("getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, banned)


def rewrite(chosen: Settings, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """Change the log of run "r"."""
    path = chosen.home / "runs" / "r.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    change(events)
    path.write_text("".join(canonical(event) + "\n" for event in events))


@BOTH
@pytest.mark.parametrize("limits", [{}, {"steps": 2}, {"pages": 3}, {"bytes": 900}, {"tokens": 1500}])
async def test_a_replay_is_byte_identical_with_the_network_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader | None, limits: dict[str, int]
) -> None:
    chosen = settings(tmp_path)
    answer = await recorded(chosen, reader, **limits)
    path = tmp_path / "runs" / "r.jsonl"
    before, changed = path.read_bytes(), path.stat().st_mtime_ns
    ban_network(monkeypatch)
    events: list[Event] = []
    assert await replay("r", options=Options(settings=chosen, on_event=events.append)) == answer
    assert "".join(event.line() + "\n" for event in events).encode() == before
    assert path.stat().st_mtime_ns == changed
    assert await resume("r", options=Options(settings=chosen)) == answer
    assert path.read_bytes() == before


@pytest.mark.slow
@BOTH
async def test_a_run_cut_anywhere_cannot_be_replayed_but_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader | None
) -> None:
    monkeypatch.setattr(Trace, "patience", 0.05)
    chosen = settings(tmp_path)
    path = tmp_path / "runs" / "r.jsonl"
    async with serve_pages(LIBRARY) as site, serve_endpoint((reader or Reader()).reply) as stub:
        changes = {"model": "endpoint:stub", "base_url": stub.url} if reader else {}
        options = Options(settings=chosen.model_copy(update=changes), run_id="r")
        answer = await walk(site.url, QUESTION, options=options)
        lines = path.read_bytes().splitlines(keepends=True)
        for keep in range(1, len(lines), 7):
            path.write_bytes(b"".join(lines[:keep]))
            with pytest.raises(ReplayMismatch):
                await replay("r", options=options)
            assert path.read_bytes() == b"".join(lines[:keep])
            resumed = await resume("r", options=options)
            assert (resumed.text, resumed.claims[0].verified) == (answer.text, True)
            assert path.read_bytes().startswith(b"".join(lines[:keep]))


@pytest.mark.parametrize(
    "change",
    [
        lambda events: events[0]["data"].update(question="Another question?"),
        lambda events: events[1]["data"]["request"].update(url="http://127.0.0.1:9/"),
        lambda events: next(e for e in events if e["type"] == "click")["data"].update(url="http://127.0.0.1:9/"),
        lambda events: next(e for e in events if e["type"] == "note")["data"]["note"].update(text="Something else."),
        lambda events: events[2]["data"]["cost"].update(pages=7),
        lambda events: events[-1]["data"]["answer"].update(text="A better answer."),
        lambda events: events[-1]["data"]["answer"]["claims"][0].update(verified=False),
        lambda events: events[2]["data"]["value"].update(record="0123456789abcdef"),
    ],
    ids=["question", "request", "click", "note", "cost", "answer", "verdict", "page"],
)
async def test_a_changed_log_does_not_replay(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch, change: Callable[..., Any]
) -> None:
    monkeypatch.setattr(Trace, "patience", 0.05)
    rewrite(chosen, change)
    with pytest.raises((ReplayMismatch, TraceError)):
        await replay("r", options=Options(settings=chosen))


async def test_settings_that_a_recording_lacks_are_the_defaults_and_not_those_of_today(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(events: list[dict[str, Any]]) -> None:
        recorded = events[0]["data"]["settings"]
        for name in ("temperature", "top_p", "tokens"):
            del recorded[name]
        del recorded["ask"]["thoughts"]

    rewrite(chosen, older)
    for name in ("TEMPERATURE", "TOP_P"):
        monkeypatch.setenv(f"WEBFARER_{name}", "0.5")
    monkeypatch.setenv("WEBFARER_ASK__THOUGHTS", "kept")
    today = load_settings(home=chosen.home)
    assert (today.temperature, today.top_p, today.ask.thoughts) == (0.5, 0.5, "kept")
    assert (await replay("r", options=Options(settings=today))).text == TRUTH
    assert (await resume("r", options=Options(settings=today))).text == TRUTH


async def test_a_lost_archive_does_not_replay(chosen: Settings) -> None:
    (chosen.home / "archive.db").unlink()
    with pytest.raises(ReplayMismatch):
        await replay("r", options=Options(settings=chosen))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda events: events[0]["data"].update(version=99), TraceVersion),
        (lambda events: events.pop(3), TraceError),
        (lambda events: events.insert(2, events[5]), TraceError),
        (lambda events: events.clear(), TraceError),
    ],
    ids=["version", "gap", "inserted", "empty"],
)
async def test_a_damaged_log_is_refused_and_left_as_it_is(
    chosen: Settings, change: Callable[..., Any], error: type[TraceError]
) -> None:
    rewrite(chosen, change)
    path = chosen.home / "runs" / "r.jsonl"
    before = path.read_bytes()
    for again in (replay, resume):
        with pytest.raises(error):
            await again("r", options=Options(settings=chosen))
    assert path.read_bytes() == before
    assert [run.run for run in list_runs(chosen)] == ["r"]


async def test_a_run_with_a_model_object_needs_one_to_resume_and_none_to_replay(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    options = Options(settings=chosen, run_id="r")
    async with serve_pages(LIBRARY) as site:
        answer = await walk(site.url, QUESTION, model=Reader().model(), options=options)
    assert await replay("r", options=options) == answer
    assert await resume("r", model=Reader().model(), options=options) == answer
    with pytest.raises(ConfigError, match="model object"):
        await resume("r", options=options)
    assert log(chosen, "r")[-1].type == "end"


async def test_a_run_whose_key_was_refused_goes_on_with_the_right_one(tmp_path: Path) -> None:
    async with serve_pages(LIBRARY) as site, serve_endpoint(Reader().reply, key="right") as stub:
        wrong, right = (
            Options(settings=settings(tmp_path, model="endpoint:stub", base_url=stub.url, api_key=key), run_id="r")
            for key in ("wrong", "right")
        )
        with pytest.raises(ModelAuth):
            await walk(site.url, QUESTION, options=wrong)
        with pytest.raises(ModelAuth):
            await resume("r", options=wrong)
        answer = await resume("r", options=right)
        assert answer.text == TRUTH
        assert await replay("r", options=wrong) == answer
        assert site.requests.count("/") == 1
    assert "right" not in (tmp_path / "runs" / "r.jsonl").read_text().replace("copyright", "")


async def test_a_run_that_cannot_begin_leaves_nothing(tmp_path: Path) -> None:
    for changes, budget in (
        ({"model": "nobody:x"}, None),
        ({"policy": "nobody"}, None),
        ({"policy": "chat"}, None),
        ({"model": "endpoint:stub", "base_url": "http://127.0.0.1:9/v1"}, Budget(usd=1)),
    ):
        chosen = settings(tmp_path, **changes)
        with pytest.raises(ConfigError):
            await walk("http://127.0.0.1:9/", QUESTION, budget=budget, options=Options(settings=chosen, run_id="r"))
        assert list_runs(chosen) == []


async def test_a_run_is_not_begun_twice(chosen: Settings) -> None:
    with pytest.raises(TraceError, match="already recorded"):
        await walk("http://127.0.0.1:9/", QUESTION, options=Options(settings=chosen, run_id="r"))
    assert log(chosen, "r")[-1].data["answer"]["text"] == TRUTH
