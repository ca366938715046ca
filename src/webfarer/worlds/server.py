"""Serves a generated world, or a folder of static HTML, over real HTTP on 127.0.0.1.

Not a web server for strangers: it binds to loopback only and is meant for tests, benchmarks and offline sites. It
records every request, so that what a client reports as paid can be compared with what was asked for.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from aiohttp import web

from webfarer.worlds.types import PageSpec, World

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_SHUTDOWN_SECONDS = 0.05


@dataclass(slots=True)
class Site:
    """A site being served.

    Attributes:
        url: its root, ending in "/".
        requests: path and query of every request received, in order; robots.txt too.
    """

    url: str = ""
    requests: list[str] = field(default_factory=list)


@asynccontextmanager
async def listen(handler: Handler, port: int = 0) -> AsyncIterator[Site]:
    """Serve `handler` on 127.0.0.1 for GET and HEAD; port 0 takes a free one."""
    site = Site()

    async def record(request: web.BaseRequest) -> web.StreamResponse:
        site.requests.append(request.path_qs)
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        return await handler(request)

    runner = web.ServerRunner(web.Server(record, access_log=None), shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        site.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield site
    finally:
        await runner.cleanup()


def html_response(body: str | bytes, status: int = 200) -> web.Response:
    """Return a UTF-8 HTML response."""
    data = body.encode() if isinstance(body, str) else body
    return web.Response(body=data, status=status, content_type="text/html", charset="utf-8")


def json_response(value: Any) -> web.Response:
    """Return a JSON response."""
    return web.json_response(value)


def not_found() -> web.Response:
    """Return the 404 page every site here uses."""
    return html_response(
        "<!doctype html><title>404</title><h1>404 Not Found</h1><p>This page does not exist.</p>", status=404
    )


@asynccontextmanager
async def serve(world: World, port: int = 0) -> AsyncIterator[Site]:
    """Serve a generated world."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await _answer(world.pages.get(request.path))

    async with listen(handle, port) as site:
        yield site


@asynccontextmanager
async def serve_hosts(page_of: Callable[[str, str], PageSpec | None], port: int = 0) -> AsyncIterator[Site]:
    """Serve several sites at one address: `page_of` gives the page of a host (as the client named it) and a path."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await _answer(page_of(request.host.partition(":")[0], request.path))

    async with listen(handle, port) as site:
        yield site


async def _answer(page: PageSpec | None) -> web.Response:
    if page is None:
        return not_found()
    if page.delay:
        await asyncio.sleep(page.delay)
    if page.redirect:
        return web.Response(status=301, headers={"Location": page.redirect})
    return html_response(page.html)


@asynccontextmanager
async def serve_folder(folder: str | Path, port: int = 0, root: str | Path | None = None) -> AsyncIterator[Site]:
    """Serve static files; a directory answers with its index.html and is never listed.

    Args:
        folder: what "/" stands for.
        port: 0 takes a free one.
        root: symbolic links are followed while they stay inside it; without it, inside `folder`.
    """
    top = Path(folder).resolve()
    fence = Path(root).resolve() if root is not None else top

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        found = _inside(top, fence, request.path)
        if found is None:
            return not_found()
        if found.is_dir():
            if not request.path.endswith("/"):
                return web.Response(status=301, headers={"Location": f"{request.rel_url.raw_path}/"})
            found = _inside(top, fence, f"{request.path}index.html")
        return not_found() if found is None else _file(found)

    async with listen(handle, port) as site:
        yield site


def _inside(top: Path, fence: Path, path: str) -> Path | None:
    """Return the existing file or directory `path` leads to, or None when there is none inside `fence`."""
    parts = [part for part in path.split("/") if part]
    if ".." in parts:
        return None
    try:
        found = top.joinpath(*parts).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):  # missing, too long; a circle of links; a NUL
        return None
    return found if found.is_relative_to(fence) else None


def _file(path: Path) -> web.Response:
    """Answer with a file; not aiohttp's FileResponse, which also takes a `.gz` beside it, wherever that links to."""
    try:
        data = path.read_bytes()
    except OSError:
        return not_found()
    kind, packed = guess_type(path.name)
    return web.Response(body=data, content_type="application/gzip" if packed else kind or "application/octet-stream")
