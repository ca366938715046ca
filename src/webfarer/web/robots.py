"""robots.txt: may this URL be asked, and how long to wait between requests.

One file per origin, fetched once however many ask at the same time, kept a day; a failure is kept a minute. Not a
fetcher: the caller lends its own, so robots.txt passes the same guard. Source: RFC 9309; `Crawl-delay` is a custom.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from protego import Protego

from webfarer.core.errors import FetchError, RedirectLoop, Refused, RobotsRefused

PRODUCT = "webfarer"
MAX_BYTES = 500 * 1024
REDIRECTS = 5
SECONDS = 5.0
_KEPT = 24 * 3600.0
_FAILURE_KEPT = 60.0
_LONGEST_DELAY = 10.0
_ORIGINS = 512

Load = Callable[[str], Awaitable[tuple[int, bytes]]]
"""Fetches a URL; returns the status and as much of the body as is worth parsing."""


class RobotsCache(Protocol):
    """Keeps robots.txt files beyond one process."""

    def get(self, origin: str) -> tuple[str, float] | None:
        """Return the text for `origin` ("https://example.com") and the Unix time it was fetched, or None."""
        ...

    def put(self, origin: str, text: str, fetched: float) -> None:
        """Keep the text ("" where the site has none)."""
        ...


@dataclass(frozen=True, slots=True)
class _Rules:
    """What is known of one origin; `parsed` is None when its file could not be read, `failure` says why."""

    until: float
    parsed: Protego | None = None
    failure: str = ""


class Robots:
    """The rules of every site asked so far."""

    def __init__(self, cache: RobotsCache | None = None) -> None:
        self._cache = cache
        self._known: dict[str, _Rules] = {}
        self._flights: dict[str, asyncio.Task[_Rules]] = {}

    async def check(self, url: str, load: Load) -> float:
        """Return the pause in seconds that the site asks for (0 without one).

        Args:
            url: canonical.
            load: fetches robots.txt if it is not known; errors of the tree mean that it is unreachable.

        Raises:
            RobotsRefused: the file forbids the URL, or could not be read.
            Unreachable: no connection to the host at all.
            AddressRefused: the host may not be asked.
        """
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        rules = await self._rules(origin, load)
        if rules.parsed is None:
            raise RobotsRefused(f"{origin}/robots.txt cannot be read, so the site is left alone: {rules.failure}")
        if not rules.parsed.can_fetch(url, PRODUCT):
            raise RobotsRefused(f"{origin}/robots.txt does not allow {url}")
        return min(rules.parsed.crawl_delay(PRODUCT) or 0.0, _LONGEST_DELAY)

    async def close(self) -> None:
        """Stop what is still being fetched."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _rules(self, origin: str, load: Load) -> _Rules:
        known = self._known.get(origin)
        if known is not None and known.until > time.time():
            return known
        flight = self._flights.get(origin)
        if flight is None:
            flight = self._flights[origin] = asyncio.create_task(self._learn(origin, load))
            flight.add_done_callback(lambda done: self._land(origin, done))
        # one caller that gives up must not take the file from the others
        return await asyncio.shield(flight)

    def _land(self, origin: str, flight: asyncio.Task[_Rules]) -> None:
        self._flights.pop(origin, None)
        if not flight.cancelled():
            flight.exception()  # seen, though every caller may have given up

    async def _learn(self, origin: str, load: Load) -> _Rules:
        stored = self._cache.get(origin) if self._cache else None
        if stored is not None and stored[1] + _KEPT > time.time():
            rules = _Rules(stored[1] + _KEPT, Protego.parse(stored[0]))
        else:
            rules = await self._ask(origin, load)
        if len(self._known) >= _ORIGINS:
            del self._known[next(iter(self._known))]
        self._known[origin] = rules
        return rules

    async def _ask(self, origin: str, load: Load) -> _Rules:
        now = time.time()
        try:
            status, body = await load(f"{origin}/robots.txt")
        except RedirectLoop:
            text = ""  # RFC 9309 §2.3.1.2: a file behind too many redirects counts as none
        except FetchError as error:
            # The page itself would fail alike, and says it better.
            if isinstance(error, Refused) or error.detail.get("connected") is False:
                raise
            return _Rules(now + _FAILURE_KEPT, failure=error.message)
        else:
            if status >= 500:
                return _Rules(now + _FAILURE_KEPT, failure=f"HTTP {status}")
            text = body.decode("utf-8-sig", "replace") if 200 <= status < 300 else ""
        if self._cache:
            self._cache.put(origin, text, now)
        return _Rules(now + _KEPT, Protego.parse(text))
