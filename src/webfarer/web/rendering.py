"""Decides whether a fetched page is opened again in a browser, and puts the two answers together.

Only a page that shows nothing without its scripts is worth a browser (or every page, when the settings say so).
Chromium is started at the first such page and not before. Not the browser itself (:mod:`webfarer.web.browser`).
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, FetchError
from webfarer.core.types import Page
from webfarer.web.archive import Record
from webfarer.web.fetch import RENDERED, Fetcher, Response
from webfarer.web.guard import Guard
from webfarer.web.shell import needs_browser
from webfarer.web.sniff import Kind, sniff

if TYPE_CHECKING:
    from webfarer.web.browser import Browser


class Rendering:
    """The browser of one session, which most sessions never need.

    Args:
        settings: whether to use it, and its limits.
        guard: bounds its traffic, as it bounds the fetcher's.
        fetcher: asked for robots.txt and the host's turn.
    """

    def __init__(self, settings: Settings, guard: Guard, fetcher: Fetcher) -> None:
        self._settings, self._guard, self._fetcher = settings, guard, fetcher
        self._stack = AsyncExitStack()
        self._browser: Browser | None = None
        self._starting = asyncio.Lock()

    async def close(self) -> None:
        """End the browser, if there is one."""
        await self._stack.aclose()
        self._browser = None

    def wanted(self, record: Record, page: Page) -> bool:
        """Say whether `page`, read from `record`, is to be opened in the browser."""
        mode = self._settings.browser
        if mode == "never" or RENDERED in record.headers or record.status >= 400:
            return False
        if sniff(record.body, record.content_type) is not Kind.HTML:
            return False
        return mode == "always" or needs_browser(page, record.body, record.content_type)

    async def render(self, plain: Record, seconds: float, max_bytes: float) -> Response:
        """Return the page of `plain` as the browser shows it; its cost includes what the plain one cost.

        Args:
            plain: as it was fetched.
            seconds: time for it.
            max_bytes: most bytes to receive besides those of `plain`.

        Raises:
            FetchError: the browser could not open it; `cost` holds the bytes of both.
            ConfigError: there is no browser.
        """
        try:
            await self._fetcher.permit(plain.final_url)
            browser = await self._running()
            shown = await browser.open(
                plain.final_url, seconds=seconds, max_bytes=max_bytes, permit=self._fetcher.permit
            )
        except FetchError as error:
            error.cost = {"bytes": plain.wire_bytes + error.cost.get("bytes", 0)}
            raise
        moves = (*plain.redirects, *shown.redirects)
        return replace(shown, url=plain.url, redirects=moves, wire_bytes=plain.wire_bytes + shown.wire_bytes)

    async def _running(self) -> "Browser":
        try:
            from webfarer.web.browser import Browser
        except ImportError as error:
            hint = "pip install 'webfarer[browser]' and Chromium"
            raise ConfigError(f"the page needs JavaScript, and the browser is not installed: {hint}") from error
        async with self._starting:
            if self._browser is None:
                self._browser = await self._stack.enter_async_context(Browser(self._settings, self._guard))
            return self._browser
