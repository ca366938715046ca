"""What the browser's tests share: a canary that nobody may reach, sites, and a browser bound to them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import pytest
from aiohttp import web

from webfarer.core.config import Settings, WebSettings
from webfarer.web.browser import Browser
from webfarer.web.chromium import find_chromium
from webfarer.web.fetch import Response
from webfarer.web.guard import Guard, Lookup, system_lookup
from webfarer.worlds.server import Site, html_response, listen

needs_chromium = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(find_spec("playwright") is None or find_chromium() is None, reason="no Playwright or Chromium"),
]


@dataclass
class Canary:
    """A port of this machine, TCP and UDP, that notes who comes."""

    port: int = 0
    visits: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def canary() -> AsyncIterator[Canary]:
    """Listen on 127.0.0.1 and ::1, for connections and datagrams."""
    found = Canary()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.visits.append(await reader.read(1000))
        writer.write(b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 6\r\n\r\nsecret")
        writer.close()

    class Datagrams(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            found.visits.append(data)

    async with await asyncio.start_server(visit, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        async with await asyncio.start_server(visit, "::1", found.port):
            loop = asyncio.get_running_loop()
            udp, _ = await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", found.port))
            try:
                yield found
            finally:
                udp.close()


@asynccontextmanager
async def pages(**bodies: str) -> AsyncIterator[Site]:
    """Serve HTML, `name="..."` at `/name`."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        body = bodies.get(request.path.strip("/"))
        return html_response("<!doctype html><p>nothing</p>", 404) if body is None else html_response(body)

    async with listen(handle) as site:
        yield site


@asynccontextmanager
async def browsing(*allowed: str, lookup: Lookup = system_lookup, **changes: Any) -> AsyncIterator[Browser]:
    """Yield a browser that may reach the `allowed` hosts of this machine ("127.0.0.1:8000", URLs too)."""
    hosts = [url.removeprefix("http://").strip("/") for url in allowed]
    settings = Settings(web=WebSettings(**changes))
    async with Browser(settings, Guard(hosts, lookup)) as browser:
        yield browser


def text_of(response: Response) -> str:
    """Return the markup of what the browser showed."""
    return response.body.decode()


def leading(**hosts: str) -> Lookup:
    """Return a look-up that knows these names ("a_example" is a.example), each with one address of this machine."""
    known = {name.replace("_", "."): address for name, address in hosts.items()}

    async def lookup(host: str, port: int) -> Sequence[str]:
        if host not in known:
            return await system_lookup(host, port)
        return [known[host]]

    return lookup
