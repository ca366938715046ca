"""The search client: order, scope, cache, limits, and that a run's record replaces the network."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from search_kit import DOCUMENTS, KEY, ONLINE, calls, new_run, settings_for

from webfarer.core.config import SearchSettings, Settings
from webfarer.core.errors import (
    BudgetExceeded,
    ConfigError,
    NoResults,
    ReplayMismatch,
    SearchAuth,
    SearchUnavailable,
    UnknownPlugin,
    WebfarerError,
)
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import TRACE_VERSION, Trace, read_events
from webfarer.core.types import Hit
from webfarer.web.archive import Archive
from webfarer.web.corpus import DOMAIN
from webfarer.web.fetch import Response
from webfarer.web.scope import Scope
from webfarer.web.search import Search, _kept
from webfarer.web.searching import Query
from webfarer.worlds.searchserver import BROKEN, BUSY, CAPTCHA, Fault, serve_search


@pytest.mark.parametrize("engine", ONLINE)
async def test_every_engine_over_http(engine):
    async with serve_search(DOCUMENTS, key=KEY) as stub, Search(settings_for(stub, engine)) as search:
        run = new_run()
        found = await search.find(run, "library of Ashford")
        assert found[0].title in {document.title for document in DOCUMENTS[:3]}
        assert {hit.engine for hit in found} == {engine}
        assert [name for name, _ in stub.asked] == calls(run) == [engine]
        assert run.ledger.fare.bytes > 100
        assert KEY not in "".join(event.line() for event in run.trace.events)
        assert "webfarer/" in stub.headers[0]["user-agent"]
        assert "cookie" not in stub.headers[0]


@pytest.mark.parametrize("engine", [name for name in ONLINE if name != "wikipedia"])
@pytest.mark.parametrize(
    ("site", "urls"),
    [
        ("ashford.example", {DOCUMENTS[0].url, DOCUMENTS[1].url, DOCUMENTS[2].url}),
        ("https://ashford.example/library/", {DOCUMENTS[0].url, DOCUMENTS[2].url}),  # "librarian" is another segment
        ("example", set()),
    ],
)
async def test_nothing_outside_the_sites(engine, site, urls):
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, engine)) as search:
        try:
            found = await search.find(new_run(), "library Ashford", sites=[site])
        except NoResults:
            found = []
        assert {hit.url for hit in found} <= urls
        assert bool(found) == bool(urls)


URLS = st.builds(
    lambda host, path: f"https://{host}/{path}",
    st.sampled_from(["a.example", "www.a.example", "b.a.example", "a.example.evil.example", "a.example:8443"]),
    st.sampled_from(["", "docs", "docs/", "docs/x", "docs-old/x", "docs/../x", "%64ocs/x", "DOCS/x"]),
)


@given(urls=st.lists(URLS, max_size=8), site=st.sampled_from(["a.example", "a.example/docs", "b.a.example/docs"]))
def test_the_scope_holds_whatever_an_engine_returns(urls, site):
    hits = [Hit(url=url, title=url) for url in urls]
    kept = _kept("x", Query("x", sites=(site,)), hits)
    assert all(Scope(f"https://{site}").holds(hit.url) for hit in kept)
    assert not any("evil" in hit.url or "docs-old" in hit.url for hit in kept if "docs" in site)


async def test_since_drops_what_is_known_to_be_older():
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, "searxng")) as search:
        found = await search.find(new_run(), "library", since=2024)
        assert {hit.date for hit in found} == {"2024-03-05", ""}


async def test_the_first_engine_that_answers_is_the_last_one_asked():
    faults = {"searxng": [BROKEN, BROKEN], "serper": [Fault(500)], "brave": [BUSY]}
    async with serve_search(DOCUMENTS, faults) as stub, Search(settings_for(stub)) as search:
        run = new_run()
        found = await search.find(run, "library")
        assert calls(run) == ["searxng", "serper", "brave", "tavily"]
        assert {hit.engine for hit in found} == {"tavily"}


async def test_nothing_found_goes_on_to_the_next_engine():
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, "serper", "brave")) as search:
        run = new_run()
        with pytest.raises(NoResults) as caught:
            await search.find(run, "quetzalcoatl")
        assert calls(run) == ["serper", "brave"]
        assert caught.value.detail["engines"]["brave"]["error"] == "NoResults"


async def test_the_most_telling_failure_is_raised_with_all_of_them():
    faults = {"searxng": [Fault(503)], "duckduckgo": [CAPTCHA], "serper": [Fault(401)]}
    engines = ("searxng", "duckduckgo", "serper")
    async with serve_search(DOCUMENTS, faults) as stub, Search(settings_for(stub, *engines)) as search:
        with pytest.raises(SearchAuth) as caught:
            await search.find(new_run(), "library")
        told = caught.value.detail["engines"]
        assert [told[name]["error"] for name in engines] == ["SearchUnavailable", "SearchBlocked", "SearchAuth"]
        assert "correct SERPER_API_KEY" in caught.value.message


async def test_the_same_query_twice_costs_one_request():
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, "serper")) as search:
        run, other = new_run(), new_run("other")
        first, second = await asyncio.gather(search.find(run, "library hours"), search.find(other, "library  hours "))
        assert first == second
        spent = run.ledger.fare.bytes + other.ledger.fare.bytes
        assert await search.find(run, "library hours") == first
        assert run.ledger.fare.bytes + other.ledger.fare.bytes == spent
        assert stub.count("serper") == 1
        await search.find(run, "library hours", sites=["ashford.example"])
        assert stub.count("serper") == 2


@pytest.mark.parametrize("engine", ONLINE)
async def test_a_query_is_cut_to_what_may_leave(engine):
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, engine)) as search:
        await search.find(new_run(), "library " + "secret " * 2000)
        [(_, text)] = stub.asked
        assert len(text) <= 400
        assert text.endswith("secret")


async def test_queries_to_one_engine_keep_their_distance(monkeypatch):
    real, pauses = asyncio.sleep, []

    async def sleep(seconds):
        pauses.append(seconds)
        await real(0)

    monkeypatch.setattr("webfarer.web.politeness.asyncio.sleep", sleep)
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, "serper", delay=7)) as search:
        for text in ("library", "bridge", "garden"):
            await search.find(new_run(), text)
    waited = [pause for pause in pauses if pause > 1]
    assert len(waited) == 2
    assert 6 < waited[0] <= 7
    assert 13 < waited[1] <= 14


async def test_an_empty_query_and_sites_that_are_none():
    async with Search(settings_for(None)) as search:
        run = new_run()
        with pytest.raises(NoResults):
            await search.find(run, " \n ")
        with pytest.raises(ConfigError, match="is no site"):
            await search.find(run, "library", sites=["not a host"])
        assert run.trace.events == []


def test_settings_that_cannot_work_are_told_at_once():
    with pytest.raises(UnknownPlugin, match="known: brave"):
        Search(settings_for(None, "altavista"))
    with pytest.raises(ConfigError, match="localhost:8080"):
        Search(settings_for(None, "searxng", searxng_url="localhost:8080"))
    with pytest.raises(ValueError, match="user name"):
        SearchSettings(bases={"serper": "https://me:pw@gateway.example"})


def test_serper_base_url_as_others_call_it(monkeypatch):
    monkeypatch.setenv("SERPER_BASE_URL", "https://gateway.example/serper")
    assert Settings(_env_file=None).serper_base_url == "https://gateway.example/serper"


async def test_an_engine_that_lacks_its_key_says_which():
    async with Search(settings_for(None, "brave", brave_api_key="")) as search:
        with pytest.raises(SearchAuth, match="set BRAVE_API_KEY"):
            await search.find(new_run(), "library")


async def test_the_archive_is_searched_without_a_request():
    with Archive() as archive:
        async with Search(settings_for(None, "local"), archive) as search:
            run = new_run()
            with pytest.raises(NoResults):
                await search.find(run, "library")
            assert calls(run) == ["local"]
    async with Search(settings_for(None, "local")) as search:
        with pytest.raises(SearchUnavailable, match="needs an archive"):
            await search.find(new_run(), "library")


async def test_the_archive_is_searched_anew_each_time_and_its_folders_are_told_to_nobody():
    folder = f"notes-0a1b2c3d.{DOMAIN}"
    page = b"<html><title>Notes</title><body><p>The clock tower of Ashford stands still.</p></body></html>"
    async with serve_search(DOCUMENTS) as stub:
        with Archive() as archive:
            async with Search(settings_for(stub, "local", "searxng"), archive) as search:
                with pytest.raises(NoResults):
                    await search.find(new_run(), "clock tower", sites=[folder])
                archive.keep(Response(*[f"https://{folder}/a.html"] * 2, 200, {"content-type": "text/html"}, page, 0))
                found = await search.find(new_run(), "clock tower", sites=[folder])
                assert [(hit.engine, hit.title) for hit in found] == [("local", "Notes")]
                assert stub.asked == []
                with pytest.raises(NoResults):
                    await search.find(new_run(), "quetzalcoatl", sites=[folder, "ashford.example"])
                assert stub.asked == [("searxng", "quetzalcoatl site:ashford.example")]


async def test_replay_mode_of_the_archive_asks_no_engine():
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, archive="replay")) as search:
        with pytest.raises(SearchUnavailable, match="replay"):
            await search.find(new_run(), "library")
        assert stub.asked == []


async def test_a_budget_without_room_asks_nobody():
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub)) as search:
        run = Run("r", Trace.create(None), Budget(bytes=0))
        with pytest.raises(BudgetExceeded):
            await search.find(run, "library")
        assert stub.asked == []


QUESTIONS = ("library hours", "quetzalcoatl", "library hours", "bridge of iron")
FAULTS = {"serper": [None, Fault(503), Fault(401)], "searxng": [Fault(403)] * 9}


def recorded(trace):
    trace.emit("start", version=TRACE_VERSION)
    return Run("r", trace)


async def ask_all(search, run):
    """Return what the questions gave: hits, or the error."""
    said = []
    for question in QUESTIONS:
        try:
            said.append([hit.model_dump() for hit in await search.find(run, question)])
        except WebfarerError as error:
            said.append(error.to_dict())
    return said


async def test_a_replay_gives_the_same_with_the_servers_closed(tmp_path):
    path = tmp_path / "run.jsonl"
    async with serve_search(DOCUMENTS, FAULTS) as stub:
        settings = settings_for(stub, "searxng", "serper", "brave")
        async with Search(settings) as search:
            run = recorded(Trace.create(path))
            live = await ask_all(search, run)
            run.trace.close()
    assert KEY not in path.read_text()
    keyless = settings.model_copy(
        update={"serper_api_key": SecretStr(""), "brave_api_key": SecretStr(""), "searxng_url": ""}
    )
    async with Search(keyless) as search:
        again = recorded(Trace.replay(path))
        assert await ask_all(search, again) == live
        assert again.ledger.fare.bytes == run.ledger.fare.bytes
        with pytest.raises(ReplayMismatch):
            await search.find(again, "something else")


@pytest.mark.parametrize("lines", range(1, 18, 3))
async def test_a_killed_run_repeats_no_recorded_call(tmp_path, lines):
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    async with serve_search(DOCUMENTS, FAULTS) as stub, Search(settings_for(stub, "searxng", "serper")) as search:
        run = recorded(Trace.create(whole))
        await ask_all(search, run)
        run.trace.close()
    kept = whole.read_text().splitlines(keepends=True)[:lines]
    cut.write_text("".join(kept))
    done = [json.loads(line) for line in kept]
    answered = {event["data"]["call"] for event in done if event["type"] == "result"}
    finished = [e["data"]["request"] for e in done if e["type"] == "call" and e["seq"] in answered]
    async with serve_search(DOCUMENTS) as stub, Search(settings_for(stub, "searxng", "serper")) as search:
        resumed = recorded(Trace.resume(cut))
        await ask_all(search, resumed)
        resumed.trace.close()
        performed = [e.data["request"] for e in read_events(cut) if e.type == "call"][len(finished) :]
        assert len(stub.asked) <= len(performed)
        wanted = {
            (request["engine"], request["query"] if "query" in request else request["text"]) for request in performed
        }
        assert set(stub.asked) <= wanted
