"""Walks over a site on which everything goes wrong: each fault is an observation or an error of the tree."""

import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from walk_kit import QUESTION, Reader, Script, fenced, html, kinds, links, serve_pages, settings

from webfarer.agents.runs import Options, walk
from webfarer.agents.walker import Walker
from webfarer.core import errors
from webfarer.core.config import Settings
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Event, Trace
from webfarer.core.types import Answer, StopReason
from webfarer.models.scripted import Scripted
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.worlds.faults import BOMB_BYTES, HUGE_BYTES, LINK_COUNT, serve_faults

# What each fault looks like to the walker: an error of the tree, a kind of page, or "" for a page that was read.
FAULTS = {
    "/ok": "",
    "/404": "HttpStatus",
    "/500": "HttpStatus",
    "/empty": "empty",
    "/login": "login",
    "/consent": "consent",
    "/blocked": "HttpStatus",
    "/blocked-200": "blocked",
    "/cycle/a": "",
    "/cycle/b": "",
    "/image": "NotReadable",
    "/binary": "NotReadable",
    "/mislabelled": "NotReadable",
    "/gbk": "",
    "/wrong-charset": "",
    "/huge": "TooLarge",
    "/drip": "FetchTimeout",
    "/stall": "FetchTimeout",
    "/bomb": "TooLarge",
    "/br": "NotReadable",
    "/links": "",
    "/redirect-loop": "RedirectLoop",
    "/redirect-loop/b": "RedirectLoop",
    "/redirect-to": "",
    "/redirect-chain/3": "",
    "/calendar/2026/1": "",
    "/429": "HttpStatus",
    "/flaky": "",  # aiohttp asks again by itself
}
SILENT = {path: fault for path, fault in FAULTS.items() if fault == "FetchTimeout"}


def strict(home: Path, seconds: float = 10.0) -> Settings:
    """Return settings with small limits; only for the silent pages the deadline is short too."""
    limits = {"total_seconds": seconds, "max_wire_bytes": 2_000_000, "max_decoded_bytes": 4_000_000}
    return settings(home, web=limits)


def outcomes(events: list[Event]) -> dict[str, str]:
    """Return what became of each click, by path."""
    paths = [urlsplit(event["url"]).path for event in kinds(events, "click")]
    became = [event.data.get("error", "") for event in events if event.type in ("page", "nowhere")]
    return dict(zip(paths, became[1:], strict=True))


def check_errors(events: list[Event]) -> None:
    """Check that every failed call is recorded as an error that a replay raises again."""
    for result in kinds(events, "result"):
        if "error" in result:
            error = errors.from_dict(result["error"])
            assert type(error) is not errors.WebfarerError
            assert error.message


@pytest.mark.slow
async def test_every_fault_is_an_observation() -> None:
    poisons = dict.fromkeys([f"/poison/{name}" for name in ("visible", "hidden", "fence")], "")
    loud = {path: fault for path, fault in FAULTS.items() if path not in SILENT} | poisons
    async with serve_faults() as site:
        for faults, seconds in ((loud, 10.0), (SILENT, 0.3)):
            run = Run("r", Trace.create())
            async with Web(strict(Path("nowhere"), seconds), Archive()) as web:
                answer = await Walker(run, web, Script([*faults])).walk(site.url, QUESTION)
                root = web.page(kinds(run.trace.events, "page")[0]["page"])
            assert outcomes(run.trace.events) == faults
            check_errors(run.trace.events)
            assert answer.stop_reason is StopReason.NO_SOURCES
            assert answer.fare.bytes < 10_000_000
    listed = {urlsplit(link.url).path for link in root.links}
    assert {path for path in listed if not path.startswith("/poison/")} == set(FAULTS)


@pytest.mark.slow
@pytest.mark.parametrize("chat", [False, True], ids=["lexical", "chat"])
async def test_every_fault_as_the_first_page(tmp_path: Path, chat: bool) -> None:
    async with serve_faults() as site:
        for path, fault in FAULTS.items():
            events: list[Event] = []
            chosen = strict(tmp_path, 0.3 if path in SILENT else 10.0)
            options = Options(settings=chosen, record=False, on_event=events.append)
            model = Reader().model() if chat else None
            answer = await walk(site.url.rstrip("/") + path, QUESTION, model=model, options=options)
            assert (answer.stop_reason is StopReason.FAILED) == bool(fault), path
            assert answer.stop_detail or answer.text
            assert events[-1].data["answer"] == answer.model_dump(mode="json")
            check_errors(events)


@pytest.mark.slow
@pytest.mark.parametrize("chat", [False, True], ids=["lexical", "chat"])
async def test_a_policy_wanders_through_all_faults(tmp_path: Path, chat: bool) -> None:
    events: list[Event] = []
    options = Options(settings=strict(tmp_path, 0.5), record=False, on_event=events.append)
    model = Reader().model() if chat else None
    async with serve_faults() as site:
        answer = await walk(site.url, QUESTION, model=model, budget=Budget(steps=45), options=options)
    assert len(outcomes(events)) > 20
    assert events[-1].data["answer"] == answer.model_dump(mode="json")
    assert answer.stop_reason in (StopReason.TURNS, StopReason.NO_SOURCES, StopReason.ANSWERED)
    check_errors(events)


@pytest.mark.parametrize("chat", [False, True], ids=["lexical", "chat"])
async def test_an_endless_calendar_ends_at_the_limit_on_steps(tmp_path: Path, chat: bool) -> None:
    model = Onward("calendar").model() if chat else None
    question = "Which events does the calendar list for the next month?"
    events: list[Event] = []
    options = Options(settings=strict(tmp_path), record=False, on_event=events.append)
    async with serve_faults() as site:
        answer = await walk(site.url, question, model=model, budget=Budget(steps=20), options=options)
    assert answer.stop_reason is StopReason.TURNS
    assert answer.fare.steps == 20
    months = [path for path in outcomes(events) if path.startswith("/calendar/")]
    assert len(months) == len(set(months)) >= 15


class Onward(Reader):
    """Clicks the first link whose line holds a word."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word

    def choose(self, user: str, parts: Mapping[str, str]) -> dict[str, Any]:
        lines = parts["links"].split("\n")
        line = next((line for line in lines if self.word in line), lines[0])
        return {"action": "click", "link": int(line.partition(".")[0])}


@pytest.mark.slow
async def test_ten_thousand_links_are_shown_in_part(tmp_path: Path) -> None:
    model = Reader().model()
    options = Options(settings=strict(tmp_path), record=False)
    async with serve_pages({"/": html("Directory", links(*(f"/n/{n}" for n in range(LINK_COUNT))))}) as site:
        answer = await walk(site.url, QUESTION, model=model, budget=Budget(steps=1), options=options)
    shown = [fenced(messages[1].content).get("links", "") for messages in model.asked]
    assert max(len(lines.split("\n")) for lines in shown) == 40 < LINK_COUNT
    assert max(model.count(messages) for messages in model.asked) < 8000
    assert (answer.stop_reason, answer.fare.steps) == (StopReason.TURNS, 1)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["huge", "bomb", "links"])
async def test_memory_is_bounded(tmp_path: Path, path: str) -> None:
    options = Options(settings=strict(tmp_path), record=False)
    async with serve_faults() as site:
        await walk(site.url + "bomb", QUESTION, options=options)  # the server makes its bomb once
        tracemalloc.start()
        try:
            answer = await walk(site.url + path, QUESTION, options=options)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert answer.stop_reason is (StopReason.NO_SOURCES if path == "links" else StopReason.FAILED)
    assert peak < 30_000_000 < min(HUGE_BYTES, BOMB_BYTES), peak


async def test_a_model_that_is_down_does_not_stop_the_walk(tmp_path: Path) -> None:
    model = Scripted([errors.ModelUnavailable("down")] * 50)
    options = Options(settings=strict(tmp_path), record=False)
    async with serve_faults() as site:
        answer: Answer = await walk(site.url, QUESTION, model=model, budget=Budget(steps=3), options=options)
    assert answer.stop_reason is StopReason.TURNS
    assert len(model.asked) <= 4
