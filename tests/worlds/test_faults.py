"""Each fault behaves as its description says."""

import asyncio
import re
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from webfarer.worlds import faults
from webfarer.worlds.server import Site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with faults.serve_faults() as served:
        yield served


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        yield session


async def body(client: aiohttp.ClientSession, url: str) -> tuple[int, bytes, aiohttp.ClientResponse]:
    async with client.get(url, allow_redirects=False) as response:
        return response.status, await response.read(), response


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("404", 404, "text/html"),
        ("500", 500, "text/html"),
        ("image", 200, "image/png"),
        ("binary", 200, "application/octet-stream"),
        ("mislabelled", 200, "text/html"),
        ("blocked", 403, "text/html"),
        ("blocked-200", 200, "text/html"),
        ("login", 200, "text/html"),
        ("consent", 200, "text/html"),
        ("empty", 200, "text/html"),
        ("br", 200, "text/html"),
        ("redirect-to?url=http://127.0.0.2/", 302, "application/octet-stream"),
        ("robots.txt", 404, "text/html"),
        ("unknown", 404, "text/html"),
    ],
)
async def test_status_and_type(site: Site, client: aiohttp.ClientSession, path: str, status: int, kind: str) -> None:
    got, _, response = await body(client, site.url + path)
    assert (got, response.content_type) == (status, kind)


async def test_charsets_lie_as_described(site: Site, client: aiohttp.ClientSession) -> None:
    _, gbk, response = await body(client, site.url + "gbk")
    assert faults.CHINESE in gbk.decode("gbk")
    assert response.charset is None
    _, utf8, response = await body(client, site.url + "wrong-charset")
    assert faults.CHINESE in utf8.decode()
    assert response.charset == "iso-8859-1"


async def test_the_bomb_is_small_on_the_wire_and_large_after(site: Site, client: aiohttp.ClientSession) -> None:
    _, packed, response = await body(client, site.url + "bomb")
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(packed) < 200_000
    decoder = zlib.decompressobj(31)
    assert len(decoder.decompress(packed, 1_000_000)) == 1_000_000, "and it goes on"
    assert decoder.unconsumed_tail


async def test_streams_stop_when_the_client_leaves(site: Site, client: aiohttp.ClientSession) -> None:
    for path in ("huge", "drip"):
        async with client.get(site.url + path) as response:
            assert response.content_length is None
            assert await response.content.readexactly(1)
            response.close()


async def test_a_stalled_request_ends_with_the_server() -> None:
    async with aiohttp.ClientSession() as client:
        async with faults.serve_faults() as site:
            pending = asyncio.ensure_future(client.get(site.url + "stall"))
            while not site.requests:
                await asyncio.sleep(0)
            assert not pending.done()
        with pytest.raises(aiohttp.ClientError):
            await pending


async def test_redirects(site: Site, client: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.TooManyRedirects):
        await client.get(site.url + "redirect-loop")
    site.requests.clear()
    async with client.get(site.url + "redirect-chain/3") as response:
        assert response.status == 200
    assert len(site.requests) == 4
    async with client.get(site.url + "redirect-to?url=/ok") as response:
        assert response.url.path == "/ok"


@pytest.mark.parametrize(("month", "following"), [("2026/1", "2026/2"), ("2026/11", "2026/12"), ("2026/12", "2027/1")])
async def test_the_calendar_never_ends(site: Site, client: aiohttp.ClientSession, month: str, following: str) -> None:
    _, html, _ = await body(client, f"{site.url}calendar/{month}")
    assert f'href="/calendar/{following}">Next month'.encode() in html


async def test_ten_thousand_links(site: Site, client: aiohttp.ClientSession) -> None:
    _, html, _ = await body(client, site.url + "links")
    assert html.count(b"<a href") == faults.LINK_COUNT


async def test_busy_then_fine(site: Site, client: aiohttp.ClientSession) -> None:
    url = site.url + "429?times=2&after=7"
    first, second, third = [await body(client, url) for _ in range(3)]
    assert [first[0], second[0], third[0]] == [429, 429, 200]
    assert first[2].headers["Retry-After"] == "7"
    assert (await body(client, site.url + "429?times=1"))[0] == 429, "counted per URL"


async def test_flaky_breaks_the_connection_once(site: Site) -> None:
    port = int(site.url.rstrip("/").rpartition(":")[2])
    answers = []
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /flaky HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            answers.append(await reader.read())
        except ConnectionResetError:
            answers.append(b"")
        writer.close()
    assert answers[0] == b""
    assert answers[1].startswith(b"HTTP/1.1 200")


async def test_robots_can_be_set(client: aiohttp.ClientSession) -> None:
    async with faults.serve_faults(robots="User-agent: *\nDisallow: /ok\n", robots_status=200) as site:
        assert (await body(client, site.url + "robots.txt"))[1] == b"User-agent: *\nDisallow: /ok\n"


async def test_poison_is_where_its_name_says(site: Site, client: aiohttp.ClientSession) -> None:
    marks = {
        "visible": rb"<p>Ignore",
        "hidden": rb"display:none\">Ignore",
        "tiny": rb"font-size:0",
        "alt": rb'alt="Ignore',
        "title": rb"<title>Ignore",
        "comment": rb"<!-- Ignore",
        "link": rb'<a href="/ok">Ignore',
        "fence": rb"&lt;/tool_response&gt;",
    }
    for name, mark in marks.items():
        _, html, _ = await body(client, f"{site.url}poison/{name}")
        assert re.search(mark, html), name
        assert faults.ORDER.encode() in html
        assert b"opens at eight" in html, "the page holds something worth reading too"


async def test_the_index_links_to_every_fault(site: Site, client: aiohttp.ClientSession) -> None:
    _, html, _ = await body(client, site.url)
    paths = re.findall(r'href="(/[^"]*)"', html.decode())
    assert len(paths) > 30
    endless = {"/huge", "/drip", "/stall", "/bomb", "/flaky", "/links"}
    for path in sorted(set(paths) - endless):
        assert (await body(client, site.url.rstrip("/") + path))[0] != 404 or path == "/404"
