"""What the tests of the fetcher share: a fetcher for this machine, servers, and recorders."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from webfarer.core.config import WebSettings
from webfarer.web.fetch import Fetcher
from webfarer.web.guard import Guard, Lookup


def fetcher(lookup: Lookup | None = None, **changes: Any) -> Fetcher:
    """Return a fetcher that may ask 127.0.0.1, without robots.txt, retries and pauses unless `changes` say so."""
    chosen = WebSettings(**{"allow_private": ("127.0.0.1",), "robots": False, "retries": 0, "delay": 0, **changes})
    return Fetcher(chosen, guard=Guard(chosen.allow_private, lookup) if lookup else None)


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    """Answer as the query says: status, body, repeated `header=name:value`."""
    query = request.query
    headers = [tuple(header.split(":", 1)) for header in query.getall("header", [])]
    return web.Response(status=int(query.get("status", 200)), body=query.get("body", "hello").encode(), headers=headers)


@asynccontextmanager
async def raw(reply: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve bytes below HTTP; yield the URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reply(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def chain(request: web.BaseRequest) -> web.StreamResponse:
    """`/N?to=U`: N more redirects, then to U, or a page without `to`."""
    left = int(request.path.strip("/") or 0)
    query = f"?{request.query_string}" if request.query_string else ""
    if left:
        return web.Response(status=302, headers={"Location": f"/{left - 1}{query}"}, body=b"moved" * 1000)
    if "to" in request.query:
        return web.Response(status=307, headers={"Location": request.query["to"]})
    return web.Response(text="end")


def record_dialling(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Record every address that is dialled; each leads to the same port of this machine."""
    real = aiohttp.connector.aiohappyeyeballs.start_connection
    targets: list[tuple[str, int]] = []

    async def start(addr_infos: Any, **options: Any) -> Any:
        targets.extend(info[4][:2] for info in addr_infos)
        redirected = [(*info[:4], ("127.0.0.1", info[4][1])) for info in addr_infos]
        return await real(redirected, **options)

    monkeypatch.setattr(aiohttp.connector.aiohappyeyeballs, "start_connection", start)
    return targets


def record_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record every pause instead of making it."""
    real, pauses = asyncio.sleep, []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return pauses
