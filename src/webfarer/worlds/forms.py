"""Serves one page with forms to one person, over HTTP on 127.0.0.1.

The page's address holds a secret. Who has not been told it, a page of another site in the same browser included, can
neither read nor send anything; so no cookie and no other mark is needed against forged posts. Not a web framework:
one page, one post. Invariant: nothing but a post to that address has an effect.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from webfarer.worlds.server import html_response, not_found

_SHUTDOWN_SECONDS = 0.05
_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}


@asynccontextmanager
async def serve_form(
    show: Callable[[], str], take: Callable[[Mapping[str, str]], None], port: int = 0
) -> AsyncIterator[str]:
    """Serve until the block ends, and yield the page's address.

    Args:
        show: returns the page as it is now.
        take: called with the fields of every post, after which the page is shown again.
        port: 0 takes a free one.
    """
    place = f"/{secrets.token_urlsafe(16)}/"

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if not secrets.compare_digest(request.path.encode(), place.encode()):
            return not_found()
        if request.method == "POST":
            fields = await request.post()
            take({name: value for name, value in fields.items() if isinstance(value, str)})
            return web.Response(status=303, headers={"Location": place})
        if request.method not in {"GET", "HEAD"}:
            return web.Response(status=405, headers={"Allow": "GET, HEAD, POST"})
        page = html_response(show())
        page.headers.update(_HEADERS)
        return page

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}{place}"
    finally:
        await runner.cleanup()
