"""Pages that exist only after their scripts have run, opened in a real Chromium and read as any other page.

One Chromium, started when first needed; a fresh, empty context for every page. All its traffic goes through
:mod:`webfarer.web.proxy`, bound by the same guard as the fetcher's. Not an automation tool: nothing is clicked, typed
or sent. Invariant: whatever a page does, `open` returns or raises a FetchError within its deadline.
"""

import asyncio
import math
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, FetchError, FetchTimeout, TooLarge, Unreachable
from webfarer.web.chromium import Chromium
from webfarer.web.fetch import RENDERED, Response
from webfarer.web.guard import Guard
from webfarer.web.proxy import Proxy, Session, endpoint_of
from webfarer.web.visit import Permit, Visit

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

"""Header of a response that is not what a server sent, but what a browser made of it."""

_TABS = 4
_PATIENCE = 8.0  # seconds after which a page that never rests is read as it is
_CLOSE_SECONDS = 3.0
_KEPT = ("content-language", "last-modified")


class Browser:
    """Opens pages in Chromium; an asynchronous context manager.

    Args:
        settings: which Chromium, the limits, who we are.
        guard: which addresses may be asked.
    """

    def __init__(self, settings: Settings, guard: Guard) -> None:
        self._settings = settings
        self._guard = guard
        self._proxy = Proxy(guard, settings.web.connect_seconds)
        self._chromium: asyncio.Task[Chromium] | None = None
        self._tabs = asyncio.Semaphore(_TABS)

    async def __aenter__(self) -> Self:
        await self._proxy.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._chromium is not None:
            with suppress(ConfigError):
                await (await self._chromium).end()
            self._chromium = None
        await self._proxy.__aexit__(kind, error, trace)

    async def open(
        self, url: str, *, seconds: float = math.inf, max_bytes: float = math.inf, permit: Permit | None = None
    ) -> Response:
        """Open `url`, let its scripts run, and return the markup of what it then shows.

        Args:
            url: http or https; robots.txt and the host's turn are the caller's business.
            seconds: time for everything: a free tab, the start of Chromium, the page.
            max_bytes: most bytes to receive for the page and all it loads, besides the setting's own limit.
            permit: asked before a script leads on to another page.

        Raises:
            FetchError: there is no such page; `detail` and `cost` are as those of `Fetcher.fetch`.
            ConfigError: Playwright or Chromium is missing.
        """
        url = self._guard.check_url(url)
        limit = min(max_bytes, self._settings.web.max_wire_bytes)
        async with self._proxy.session(limit, private=self._guard.allows_private(*endpoint_of(url))) as session:
            bound = ""
            try:
                async with asyncio.timeout(None if seconds == math.inf else seconds) as outer, self._tabs:
                    chromium = await self._running()
                    async with asyncio.timeout(self._settings.web.total_seconds):
                        try:
                            return await self._visit(chromium, url, session, permit)
                        except Unreachable:
                            if chromium.alive:
                                raise
                        # all of it has ended, by another page's fault perhaps: once more in a new one
                        return await self._visit(await self._running(), url, session, permit)
            except TimeoutError as error:
                failure: FetchError = FetchTimeout(f"the browser did not come to an end with {url} in time")
                bound = "seconds" if outer.expired() else ""
                cause: BaseException = error
            except FetchError as error:
                failure = cause = error
                bound = "bytes" if isinstance(error, TooLarge) and session.overdrawn and limit == max_bytes else ""
            facts = {"url": url, **failure.detail, **({"bound": bound} if bound else {})}
            raise type(failure)(failure.message, **facts, cost={"bytes": session.wire}) from cause

    async def _running(self) -> Chromium:
        """Return the Chromium, a new one when there is none or it has crashed."""
        task = self._chromium
        if task is None or (task.done() and (task.exception() is not None or not task.result().alive)):
            dead = task.result() if task is not None and task.exception() is None else None
            task = self._chromium = asyncio.create_task(self._start(dead))
        return await asyncio.shield(task)  # a start that is broken off would leave its processes behind

    async def _start(self, dead: Chromium | None) -> Chromium:
        if dead is not None:
            await dead.end()
        return await Chromium.start(self._settings.chromium, self._proxy.url)

    async def _visit(self, chromium: Chromium, url: str, session: Session, permit: Permit | None) -> Response:
        from playwright.async_api import Error

        web = self._settings.web
        context: BrowserContext | None = None
        try:
            context = await self._context(chromium, session)
            visit = Visit(await context.new_page(), session, self._guard, permit, web.max_redirects)
            context.on("page", lambda popup: asyncio.ensure_future(popup.close()))
            await visit.load(url)
            await visit.settle(_PATIENCE)
            html = await visit.shown(web.max_decoded_bytes)
            return self._response(url, visit, html, session)
        except Error as error:
            raise Unreachable(f"the browser ended while it was reading {url}") from error
        finally:
            await _close(context, chromium)

    async def _context(self, chromium: Chromium, session: Session) -> "BrowserContext":
        web = self._settings.web
        agent = f"{web.user_agent} ({web.contact})" if web.contact else web.user_agent
        version = chromium.browser.version
        return await chromium.browser.new_context(
            proxy={"server": self._proxy.url, "username": session.username, "password": session.password},
            user_agent=f"Mozilla/5.0 (compatible; {agent}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}",
            accept_downloads=False,
            service_workers="block",
            permissions=[],
        )

    def _response(self, url: str, visit: Visit, html: str, session: Session) -> Response:
        moves = visit.moves()
        sent = visit.document.headers
        headers = {name: sent[name] for name in _KEPT if name in sent}
        return Response(
            url=url,
            final_url=moves[-1] if moves else url,
            status=visit.document.status,
            headers={**headers, "content-type": "text/html; charset=utf-8", RENDERED: "chromium"},
            body=html.encode("utf-8", "replace"),
            wire_bytes=session.wire,
            redirects=moves,
        )


async def _close(context: "BrowserContext | None", chromium: Chromium) -> None:
    """Close a page's context; a Chromium that makes none or cannot close it is ended: the next page gets a new one."""
    from playwright.async_api import Error

    if context is None:
        chromium.kill()
        return
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            with suppress(Error):
                await context.close()
    except TimeoutError:
        chromium.kill()
