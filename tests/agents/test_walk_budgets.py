"""Budgets: whatever the limits, a walk ends with an answer, and no limit is passed by more than the call in flight.

Steps and pages are met exactly. Bytes are capped while a page arrives; only robots.txt comes on top. Tokens and money
may be passed by the one call whose price was known after it. Time: nothing begins after the limit, and what is under
way then is cut off.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openai  # noqa: F401  # its first import takes seconds, which the first call would be charged with
import pytest
from aiohttp import web as server
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from walk_kit import LIBRARY, QUESTION, TRUTH, Reader, kinds, serve_pages, settings

from webfarer.agents.decisions import Context
from webfarer.agents.policies.chat import Chat
from webfarer.agents.policies.lexical import Lexical
from webfarer.agents.runs import Options, walk
from webfarer.agents.walker import Walker
from webfarer.core.fare import Budget, Ledger
from webfarer.core.run import Run
from webfarer.core.trace import Event, Trace
from webfarer.core.types import Answer, StopReason
from webfarer.models.metered import Metered
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.worlds.endpoint import serve_endpoint
from webfarer.worlds.server import Site, not_found

ROBOTS = len(bytes(not_found().body or b""))  # there is none
PRICE = {"input": 1.0, "output": 4.0}
ENDS = {
    StopReason.ANSWERED,
    StopReason.BUDGET,
    StopReason.TURNS,
    StopReason.TIMEOUT,
    StopReason.NO_SOURCES,
}
SWEEP: dict[str, Sequence[float]] = {
    "steps": (0, 1, 2, 4, 7),
    "pages": (0, 1, 2, 5, 8),
    "bytes": (0, 1, ROBOTS, ROBOTS + 1, 417, 418, 700, 5000),
    "seconds": (1e-9, 0.001, 0.01, 0.03, 0.06, 0.12),
    "tokens": (0, 1, 400, 600, 2000, 4000, 8000),
    "usd": (0, 1e-9, 0.0005, 0.002, 0.004, 0.1),
}


def check(answer: Answer, events: Sequence[Event], site: Site, budget: Budget) -> None:
    """Check what one walk spent against its budget and against what the site saw."""
    fare = answer.fare
    assert answer.stop_reason in ENDS
    assert answer.stop_detail or answer.stop_reason is StopReason.ANSWERED
    assert events[-1].data["answer"] == answer.model_dump(mode="json")
    results = kinds(events, "result")
    for meter in ("steps", "pages", "bytes", "tokens", "usd"):
        limit = getattr(budget, meter)
        if limit is not None:
            dearest = max((result["cost"].get(meter, 0) for result in results), default=0)
            spare = {"steps": 0, "pages": 0, "bytes": max(0, ROBOTS - limit)}.get(meter, dearest)
            assert getattr(fare, meter) <= limit + spare
            assert meter != "bytes" or limit or not site.requests
    if budget.seconds is not None:
        late = {event.seq for event in events if event.type == "call" and event.t >= budget.seconds}
        assert all("error" in result for result in results if result["call"] in late)
    assert fare.pages >= len([path for path in site.requests if path != "/robots.txt"])
    if answer.stop_reason is StopReason.ANSWERED:
        assert answer.text


async def walk_library(budget: Budget, home: Path, reader: Reader | None = None, **changes: Any) -> Answer:
    """Walk through the library and check what it cost."""
    events: list[Event] = []
    chosen = settings(home, prices={"scripted": PRICE, "stub": PRICE}, **changes)
    options = Options(settings=chosen, record=False, on_event=events.append)
    async with serve_pages(LIBRARY) as site:
        answer = await walk(site.url, QUESTION, model=reader and reader.model(), budget=budget, options=options)
    check(answer, events, site, budget)
    return answer


@pytest.mark.parametrize("reader", [None, Reader()], ids=["lexical", "chat"])
@pytest.mark.parametrize("meter", SWEEP)
async def test_no_limit_is_passed(tmp_path: Path, meter: str, reader: Reader | None) -> None:
    answers = [await walk_library(Budget(**{meter: limit}), tmp_path, reader) for limit in SWEEP[meter]]
    reasons = [answer.stop_reason for answer in answers]
    free = reader is None and meter in ("tokens", "usd")
    if meter != "seconds":
        assert reasons[-1] is StopReason.ANSWERED
        assert answers[-1].text == TRUTH
    stopped = {"steps": StopReason.TURNS, "seconds": StopReason.TIMEOUT}.get(meter, StopReason.BUDGET)
    assert reasons[0] is (StopReason.ANSWERED if free else stopped)
    assert set(reasons) <= {stopped, StopReason.ANSWERED}
    if not free:
        assert f"the limit on {meter} is reached" in answers[0].stop_detail


@pytest.mark.slow
@pytest.mark.parametrize("meter", SWEEP)
async def test_no_limit_is_passed_with_a_model_at_an_endpoint(tmp_path: Path, meter: str) -> None:
    for limit in SWEEP[meter]:
        async with serve_endpoint(Reader().reply, latency=0.005) as stub:
            answer = await walk_library(Budget(**{meter: limit}), tmp_path, model="endpoint:stub", base_url=stub.url)
            assert stub.paid <= answer.fare.calls + (answer.stop_reason is StopReason.TIMEOUT)


BUDGETS = st.fixed_dictionaries(
    {},
    optional={
        "steps": st.integers(0, 8),
        "pages": st.integers(0, 8),
        "bytes": st.integers(0, 1500),
        "tokens": st.integers(0, 6000),
        "usd": st.floats(0, 0.01),
        "seconds": st.floats(0.001, 0.2),
    },
)


@examples(max_examples=15)
@given(BUDGETS, st.booleans())
async def test_limits_together(tmp_path_factory: pytest.TempPathFactory, limits: dict[str, float], chat: bool) -> None:
    home = tmp_path_factory.getbasetemp() / "together"
    await walk_library(Budget(**limits), home, Reader() if chat else None)  # type: ignore[arg-type]


@pytest.mark.slow
@examples(max_examples=150)
@given(BUDGETS, st.booleans())
async def test_many_limits_together(
    tmp_path_factory: pytest.TempPathFactory, limits: dict[str, float], chat: bool
) -> None:
    home = tmp_path_factory.getbasetemp() / "many"
    await walk_library(Budget(**limits), home, Reader() if chat else None)  # type: ignore[arg-type]


@pytest.mark.parametrize("chat", [False, True], ids=["lexical", "chat"])
async def test_a_limit_above_binds_the_walks_below(chat: bool) -> None:
    """Two walks, one after the other, share a ledger; each has a tighter one of its own for another meter."""
    above = Ledger(Budget(pages=6, tokens=3000))
    answers = []
    async with serve_pages(LIBRARY) as site, Web(settings(Path("nowhere")), Archive()) as web:
        for number in range(2):
            trace = Trace.create()
            run = Run(f"r{number}", trace)
            run.ledger = Ledger(Budget(steps=3), above, clock=lambda trace=trace: trace.time)  # type: ignore[misc]
            policy = Chat(Context(run, Metered(run, Reader().model()))) if chat else Lexical(Context(run))
            answers.append(await Walker(run, web, policy).walk(site.url, QUESTION))
    assert above.fare.pages == sum(answer.fare.pages for answer in answers) <= 6
    assert above.fare.tokens == sum(answer.fare.tokens for answer in answers) <= 3000
    assert answers[0].fare.steps <= 3
    assert answers[1].stop_reason is StopReason.BUDGET


async def test_the_reserve_pays_for_an_answer_from_the_notes(tmp_path: Path) -> None:
    """The model never finds its notes sufficient; when the tokens run out, the last call still fits."""

    class Doubting(Reader):
        def judge(self, user: str, parts: Any) -> dict[str, Any]:
            return {"sufficient": False}

    answer = await walk_library(Budget(tokens=7000), tmp_path, Doubting())
    assert answer.stop_reason is StopReason.BUDGET
    assert answer.text.startswith("Not clear:")
    assert answer.verified
    assert answer.fare.tokens <= 7000


async def test_what_is_under_way_when_the_time_is_up_is_cut_off(tmp_path: Path) -> None:
    async def silent(request: server.BaseRequest) -> server.StreamResponse:
        await asyncio.sleep(30)
        return not_found()

    pages = {**LIBRARY, "/visit": silent, "/": LIBRARY["/"].replace("/news", "/visit"), "/robots.txt": "User-agent: x"}
    events: list[Event] = []
    options = Options(settings=settings(tmp_path), record=False, on_event=events.append)
    async with serve_pages(pages) as site:
        answer = await walk(site.url, QUESTION, budget=Budget(seconds=0.4), options=options)
        check(answer, events, site, Budget(seconds=0.4))
        first = await walk(site.url + "visit", QUESTION, budget=Budget(seconds=0.2), options=options)
    assert answer.fare.seconds < 25
    assert (answer.stop_reason, answer.stop_detail) == (StopReason.TIMEOUT, "the limit on seconds is reached")
    assert answer.fare.pages == 2
    assert (first.stop_reason, first.text) == (StopReason.TIMEOUT, "")


async def test_a_hanging_model_is_cut_off(tmp_path: Path) -> None:
    async with serve_endpoint(Reader().reply, latency=30) as stub:
        answer = await walk_library(Budget(seconds=0.5), tmp_path, model="endpoint:stub", base_url=stub.url)
    assert answer.stop_reason is StopReason.TIMEOUT
    assert answer.fare.seconds < 25
