import asyncio
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web
from fetch_kit import answer, fetcher, raw, record_pauses

from webfarer.core.errors import (
    FetchError,
    Refused,
    Unreachable,
)
from webfarer.worlds.server import listen


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webfarer.web.fetch._BACKOFF", 0.05)


async def test_no_connection_and_no_host_are_unreachable() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("no such host")

    async with listen(answer) as site:
        pass
    async with fetcher(nobody) as f:
        with pytest.raises(Unreachable, match="no connection"):
            await f.fetch(site.url)
        with pytest.raises(Unreachable, match="unknown"):
            await f.fetch("http://nobody.example/")


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n\r\n",
        b"\0" * 1000,
    ],
    ids="empty short short-chunk bad-chunk ssh two-lengths negative long-header headers location zeros".split(),
)
async def test_broken_and_malformed_answers_are_errors_of_the_tree(reply: bytes) -> None:
    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)

    async with raw(write) as url, fetcher() as f:
        with pytest.raises(FetchError) as caught:
            await f.fetch(url)
    assert isinstance(caught.value, Unreachable | Refused)
    assert "bytes" in caught.value.cost


def failing(times: int, *failures: web.Response | None) -> Any:
    """Fail so many times (None: cut the connection), then answer."""
    left = times

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal left
        left -= 1
        if left < 0:
            return web.Response(text="at last")
        status = failures[0]
        if status is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=status.status, headers=status.headers)

    return handler


@pytest.mark.parametrize("status", [429, 503])
async def test_busy_servers_are_asked_again_when_they_say(status: int) -> None:
    busy = web.Response(status=status, headers={"Retry-After": "0"})
    async with listen(failing(2, busy)) as site, fetcher(retries=2) as f:
        got = await f.fetch(site.url)
    assert (got.status, got.body, len(site.requests)) == (200, b"at last", 3)
    assert got.attempts == ({"error": f"HTTP {status}", "waited": 0.0},) * 2


async def test_the_last_busy_answer_comes_out() -> None:
    busy = web.Response(status=429, headers={"Retry-After": "0"})
    async with listen(failing(9, busy)) as site, fetcher(retries=2) as f:
        got = await f.fetch(site.url)
    assert (got.status, len(got.attempts), len(site.requests)) == (429, 2, 3)


async def test_retry_after_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = record_pauses(monkeypatch)
    busy = web.Response(status=429, headers={"Retry-After": "7"})
    async with listen(failing(1, busy)) as site, fetcher(retries=1) as f:
        got = await f.fetch(site.url)
    assert got.attempts == ({"error": "HTTP 429", "waited": 7.0},)
    assert 7.0 in slept


@pytest.mark.parametrize("after", ["21", "99999999999999999999", formatdate(4e9, usegmt=True)])
async def test_a_long_retry_after_is_not_waited_for(after: str) -> None:
    busy = web.Response(status=429, headers={"Retry-After": after})
    async with listen(failing(1, busy)) as site, fetcher(retries=2) as f:
        got = await f.fetch(site.url)
    assert (got.status, got.attempts, len(site.requests)) == (429, (), 1)


async def test_a_wait_beyond_the_callers_time_is_not_begun() -> None:
    busy = web.Response(status=429, headers={"Retry-After": "5"})
    async with listen(failing(1, busy)) as site, fetcher(retries=2) as f:
        assert (await f.fetch(site.url, seconds=3)).status == 429


@pytest.mark.parametrize(
    ("after", "waited"),
    [
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
        ("soon", 0.05),
        ("-1", 0.05),
        ("", 0.05),
    ],
)
async def test_retry_after_may_be_a_date_or_nonsense(after: str, waited: float) -> None:
    busy = web.Response(status=503, headers={"Retry-After": after})
    async with listen(failing(1, busy)) as site, fetcher(retries=1) as f:
        got = await f.fetch(site.url)
    assert got.attempts == ({"error": "HTTP 503", "waited": waited},)


async def test_broken_connections_are_tried_again() -> None:
    # each try is two requests: aiohttp asks once more by itself
    async with listen(failing(2, None)) as site, fetcher(retries=1) as f:
        got = await f.fetch(site.url)
        assert (got.status, [a["waited"] for a in got.attempts]) == (200, [0.05])
    async with listen(failing(9, None)) as site, fetcher(retries=1) as f:
        with pytest.raises(Unreachable, match="broke") as caught:
            await f.fetch(site.url)
    assert len(caught.value.detail["attempts"]) == 1


async def test_bytes_of_failed_tries_are_paid_for() -> None:
    tries = 0

    async def write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + (b"half." if tries == 1 else b"helloworld"))

    async with raw(write) as url, fetcher(retries=1) as f:
        got = await f.fetch(url)
        assert (got.body, got.wire_bytes) == (b"helloworld", 15)
