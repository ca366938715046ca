import asyncio
import gzip
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web
from fetch_kit import answer, chain, fetcher

from webfarer.core.errors import (
    FetchTimeout,
    NotReadable,
    TooLarge,
    Unreachable,
)
from webfarer.worlds.server import listen


async def test_a_huge_body_stops_near_the_limit() -> None:
    sent = 0

    async def huge(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while sent < 50_000_000:
                await response.write(b"x" * 50_000)
                sent += 50_000
        except ConnectionError:
            return response
        return response

    async with listen(huge) as site, fetcher(max_wire_bytes=1_000_000) as f:
        with pytest.raises(TooLarge, match="1000000") as caught:
            await f.fetch(site.url)
    assert 1_000_000 < caught.value.cost["bytes"] < 1_500_000
    assert sent < 20_000_000  # what the kernel's buffers took, at most


async def test_an_announced_length_over_the_limit_is_not_read() -> None:
    async with listen(answer) as site, fetcher() as f:
        with pytest.raises(TooLarge, match="announces") as caught:
            await f.fetch(site.url + "?body=" + "x" * 100, max_bytes=99)
        assert caught.value.cost == {"bytes": 0}
        assert (await f.fetch(site.url + "?body=" + "x" * 100, max_bytes=100)).wire_bytes == 100


async def packed(request: web.BaseRequest) -> web.StreamResponse:
    size = int(request.query["size"])
    body = gzip.compress(b"\0" * size)
    return web.Response(body=body[: int(request.query.get("cut", len(body)))], headers={"Content-Encoding": "gzip"})


async def test_gzip_is_decoded_within_limits() -> None:
    async with listen(packed) as site, fetcher(max_decoded_bytes=2_000_000, max_ratio=2000) as f:
        got = await f.fetch(site.url + "?size=2000000")
        assert len(got.body) == 2_000_000
        assert got.wire_bytes < 10_000
        with pytest.raises(TooLarge, match="2000000"):
            await f.fetch(site.url + "?size=2000001")
    async with listen(packed) as site, fetcher() as f:
        with pytest.raises(TooLarge, match="100 times") as caught:
            await f.fetch(site.url + "?size=5000000")
        assert caught.value.cost["bytes"] > 0
        with pytest.raises(Unreachable, match="too early"):
            await f.fetch(site.url + "?size=1000&cut=20")


async def test_a_coding_that_was_not_asked_for_is_not_readable() -> None:
    async with listen(answer) as site, fetcher() as f:
        with pytest.raises(NotReadable, match="'br'"):
            await f.fetch(site.url + "?header=Content-Encoding:br")


async def drip(request: web.BaseRequest) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"x")
        await asyncio.sleep(0.02)
    return response


async def stall(request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def test_a_dripping_body_ends_at_the_total_deadline() -> None:
    async with listen(drip) as site, fetcher(total_seconds=0.2) as f:
        with pytest.raises(FetchTimeout, match=r"0\.2 s") as caught:
            await f.fetch(site.url)
    assert caught.value.cost["bytes"] > 0


async def test_redirects_share_the_total_deadline() -> None:
    async def slow_chain(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.06)
        return await chain(request)

    async with listen(slow_chain) as site, fetcher(total_seconds=0.45, max_redirects=9) as f:
        assert (await f.fetch(site.url + "1")).status == 200
        with pytest.raises(FetchTimeout):
            await f.fetch(site.url + "9")


async def test_a_silent_server_ends_at_the_first_byte_deadline() -> None:
    async with listen(stall) as site, fetcher(first_byte_seconds=0.1) as f:
        with pytest.raises(FetchTimeout, match="silent"):
            await f.fetch(site.url)


@pytest.mark.parametrize("handler", [drip, stall])
async def test_the_callers_seconds_bound_everything(handler: Any) -> None:
    async with listen(handler) as site, fetcher() as f:
        with pytest.raises(FetchTimeout, match=r"within 0\.1 s") as caught:
            await f.fetch(site.url, seconds=0.1)
    assert caught.value.detail["url"] == site.url


async def test_a_connection_that_is_not_accepted_ends_at_its_deadline() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(30)
        return []

    async with fetcher(lookup, connect_seconds=0.1) as f:
        with pytest.raises(FetchTimeout, match="accept"):
            await f.fetch("http://a.example/")
