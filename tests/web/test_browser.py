"""Pages that exist only after JavaScript, through a real Chromium; and pages that never come to an end."""

import asyncio
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from browser_kit import browsing, needs_chromium, pages, text_of

from webfarer.core.errors import (
    FetchError,
    FetchTimeout,
    NotReadable,
    RedirectLoop,
    RobotsRefused,
    TooLarge,
    Unreachable,
)
from webfarer.web.browser import RENDERED
from webfarer.web.extract import read_page
from webfarer.worlds.scripts import ROOMS, serve_app, serve_misdeeds

pytestmark = needs_chromium


def children() -> set[str]:
    """Return the command lines of what this process started and still runs."""
    pids = subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, text=True, check=False).stdout.split()
    lines = {Path(f"/proc/{pid}/cmdline") for pid in pids}
    return {line.read_text() for line in lines if line.exists() and "playwright" in line.read_text()}


async def test_an_application_is_read_link_by_link() -> None:
    async with serve_app() as site, browsing(site.url) as browser:
        start = await browser.open(site.url, seconds=30)
        assert (start.url, start.final_url, start.status, start.redirects) == (site.url, site.url, 200, ())
        assert start.headers[RENDERED] == "chromium"
        page = read_page(start.body, url=start.final_url, content_type=start.headers["content-type"])
        assert page.title == "The house"
        assert [link.url for link in page.links] == [f"{site.url}rooms/{room}" for room in ROOMS]
        assert page.links[0].heading == "The house"
        for link, fact in zip(page.links, ROOMS.values(), strict=True):
            room = await browser.open(link.url, seconds=30)
            assert fact in read_page(room.body, url=room.final_url).markdown
            assert room.wire_bytes > len(fact)


async def test_shadow_trees_are_read_where_they_show() -> None:
    html = """<x-card><b slot=name>Ida</b></x-card><script>customElements.define("x-card", class extends HTMLElement {
        connectedCallback() { this.attachShadow({mode: "open"}).innerHTML =
        "<p>Founder: <slot name=name>nobody</slot> <slot name=more>and others</slot> <a href=/bio>Life</a></p>"; }});
        </script>"""
    async with pages(card=html) as site, browsing(site.url) as browser:
        answer = await browser.open(f"{site.url}card", seconds=30)
    page = read_page(answer.body, url=answer.final_url)
    assert page.markdown == "Founder: Ida and others Life"
    assert [link.url for link in page.links] == [f"{site.url}bio"]


async def test_scripts_may_lead_on_where_the_caller_permits() -> None:
    asked = []

    async def permit(url: str) -> None:
        asked.append(url)
        if url.endswith("secret"):
            raise RobotsRefused("no")

    moved = "<p>Old {0}</p><script>location = '/{0}'</script>"
    async with pages(a=moved.format("new"), b=moved.format("secret"), new="<p>New</p>", secret="<p>Secret</p>") as site:
        async with browsing(site.url) as browser:
            new = await browser.open(f"{site.url}a", seconds=30, permit=permit)
            assert "New" in text_of(new)
            assert (new.final_url, new.redirects) == (f"{site.url}new", (f"{site.url}new",))
            old = await browser.open(f"{site.url}b", seconds=30, permit=permit)
            assert "<p>Old secret</p>" in text_of(old)
            assert old.final_url == f"{site.url}b"
        assert asked == [f"{site.url}new", f"{site.url}secret"]
        assert "/secret" not in site.requests


async def test_what_is_no_page() -> None:
    async with pages(page="<p>x</p>") as site, browsing(site.url) as browser:
        missing = await browser.open(f"{site.url}missing", seconds=30)
        assert missing.status == 404
        with pytest.raises(Unreachable, match=r"nowhere\.invalid.* is unknown"):
            await browser.open("http://nowhere.invalid/", seconds=30)
        with pytest.raises(FetchError) as caught:
            await browser.open("http://127.0.0.1:9/", seconds=30)
        assert "is not" in caught.value.message


async def test_pages_share_neither_cookies_nor_storage() -> None:
    html = """<p id=p>Seen: </p><script>p.textContent += document.cookie + (localStorage.mark || "nothing");
        document.cookie = "mark=cookie; path=/"; localStorage.mark = "storage";</script>"""
    async with pages(mark=html) as site, browsing(site.url) as browser:
        for _ in range(2):
            assert "Seen: nothing<" in text_of(await browser.open(f"{site.url}mark", seconds=30))
    async with pages(mark=html) as site, browsing(site.url) as browser:
        assert "Seen: nothing<" in text_of(await browser.open(f"{site.url}mark", seconds=30))


ENDS: dict[str, type[FetchError] | tuple[type[FetchError], ...] | None] = {
    "spin": FetchTimeout,
    "alerts": FetchTimeout,
    "flood": None,
    "poll": None,
    "hoard": (Unreachable, FetchTimeout),  # it crashes, unless the machine is too slow to fill the memory in time
    "popups": None,
    "heavy": TooLarge,
}
ENDLESS = {"spin", "alerts", "hoard"}


async def test_every_misdeed_comes_to_an_end() -> None:
    async with serve_misdeeds() as site, browsing(site.url, max_wire_bytes=500_000, total_seconds=120) as browser:
        ends: dict[str, object] = {}
        # those that take the machine to themselves until their time is up do not share it with those that must end
        for seconds, names in (20, ENDLESS), (120, ENDS.keys() - ENDLESS):
            opened = [browser.open(f"{site.url}{name}", seconds=seconds) for name in names]
            ends |= zip(names, await asyncio.gather(*opened, return_exceptions=True), strict=True)
        for name, expected in ENDS.items():
            end = ends[name]
            if expected is None:
                assert not isinstance(end, BaseException), (name, end)
                assert "Before" in text_of(end)
            else:
                assert isinstance(end, expected), (name, end)
                assert end.cost["bytes"] > 0
                assert end.detail["url"] == f"{site.url}{name}"
        after = await browser.open(f"{site.url}popups", seconds=30)
        assert "Before" in text_of(after)


@pytest.mark.parametrize("name", ["chase", "leave"])
async def test_a_page_that_moves_on_without_end_is_a_loop(name: str) -> None:
    # one at a time and two moves: on a slow machine a page that moves seldom is read as it is before it has made ten
    async with serve_misdeeds() as site, browsing(site.url, max_redirects=2) as browser:
        with pytest.raises(RedirectLoop) as caught:
            await browser.open(f"{site.url}{name}", seconds=60)
        assert caught.value.cost["bytes"] > 0
        assert caught.value.detail["url"] == f"{site.url}{name}"


async def test_the_callers_bounds_are_named() -> None:
    async with serve_misdeeds() as site, browsing(site.url) as browser:
        with pytest.raises(TooLarge) as large:
            await browser.open(f"{site.url}heavy", seconds=30, max_bytes=1000)
        assert large.value.detail["bound"] == "bytes"
        with pytest.raises(FetchTimeout) as late:
            await browser.open(f"{site.url}spin", seconds=3)
        assert late.value.detail["bound"] == "seconds"


async def test_a_page_that_is_open_when_all_of_chromium_ends_is_read_in_a_new_one() -> None:
    html = "<p>Words</p><script>const until = Date.now() + 2000; while (Date.now() < until);</script>"
    async with pages(page="<p>x</p>", long=html) as site, browsing(site.url) as browser:
        await browser.open(f"{site.url}page", seconds=30)
        assert browser._chromium is not None
        opened = asyncio.create_task(browser.open(f"{site.url}long", seconds=60))
        await asyncio.sleep(1)
        os.kill((await browser._chromium)._pid, signal.SIGKILL)
        assert "Words" in text_of(await opened)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_dead_or_hung_chromium_is_replaced(stop: signal.Signals) -> None:
    async with pages(page="<p>Words</p>") as site, browsing(site.url) as browser:
        await browser.open(f"{site.url}page", seconds=30)
        assert browser._chromium is not None
        os.kill((await browser._chromium)._pid, stop)
        if stop is signal.SIGSTOP:
            with pytest.raises(FetchError):
                await browser.open(f"{site.url}page", seconds=3)
        await asyncio.sleep(0.5)
        assert "Words" in text_of(await browser.open(f"{site.url}page", seconds=30))


async def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="wf") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        async with serve_misdeeds() as site, browsing(site.url) as browser:
            with pytest.raises(FetchTimeout):  # while it starts
                await browser.open(f"{site.url}popups", seconds=0.2)
            await browser.open(f"{site.url}popups", seconds=30)
            assert children()
            with pytest.raises(FetchTimeout):
                await browser.open(f"{site.url}spin", seconds=2)
            with pytest.raises(FetchTimeout):
                await browser.open(f"{site.url}alerts", seconds=0.1)
        assert not children()
        assert not list(Path(folder).iterdir())


async def test_a_download_is_no_page() -> None:
    from aiohttp import web

    from webfarer.worlds.server import listen

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        kind = request.query["kind"]
        return web.Response(body=b"data", content_type=kind, headers={"Content-Disposition": request.query["as"]})

    async with listen(handle) as site, browsing(site.url) as browser:
        for kind, name in (("application/zip", "attachment"), ("text/plain", "inline"), ("application/pdf", "inline")):
            with pytest.raises(NotReadable):
                await browser.open(f"{site.url}?kind={kind}&as={name}", seconds=30)
