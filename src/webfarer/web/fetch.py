"""Fetching: the one place where Webfarer sends an HTTP request to a site.

Every hop of every redirect is canonicalised, guarded, asked for in robots.txt and waits for its turn at its host; every
wait has a deadline and every body a limit. Not a browser: no cookies, no scripts, no proxy, GET only. Invariant: what
is raised is a FetchError whose `cost` holds the bytes received. Source: RFC 9110; RFC 9309.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from webfarer.core.config import WebSettings
from webfarer.core.errors import FetchError, FetchTimeout, NotReadable, RedirectLoop, TooLarge, Unreachable
from webfarer.web import robots
from webfarer.web.decode import Body
from webfarer.web.guard import Guard, GuardedResolver, canonical_url
from webfarer.web.politeness import Turns
from webfarer.web.scope import Blocklist

RENDERED = "x-webfarer-rendered"
"""Header of our own on a page as a browser showed it."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
_BACKOFF = 0.5
_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,text/plain;q=0.8,*/*;q=0.5"
_NO_TEXT = ("image/", "audio/", "video/", "font/")  # a zip may be an office file: its bytes tell


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered, whatever the status.

    Attributes:
        url: the URL asked for, canonical.
        final_url: the URL that answered, after redirects.
        status: HTTP status.
        headers: names in lower case; repeated ones joined by ", ".
        body: after decompression.
        wire_bytes: bytes of bodies received for this answer, failed tries and robots.txt included.
        redirects: the URLs redirected to, in order; the last is `final_url`.
        attempts: tries that failed before: what went wrong (`error`), seconds waited afterwards (`waited`).
    """

    url: str
    final_url: str
    status: int
    headers: dict[str, str]
    body: bytes
    wire_bytes: int
    redirects: tuple[str, ...] = ()
    attempts: tuple[dict[str, Any], ...] = ()


@dataclass(slots=True)
class _Trip:
    """One call of :meth:`Fetcher.fetch` under way; robots.txt travels in a trip of its own."""

    url: str
    max_bytes: float
    deadline: float
    for_robots: bool = False
    wire: int = 0
    redirects: list[str] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Fetcher:
    """Fetches pages politely and within limits; an async context manager.

    Args:
        settings: limits, politeness, who we are.
        robots_cache: keeps robots.txt beyond this process.
        guard: which addresses may be asked; made from the settings when None.
    """

    def __init__(
        self, settings: WebSettings, robots_cache: robots.RobotsCache | None = None, guard: Guard | None = None
    ) -> None:
        self._settings = settings
        self._guard = guard or Guard(settings.allow_private)
        self._blocked = Blocklist(settings.blocked)
        self._robots = robots.Robots(robots_cache)
        self._turns = Turns(settings.concurrency)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        settings = self._settings
        agent = f"{settings.user_agent} ({settings.contact})" if settings.contact else settings.user_agent
        self._session = aiohttp.ClientSession(
            # limit=0: how many requests run at a time is decided by host, in Turns
            connector=aiohttp.TCPConnector(resolver=GuardedResolver(self._guard), limit=0, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip"},
            timeout=aiohttp.ClientTimeout(
                total=None, connect=settings.connect_seconds, sock_read=settings.first_byte_seconds
            ),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._robots.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, url: str, *, seconds: float = math.inf, max_bytes: float = math.inf) -> Response:
        """Fetch `url` and return the answer, whatever its status.

        Args:
            url: http or https.
            seconds: time for everything: waiting for a turn, robots.txt, redirects, retries.
            max_bytes: most bytes to receive, besides the setting's own limit.

        Raises:
            FetchError: nothing arrived; `cost` holds the bytes received, `detail` the URL, the redirects and, when one
                of the caller's bounds ended it, which: `bound` is "seconds" or "bytes".
        """
        began = asyncio.get_running_loop().time()
        trip = _Trip(url, max_bytes, began + seconds)
        try:
            trip.url = canonical_url(url)
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                return await self._persist(trip)
        except TimeoutError as error:
            facts = _facts(trip, {"bound": "seconds"})
            raise FetchTimeout(f"no answer within {seconds:.3g} s: {trip.url}", **facts) from error
        except FetchError as error:
            # a new one: callers that waited for the same robots.txt hold the same error
            raise type(error)(error.message, **_facts(trip, error.detail)) from error

    async def permit(self, url: str) -> None:
        """Wait for the turn to open `url` by other means: guard, robots.txt and its host's pause.

        Raises:
            FetchError: it may not be opened.
        """
        url = self._guard.check_url(url)
        self._blocked.check(url)
        delay = await self._delay(url, _Trip(url, math.inf, math.inf))
        async with self._turns.turn(urlsplit(url).netloc, delay):
            return

    async def _persist(self, trip: _Trip) -> Response:
        """Try until there is an answer worth returning or no try is left."""
        while True:
            last = len(trip.attempts) >= self._settings.retries
            wait = _BACKOFF * 2 ** len(trip.attempts)
            try:
                response = await self._follow(trip)
            except Unreachable as error:
                if last or not error.detail.get("broken") or not self._may_wait(wait, trip):
                    raise
                problem = error.message
            else:
                wait = retry_after(response.headers.get("retry-after", ""), wait)
                if response.status not in _BUSY or last or not self._may_wait(wait, trip):
                    return response
                problem = f"HTTP {response.status}"
            trip.attempts.append({"error": problem, "waited": wait})
            await asyncio.sleep(wait)

    def _may_wait(self, wait: float, trip: _Trip) -> bool:
        return wait <= self._settings.max_retry_after and asyncio.get_running_loop().time() + wait < trip.deadline

    async def _follow(self, trip: _Trip) -> Response:
        """Ask for the URL and for what it redirects to."""
        clock = asyncio.get_running_loop().time
        url = trip.url
        trip.redirects.clear()
        left = robots.SECONDS if trip.for_robots else self._settings.total_seconds
        while True:
            url = self._guard.check_url(url)
            if not trip.for_robots:
                self._blocked.check(url)
            delay = await self._delay(url, trip)
            async with self._turns.turn(urlsplit(url).netloc, delay):
                began = clock()  # waiting for a turn does not count: the server is not to blame for it
                answer = await self._ask(url, trip, left)
                left -= clock() - began
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return Response(
                    url=trip.url,
                    final_url=url,
                    status=answer.status,
                    headers=answer.headers,
                    body=answer.body,
                    wire_bytes=trip.wire,
                    redirects=tuple(trip.redirects),
                    attempts=tuple(trip.attempts),
                )
            url = canonical_url(answer.headers["location"], base=url)
            self._check_circle(url, trip)
            trip.redirects.append(url)

    def _check_circle(self, target: str, trip: _Trip) -> None:
        if target == trip.url or target in trip.redirects:
            raise RedirectLoop(f"the redirects go in a circle at {target} (a site that insists on cookies does this)")
        if len(trip.redirects) >= (robots.REDIRECTS if trip.for_robots else self._settings.max_redirects):
            raise RedirectLoop(f"more than {len(trip.redirects)} redirects, the last one to {target}")

    async def _delay(self, url: str, trip: _Trip) -> float:
        """Ask robots.txt, and return the pause after which the next request to the host may start."""
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        delay = 0.0 if self._guard.allows_private(parts.hostname or "", port) else self._settings.delay
        if trip.for_robots or not self._settings.robots:
            return delay

        async def load(robots_url: str) -> tuple[int, bytes]:
            return await self._load_robots(robots_url, trip)

        return max(delay, await self._robots.check(url, load))

    async def _load_robots(self, url: str, trip: _Trip) -> tuple[int, bytes]:
        own = _Trip(url, robots.MAX_BYTES, math.inf, for_robots=True)
        try:
            response = await self._follow(own)
        finally:
            trip.wire += own.wire
        return response.status, response.body

    async def _ask(self, url: str, trip: _Trip, seconds: float) -> _Answer:
        """Send one request; the body of a redirect is not read.

        aiohttp asks once more by itself when a kept connection turns out to be closed before any answer.
        """
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside `async with`")
        with classified(url, seconds):
            async with (
                asyncio.timeout(seconds),
                self._session.get(URL(url, encoded=True), allow_redirects=False) as answer,
            ):
                headers = plain_headers(answer)
                redirect = answer.status in _REDIRECTS and "location" in headers
                body = b"" if redirect else await self._read(answer, headers, trip)
                return _Answer(answer.status, headers, body)

    async def _read(self, answer: aiohttp.ClientResponse, headers: dict[str, str], trip: _Trip) -> bytes:
        """Receive the body; leaving early makes aiohttp close the connection."""
        kind = headers.get("content-type", "").strip().lower()
        if kind.startswith(_NO_TEXT):
            raise NotReadable(f"the content type is {kind}, which holds no text", content_type=kind)
        limit = min(self._settings.max_wire_bytes, trip.max_bytes - trip.wire)
        facts: dict[str, Any] = {"limit": limit}
        if limit < self._settings.max_wire_bytes:
            facts["bound"] = "bytes"
        decoded = trip.max_bytes if trip.for_robots else self._settings.max_decoded_bytes
        body = Body(headers.get("content-encoding", ""), decoded, self._settings.max_ratio)
        received = 0
        try:
            if (answer.content_length or 0) > limit and not trip.for_robots:
                raise TooLarge(f"the server announces {answer.content_length} bytes; the limit is {limit:.0f}", **facts)
            async for chunk in answer.content.iter_any():
                received += len(chunk)
                trip.wire += len(chunk)
                if received > limit:
                    raise TooLarge(f"the body is larger than {limit:.0f} bytes on the wire", **facts)
                body.feed(chunk)
            return body.finish()
        except TooLarge:
            if not trip.for_robots:
                raise
            return bytes(body.held)  # RFC 9309 §2.5: the rest need not be parsed


def _facts(trip: _Trip, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an error is made with: the facts of the trip, its own `detail`, and the cost."""
    facts: dict[str, Any] = {"url": trip.url, **detail, "cost": {"bytes": trip.wire}}
    if trip.redirects:
        facts["redirects"] = list(trip.redirects)
    if trip.attempts:
        facts["attempts"] = list(trip.attempts)
    return facts


def plain_headers(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the headers as plain text; bytes that are not UTF-8 become replacement characters."""
    headers: dict[str, list[str]] = {}
    for name, value in answer.headers.items():
        headers.setdefault(name.lower(), []).append(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return {name: ", ".join(values) for name, values in headers.items()}


def retry_after(header: str, otherwise: float) -> float:
    """Return the seconds to wait for a Retry-After header (a number or a date), or `otherwise`."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, OverflowError):
        return otherwise


@contextmanager
def classified(url: str, seconds: float) -> Iterator[None]:
    """Turn aiohttp's errors into the tree; `broken` marks what another try may mend."""
    host = urlsplit(url).netloc
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:
        raise FetchTimeout(f"{host} did not accept a connection in time", connected=False) from error
    except aiohttp.ServerTimeoutError as error:
        raise FetchTimeout(f"{host} fell silent") from error
    except TimeoutError as error:
        raise FetchTimeout(f"{host} did not deliver the page within {seconds:.3g} s") from error
    except aiohttp.ClientConnectorDNSError as error:
        raise Unreachable(f"the host {host} is unknown", connected=False) from error
    except aiohttp.ClientSSLError as error:
        raise Unreachable(f"no secure connection to {host}: {error}", connected=False) from error
    except aiohttp.ClientConnectorError as error:
        raise Unreachable(f"no connection to {host}: {error.strerror}", connected=False) from error
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError) as error:
        raise Unreachable(f"the connection to {host} broke: {error}", broken=True) from error
    except aiohttp.ClientError as error:
        raise Unreachable(f"{host} did not answer in HTTP: {error}") from error
