from urllib.parse import urlsplit

import pytest
from aiohttp import web
from fetch_kit import answer, chain, fetcher

from webfarer.core.errors import (
    AddressRefused,
    RedirectLoop,
    Refused,
)
from webfarer.worlds.server import listen


async def test_redirects_are_followed_up_to_the_limit() -> None:
    async with listen(chain) as site, fetcher() as f:
        got = await f.fetch(site.url + "5")
        assert (got.body, got.final_url, got.wire_bytes) == (b"end", site.url + "0", 3)
        assert got.redirects == tuple(f"{site.url}{n}" for n in (4, 3, 2, 1, 0))
        with pytest.raises(RedirectLoop, match="more than 5") as caught:
            await f.fetch(site.url + "6")
    assert len(caught.value.detail["redirects"]) == 5
    assert site.requests.count("/0") == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_redirect_status_is_followed(status: int) -> None:
    async with listen(answer) as site, fetcher() as f:
        got = await f.fetch(f"{site.url}?status={status}&header=Location:/?body=there%23part")
    assert (got.body, got.final_url) == (b"there", site.url + "?body=there")


async def test_a_redirect_without_target_is_an_answer() -> None:
    async with listen(answer) as site, fetcher() as f:
        assert (await f.fetch(site.url + "?status=302")).status == 302


@pytest.mark.parametrize("target", ["/0?to=/1%3Fx", "/"])
async def test_circles_are_noticed_at_once(target: str) -> None:
    async def circle(request: web.BaseRequest) -> web.StreamResponse:
        other = "/b" if request.path == "/a" else "/a"
        return web.Response(status=302, headers={"Location": other if target != "/" else request.path})

    async with listen(circle) as site, fetcher() as f:
        with pytest.raises(RedirectLoop, match="circle"):
            await f.fetch(site.url + "a")
    assert len(site.requests) <= 2


PRIVATE = [
    "http://169.254.169.254/",
    "http://10.0.0.1/",
    "http://[::1]:1234/",
    "//2130706433:1/",
    "http://localhost:8009/",
]


@pytest.mark.parametrize("hops", [0, 1, 3])
@pytest.mark.parametrize("target", PRIVATE)
async def test_redirects_to_private_addresses_are_refused_on_every_hop(target: str, hops: int) -> None:
    async with listen(chain) as site:
        allowed = site.url.removeprefix("http://").rstrip("/")
        async with fetcher(allow_private=(allowed,)) as f:
            with pytest.raises(AddressRefused) as caught:
                await f.fetch(f"{site.url}{hops}?to={target}")
    assert len(caught.value.detail["redirects"]) == hops + 1
    assert len(site.requests) == hops + 1


async def test_a_redirect_to_another_port_of_the_machine_is_refused() -> None:
    async with (
        listen(chain) as site,
        listen(answer) as inner,
        fetcher(allow_private=(urlsplit(site.url).netloc,)) as f,
    ):
        with pytest.raises(AddressRefused):
            await f.fetch(f"{site.url}0?to={inner.url}")
    assert inner.requests == []


@pytest.mark.parametrize("target", ["ftp://a.example/", "file:///etc/passwd", "http://u:p@a.example/", "http://a:22/"])
async def test_redirects_to_what_is_no_web_page_are_refused(target: str) -> None:
    async with listen(chain) as site, fetcher() as f:
        with pytest.raises(Refused):
            await f.fetch(f"{site.url}0?to={target}")
