"""Pages that are empty without JavaScript, through the whole client: fetched, opened in Chromium, walked, replayed."""

import asyncio
from pathlib import Path

import pytest
from browser_kit import needs_chromium

from webfarer.agents.runs import Options, replay, walk
from webfarer.core.config import Settings, WebSettings
from webfarer.core.errors import ConfigError, Unreachable
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import PageKind, StopReason
from webfarer.web.browser import Browser
from webfarer.web.client import Web
from webfarer.web.fetch import RENDERED
from webfarer.worlds.scripts import serve_app
from webfarer.worlds.server import html_response, listen


def settings(home: Path, **changes: object) -> Settings:
    return Settings(home=home, web=WebSettings(allow_private=("127.0.0.1",)), **changes)


async def test_without_a_browser_the_plain_page_is_kept_and_the_trace_says_why(tmp_path: Path) -> None:
    run = Run("r", Trace.create())
    async with serve_app() as site, Web(settings(tmp_path, chromium="/no/such/chromium")) as web:
        page = await web.open(run, site.url)
    assert page.kind is PageKind.EMPTY or not page.links
    (trouble,) = [event for event in run.trace.events if event.type == "degraded"]
    assert "hromium" in trouble.data["message"]


async def test_when_a_browser_is_a_must_its_lack_is_an_error(tmp_path: Path) -> None:
    chosen = settings(tmp_path, chromium="/no/such/chromium", browser="always")
    async with serve_app() as site, Web(chosen) as web:
        with pytest.raises(ConfigError, match="hromium"):
            await web.open(Run("r", Trace.create()), site.url)


async def test_never_means_never_and_a_full_page_needs_none(tmp_path: Path) -> None:
    async def full(request: object) -> object:
        return html_response("<main><h1>Hours</h1><p>" + "Open daily. " * 80 + "</p></main><script>f()</script>")

    for mode, server in (("never", serve_app()), ("auto", listen(full))):
        run = Run("r", Trace.create())
        async with server as site, Web(settings(tmp_path / mode, browser=mode, chromium="/no/such")) as web:
            await web.open(run, site.url)
        assert [event.type for event in run.trace.events] == ["call", "result"]


async def crash(browser: Browser, url: str, **limits: object) -> None:
    raise Unreachable("the browser ended", cost={"bytes": 700})


async def test_what_a_browser_received_before_it_failed_is_charged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Browser, "open", crash)
    run = Run("r", Trace.create())
    async with serve_app() as site, Web(settings(tmp_path)) as web:
        page = await web.open(run, site.url)
        plain = web.archive.record(page.id)
    assert plain is not None
    assert run.ledger.fare.bytes == plain.wire_bytes + 700


async def test_pages_that_need_a_browser_at_once_share_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Browser] = []

    async def start(browser: Browser) -> Browser:
        started.append(browser)
        await asyncio.sleep(0)
        return browser

    async def end(browser: Browser, *error: object) -> None:
        started.remove(browser)

    monkeypatch.setattr(Browser, "__aenter__", start)
    monkeypatch.setattr(Browser, "__aexit__", end)
    monkeypatch.setattr(Browser, "open", crash)
    both = asyncio.Barrier(2)
    async with serve_app() as site, Web(settings(tmp_path)) as web:
        monkeypatch.setattr(web._fetcher, "permit", lambda url: both.wait())
        await asyncio.gather(*(web.open(Run(name, Trace.create()), site.url) for name in "ab"))
        assert len(started) == 1
    assert started == []


class TestInChromium:
    pytestmark = needs_chromium

    async def test_a_site_made_by_scripts_is_walked_and_replayed(self, tmp_path: Path) -> None:
        chosen = settings(tmp_path)
        async with serve_app() as site:
            answer = await walk(site.url, "How many visitors does the reading room seat?", options=Options(chosen))
        assert answer.stop_reason is StopReason.ANSWERED
        assert "84" in answer.text
        assert answer.verified
        assert await replay(answer.run, options=Options(chosen)) == answer

    async def test_the_archive_holds_what_the_browser_showed(self, tmp_path: Path) -> None:
        run = Run("r", Trace.create())
        async with serve_app() as site, Web(settings(tmp_path)) as web:
            page = await web.open(run, site.url)
            record = web.archive.record(page.id)
        assert page.links
        assert record is not None
        assert record.headers[RENDERED] == "chromium"
        assert run.ledger.fare.bytes == record.wire_bytes > len(record.body) / 10
