"""Engines that fail, over real HTTP: what is tried again, what is not, and when an engine is left alone."""

import asyncio
import gzip
import json

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from search_kit import DOCUMENTS, KEY, calls, new_run, settings_for

from webfarer.core.errors import (
    NoResults,
    SearchAuth,
    SearchBlocked,
    SearchError,
    SearchRateLimited,
    SearchUnavailable,
)
from webfarer.web.breaker import FAILURES, PAUSE, Breaker
from webfarer.web.search import Search
from webfarer.worlds.searchserver import (
    BROKEN,
    BUSY,
    CAPTCHA,
    ERROR_AS_SUCCESS,
    JSON_OFF,
    OVERSIZED,
    TRUNCATED,
    Fault,
    serve_search,
)
from webfarer.worlds.server import listen


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("engine", "fault", "kind", "said"),
    [
        ("serper", BUSY, SearchRateLimited, "too many requests"),
        ("serper", Fault(401), SearchAuth, "correct SERPER_API_KEY"),
        ("tavily", Fault(403), SearchAuth, "correct TAVILY_API_KEY"),
        ("serper", Fault(500), SearchUnavailable, "status 500"),
        ("serper", Fault(404), SearchUnavailable, "status 404"),
        ("brave", ERROR_AS_SUCCESS, SearchUnavailable, "something went wrong inside"),
        ("wikipedia", ERROR_AS_SUCCESS, SearchUnavailable, "answers with an error"),
        ("tavily", TRUNCATED, SearchUnavailable, "cut off"),
        ("searxng", JSON_OFF, SearchBlocked, "enable `json` under search.formats in its settings.yml"),
        ("searxng", Fault(200), SearchUnavailable, "it is HTML"),
        ("searxng", Fault(302, location="https://login.example/"), SearchUnavailable, "redirects to login.example"),
        ("duckduckgo", CAPTCHA, SearchBlocked, "CAPTCHA"),
        ("duckduckgo", Fault(200), SearchUnavailable, "no results where they used to be"),
        ("wikipedia", OVERSIZED, SearchUnavailable, "2000000000 bytes long"),
        ("serper", BROKEN, SearchUnavailable, "broke"),
    ],
)
async def test_each_fault_gives_its_own_error(engine, fault, kind, said):
    async with serve_search(DOCUMENTS, {engine: [fault, fault]}) as stub, Search(settings_for(stub, engine)) as search:
        run = new_run()
        with pytest.raises(kind, match=said):
            await search.find(run, "library")
        assert KEY not in "".join(event.line() for event in run.trace.events)
        assert run.ledger.fare.bytes < 1000
        stub.faults.clear()
        if kind is not SearchAuth:  # which is final
            assert await search.find(run, "library")


async def test_a_slow_drip_ends_at_the_deadline_and_its_bytes_are_charged():
    drip = Fault(200, "x" * 4000, drip=0.02)
    async with (
        serve_search(DOCUMENTS, {"serper": [drip]}) as stub,
        Search(settings_for(stub, "serper", seconds=0.3)) as search,
    ):
        run = new_run()
        with pytest.raises(SearchUnavailable, match=r"within 0\.3 s"):
            await search.find(run, "library")
        assert 0 < run.ledger.fare.bytes < 4000


async def test_nobody_listens():
    settings = settings_for(None, "searxng", searxng_url="http://127.0.0.1:1")
    async with Search(settings) as search:
        with pytest.raises(SearchUnavailable, match=r"no connection to 127\.0\.0\.1:1"):
            await search.find(new_run(), "library")


async def test_what_may_pass_is_tried_again_and_paid(monkeypatch):
    monkeypatch.setattr("webfarer.web.search._BACKOFF", 0.01)
    faults = {"serper": [Fault(503, "x" * 100), Fault(200, "{", "application/json")]}
    async with serve_search(DOCUMENTS, faults) as stub, Search(settings_for(stub, "serper", retries=2)) as search:
        run = new_run()
        assert await search.find(run, "library")
        assert stub.count("serper") == 3
        assert calls(run) == ["serper"]
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, "serper")) as search:
        smooth = new_run()
        await search.find(smooth, "library")
    assert run.ledger.fare.bytes == smooth.ledger.fare.bytes + 101


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        (Fault(429, retry_after="0"), 3),
        (Fault(429, retry_after="3600"), 1),
        (Fault(429, retry_after="9" * 400), 1),
        (Fault(429, retry_after="Wed, 21 Oct 2099 07:28:00 GMT"), 1),
        (BUSY, 1),
        (Fault(403), 1),
        (Fault(404), 1),
    ],
)
async def test_what_will_not_pass_in_time_is_not_tried_again(fault, requests):
    async with (
        serve_search(DOCUMENTS, {"brave": [fault, fault]}) as stub,
        Search(settings_for(stub, "brave", retries=2)) as search,
    ):
        try:
            found = await search.find(new_run(), "library")
        except SearchError:
            found = []
    assert stub.count("brave") == requests
    assert bool(found) == (requests == 3)


async def test_a_storm_of_429_reaches_the_engine_no_more_than_the_breaker_lets():
    clock = Clock()
    async with (
        serve_search(DOCUMENTS, {"serper": [BUSY] * FAILURES}) as stub,
        Search(settings_for(stub, "serper", "brave"), clock=clock) as search,
    ):
        for number in range(10):
            assert (await search.find(new_run(), f"library {number}"))[0].engine == "brave"
        assert stub.count("serper") == FAILURES
        clock.now += PAUSE
        assert (await search.find(new_run(), "library hours"))[0].engine == "serper"
        assert (await search.find(new_run(), "library garden"))[0].engine == "serper"


async def test_a_failed_trial_opens_the_breaker_again():
    clock = Clock()
    async with (
        serve_search(DOCUMENTS, {"serper": [Fault(500)] * 9}) as stub,
        Search(settings_for(stub, "serper"), clock=clock) as search,
    ):
        for asked in (1, 2, 3, 3):
            with pytest.raises(SearchUnavailable):
                await search.find(new_run(), "library")
            assert stub.count("serper") == asked
        clock.now += PAUSE
        for _ in range(2):
            with pytest.raises(SearchUnavailable):
                await search.find(new_run(), "library")
        assert stub.count("serper") == FAILURES + 1


async def test_a_refused_key_is_not_shown_again_in_this_session():
    clock = Clock()
    async with (
        serve_search(DOCUMENTS, key="another") as stub,
        Search(settings_for(stub, "tavily"), clock=clock) as search,
    ):
        for number in range(4):
            clock.now += 1e6
            with pytest.raises(SearchAuth) as caught:
                await search.find(new_run(), f"library {number}")
        assert stub.count("tavily") == 1
        assert "for this session" in caught.value.message


async def test_retry_after_keeps_the_engine_alone_for_as_long():
    clock = Clock()
    async with (
        serve_search(DOCUMENTS, {"brave": [Fault(429, retry_after="300")]}) as stub,
        Search(settings_for(stub, "brave"), clock=clock) as search,
    ):
        for wait, requests in ((0, 1), (299, 1)):
            clock.now += wait
            with pytest.raises(SearchRateLimited):
                await search.find(new_run(), "library")
            assert stub.count("brave") == requests
        clock.now += 1
        assert await search.find(new_run(), "library")


@given(st.lists(st.sampled_from(["ok", "nothing", "fail", "cancel", "wait"]), max_size=30))
def test_a_breaker_passes_calls_exactly_while_it_should(steps):
    clock = Clock()
    breaker, failures, opened = Breaker("x", clock), 0, -PAUSE
    for step in steps:
        if step == "wait":
            clock.now += PAUSE / 2
            continue
        kind = {"nothing": NoResults, "fail": SearchUnavailable, "cancel": asyncio.CancelledError}.get(step)
        passed = False
        try:
            with breaker.attempt():
                passed = True
                if kind:
                    raise kind("x")
        except (SearchError, asyncio.CancelledError):
            pass
        assert passed == (failures < FAILURES or clock.now >= opened + PAUSE)
        if passed and step != "cancel":
            failures = failures + 1 if step == "fail" else 0
            opened = clock.now if failures >= FAILURES else opened


def test_only_one_trial_at_a_time():
    clock = Clock()
    breaker = Breaker("x", clock)
    for _ in range(FAILURES):
        with pytest.raises(SearchUnavailable), breaker.attempt():
            raise SearchUnavailable("down")
    clock.now += PAUSE
    with breaker.attempt():
        with pytest.raises(SearchUnavailable) as caught, breaker.attempt():
            raise AssertionError("a second trial passed")
        assert caught.value.detail["skipped"]
    with breaker.attempt():
        pass


async def test_a_key_that_an_engine_repeats_is_shown_nowhere(capsys, caplog):
    """The stub's 401 repeats the key."""
    caplog.set_level(0)
    async with serve_search(DOCUMENTS, key="another") as stub:
        for engine in ("serper", "brave", "tavily"):
            async with Search(settings_for(stub, engine)) as search:
                run = new_run()
                with pytest.raises(SearchAuth) as caught:
                    await search.find(run, "library")
                shown = f"{caught.value} {caught.value.to_dict()} {[event.line() for event in run.trace.events]}"
                chain = caught.value.__context__
                while chain is not None:
                    shown += f"{chain!r} {chain.__dict__}"
                    chain = chain.__context__
                assert KEY not in shown + repr(search._settings) + caplog.text
    assert KEY not in "".join(capsys.readouterr())


async def test_results_are_read_whatever_their_coding():
    body = json.dumps({"results": [{"url": "https://a.example/", "title": "Café", "content": "x"}]})

    async def handle(request):
        packed = gzip.compress(body.encode("latin-1" if "latin" in request.query["q"] else "utf-8"))
        kind = "application/json; charset=iso-8859-1" if "latin" in request.query["q"] else "application/json"
        return web.Response(body=packed, headers={"Content-Encoding": "gzip", "Content-Type": kind})

    async with listen(handle) as site, Search(settings_for(None, "searxng", searxng_url=site.url)) as search:
        assert (await search.find(new_run(), "café"))[0].title == "Café"
        assert (await search.find(new_run(), "latin café"))[0].title == b"Caf\\u00e9".decode("unicode_escape")


async def test_a_bomb_in_gzip_is_no_answer():
    async def handle(request):
        return web.Response(body=gzip.compress(b"[" * 50_000_000), headers={"Content-Encoding": "gzip"})

    async with listen(handle) as site, Search(settings_for(None, "searxng", searxng_url=site.url)) as search:
        with pytest.raises(SearchUnavailable, match="larger than 2000000 bytes"):
            await search.find(new_run(), "library")
