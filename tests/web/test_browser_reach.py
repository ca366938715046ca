"""Whatever a page's scripts try: nothing but the web that the guard allows is ever reached."""

import asyncio
from collections.abc import Sequence

import pytest
from browser_kit import browsing, canary, needs_chromium, pages, text_of

from webfarer.core.errors import AddressRefused, FetchError, Refused, Unreachable
from webfarer.web.chromium import Chromium
from webfarer.web.guard import Guard
from webfarer.web.proxy import Proxy
from webfarer.worlds.scripts import REACH, reaching

pytestmark = needs_chromium

# What a page may do where the guard allows it; the other ways carry no text, or send something.
LET_THROUGH = {"fetch", "post", "xhr", "script", "style", "location", "refresh"}
FEW = ("fetch", "script", "socket", "worker", "location", "turn")


def all_ways(target: str) -> dict[str, str]:
    return {way: reaching(way, target) for way in REACH}


async def rebinding(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


TARGETS = ["http://127.0.0.1:{}/", "http://localhost:{}/", "http://[::1]:{}/", "http://rebind.example:{}/",
           "http://2130706433:{}/", "http://[::ffff:127.0.0.1]:{}/"]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
async def test_no_way_leads_to_a_server_of_this_machine(target: str) -> None:
    ways = REACH if target == TARGETS[0] else FEW
    async with canary() as bird, pages(**all_ways(target.format(bird.port))) as site:
        async with browsing(site.url, lookup=rebinding) as browser:
            responses = await asyncio.gather(*[browser.open(f"{site.url}{way}", seconds=60) for way in ways])
        assert not bird.visits
        for way, response in zip(ways, responses, strict=True):
            assert "Harmless words." in text_of(response), way
            assert "LEAKED" not in text_of(response).partition("<script>")[0], way


async def test_the_same_ways_lead_to_a_server_that_is_allowed() -> None:
    async with canary() as bird, pages(**all_ways(f"http://127.0.0.1:{bird.port}/")) as site:
        async with browsing(site.url, f"127.0.0.1:{bird.port}") as browser:
            reached = set()
            for way in REACH:
                bird.visits.clear()
                await asyncio.gather(browser.open(f"{site.url}{way}", seconds=30), return_exceptions=True)
                if bird.visits:
                    reached.add(way)
        assert reached >= LET_THROUGH
        assert not reached & {"image", "video", "frame", "form", "form-get", "open", "beacon", "ping", "events"}, (
            reached
        )


async def test_the_proxy_alone_holds_every_way() -> None:
    async with canary() as bird, pages(**all_ways(f"http://127.0.0.1:{bird.port}/")) as site:
        guard = Guard([site.url.removeprefix("http://").strip("/")])
        async with Proxy(guard) as proxy, proxy.session(1e8, private=True) as session:
            chromium = await Chromium.start("", proxy.url)
            try:
                way_out = {"server": proxy.url, "username": session.username, "password": session.password}
                context = await chromium.browser.new_context(proxy=way_out)
                for way in REACH:
                    page = await context.new_page()
                    await page.goto(f"{site.url}{way}", wait_until="commit")
                await asyncio.sleep(3)
            finally:
                await chromium.end()
        assert not bird.visits
        assert ("127.0.0.1", bird.port) in session.failures
        assert {f"/{way}" for way in REACH} <= set(site.requests)


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "chrome://version/", "view-source:U"]
)
async def test_addresses_that_no_page_may_see(target: str) -> None:
    ways = {"fetch", "xhr", "frame", "location", "refresh", "open", "script", "object"}
    async with pages(**{way: reaching(way, target.replace("view-source:U", "view-source:http://a.example/"))
                        for way in ways}) as site, browsing(site.url) as browser:  # fmt: skip
        for response in await asyncio.gather(*[browser.open(f"{site.url}{way}", seconds=60) for way in ways]):
            text = text_of(response).partition("<script>")[0]
            assert "Harmless words." in text
            assert "LEAKED" not in text
            assert "root:" not in text


@pytest.mark.parametrize("url", ["file:///etc/passwd", "chrome://version", "data:text/html,x", "about:blank", "blob:x"])
async def test_only_web_addresses_are_opened(url: str) -> None:
    async with browsing() as browser:
        with pytest.raises(Refused):
            await browser.open(url, seconds=10)


async def test_redirects_to_private_addresses_are_refused() -> None:
    from aiohttp import web

    from webfarer.worlds.server import listen

    async with canary() as bird:

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": request.query["to"]})

        async with listen(handle) as site, browsing(site.url, lookup=rebinding) as browser:
            for to in (
                f"http://127.0.0.1:{bird.port}/",
                f"http://rebind.example:{bird.port}/",
                "http://169.254.169.254/",
            ):
                with pytest.raises(FetchError) as caught:
                    await browser.open(f"{site.url}?to={to}", seconds=30)
                assert "is not a public address" in caught.value.message
            with pytest.raises(Unreachable):
                await browser.open(f"{site.url}?to=file:///etc/passwd", seconds=30)
        assert not bird.visits


@pytest.mark.parametrize("move", ["location = 'about:blank'", "location = URL.createObjectURL(new Blob(['secret']))"])
async def test_a_page_that_leaves_the_web_shows_nothing(move: str) -> None:
    async with pages(start=f"<p>Here</p><script>{move}</script>") as site, browsing(site.url) as browser:
        with pytest.raises(Refused, match="no web page"):
            await browser.open(f"{site.url}start", seconds=30)


async def test_a_public_page_cannot_use_what_the_user_opened() -> None:
    """What stands in allow_private is for pages that stand there too."""
    async with canary() as bird:
        async with Proxy(Guard([f"127.0.0.1:{bird.port}"])) as proxy, proxy.session(1e6, private=False) as session:
            chromium = await Chromium.start("", proxy.url)
            try:
                way_out = {"server": proxy.url, "username": session.username, "password": session.password}
                page = await (await chromium.browser.new_context(proxy=way_out)).new_page()
                with pytest.raises(Exception, match="ERR_"):
                    await page.goto(f"http://127.0.0.1:{bird.port}/")
            finally:
                await chromium.end()
        assert not bird.visits
        assert isinstance(session.failures["127.0.0.1", bird.port], AddressRefused)
