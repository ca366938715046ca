"""What the tests of the command line share: servers in a thread beside it, and what a command gave back."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from threading import Thread
from typing import NamedTuple

from webfarer.worlds.server import html_response, listen, not_found


class Result(NamedTuple):
    code: int
    out: str
    err: str


@contextmanager
def beside(server: AbstractAsyncContextManager) -> Iterator:
    """Run an asynchronous server in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        site = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        try:
            yield site
        finally:
            asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def pages(**bodies) -> Iterator:
    """Serve pages by name; "root" is "/". A body is HTML, or called for it."""

    async def handle(request):
        body = bodies.get(request.path.strip("/") or "root")
        if body is None:
            return not_found()
        return html_response(body() if callable(body) else body)

    with beside(listen(handle)) as site:
        yield site


def page(title, body):
    return f"<!doctype html><html lang=en><head><title>{title}</title></head><body><main>{body}</main></body></html>"


LIBRARY = page("Library", "<p>The library of Ashford opens at eight.</p><p><a href='/hours'>Opening hours</a></p>")
