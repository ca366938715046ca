"""One small HTTP exchange with an API the user configured: JSON or a form there, text back.

Not for pages: no robots.txt, no archive, no retries (see :mod:`webfarer.web.fetch`). No cookies, no proxy; a body has a
limit, a redirect stays on its host. Invariants: a private host is asked only when the user named it; a secret is never
in what is returned or raised. What is raised is a FetchError whose `cost` holds the bytes received.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from yarl import URL

from webfarer.core.config import WebSettings
from webfarer.core.errors import ConfigError, FetchError, FetchTimeout, RedirectLoop, Refused, TooLarge
from webfarer.web.decode import Body
from webfarer.web.fetch import classified, plain_headers
from webfarer.web.guard import Guard, GuardedResolver, canonical_url
from webfarer.web.searching import ApiReply, ApiRequest

_MAX_BYTES = 2_000_000
_REDIRECTS = 3
_MOVED = frozenset({301, 302, 303})
_SAME_METHOD = frozenset({307, 308})
_PORTS = {"http": 80, "https": 443}
_NO_HEADER = re.compile(r"[^\x20-\x7e]")
_HIDDEN = "***"


@dataclass(slots=True)
class _Wire:
    received: int = 0


class Api:
    """Sends requests to APIs; an async context manager.

    Args:
        settings: who we are, and how long a connection may take.
        named: base URLs the user named; their hosts may be private ones, at that port.
        connect_to: hosts that are served on this machine instead.
    """

    def __init__(
        self, settings: WebSettings, named: Iterable[str] = (), connect_to: Mapping[str, str] | None = None
    ) -> None:
        self._settings = settings
        self._guard = Guard((*settings.allow_private, *map(_host_and_port, named)), connect_to=connect_to)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        settings = self._settings
        agent = f"{settings.user_agent} ({settings.contact})" if settings.contact else settings.user_agent
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=GuardedResolver(self._guard), limit=0, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": agent, "Accept": "application/json, text/html;q=0.5", "Accept-Encoding": "gzip"},
            timeout=aiohttp.ClientTimeout(total=None, connect=settings.connect_seconds),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def send(self, request: ApiRequest, seconds: float) -> ApiReply:
        """Send `request` and return the answer, whatever its status.

        Args:
            request: what to send; secrets go to the host of its URL and to no other.
            seconds: time for everything.

        Raises:
            FetchError: no answer, or one that cannot be taken.
        """
        wire = _Wire()
        url = request.url + (f"?{urlencode(request.params, quote_via=quote)}" if request.params else "")
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(request, url, seconds, wire)
        except TimeoutError as error:
            host = urlsplit(request.url).netloc
            raise FetchTimeout(
                f"{host} gave no answer within {seconds:.3g} s", cost={"bytes": wire.received}
            ) from error
        except FetchError as error:
            error.cost = {"bytes": wire.received}
            raise

    async def _follow(self, request: ApiRequest, url: str, seconds: float, wire: _Wire) -> ApiReply:
        for _ in range(_REDIRECTS + 1):
            url = self._guard.check_url(url)
            reply = await self._ask(request, url, seconds, wire)
            target = reply.headers.get("location")
            follow = _SAME_METHOD if request.method == "POST" else _SAME_METHOD | _MOVED
            if target is None or reply.status not in follow:
                return reply
            target = canonical_url(target, base=url)
            if not _same_host(url, target):
                moved = urlsplit(target).netloc
                raise Refused(f"{urlsplit(url).netloc} redirects to {moved}; correct its URL in the settings")
            url = target
        raise RedirectLoop(f"{urlsplit(url).netloc} redirects more than {_REDIRECTS} times")

    async def _ask(self, request: ApiRequest, url: str, seconds: float, wire: _Wire) -> ApiReply:
        if self._session is None:
            raise RuntimeError("an Api is used inside `async with`")
        if any(map(_NO_HEADER.search, request.secret.values())):
            raise Refused("the key holds characters that cannot be sent; copy it again")
        with classified(url, seconds):
            async with self._session.request(
                request.method,
                URL(url, encoded=True),
                headers={**request.headers, **request.secret},
                json=request.json,
                data=request.form,
                allow_redirects=False,
            ) as answer:
                headers = plain_headers(answer)
                raw = await _read(answer, headers.get("content-encoding", ""), wire)
                body = _decoded(raw, answer.charset)
        headers = {name: _without(value, request.secret) for name, value in headers.items()}
        return ApiReply(answer.status, headers, _without(body, request.secret), wire.received)


async def _read(answer: aiohttp.ClientResponse, coding: str, wire: _Wire) -> bytes:
    """Receive the body; leaving early makes aiohttp close the connection."""
    if (answer.content_length or 0) > _MAX_BYTES:
        raise TooLarge(f"the answer is {answer.content_length} bytes long; the limit is {_MAX_BYTES}")
    body = Body(coding, _MAX_BYTES, max_ratio=100)
    received = 0
    async for chunk in answer.content.iter_any():
        received += len(chunk)
        wire.received += len(chunk)
        if received > _MAX_BYTES:
            raise TooLarge(f"the answer is longer than {_MAX_BYTES} bytes")
        body.feed(chunk)
    return body.finish()


def _decoded(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _without(text: str, secret: Mapping[str, str]) -> str:
    """Return `text` without the keys that were sent: some APIs repeat a key they refuse."""
    for value in secret.values():
        key = value.rpartition(" ")[2]
        text = text.replace(key, _HIDDEN) if key else text
    return text


def _same_host(url: str, target: str) -> bool:
    """Say whether a redirect stays where the secret may go: the same host and port, or from http to its https."""
    before, after = urlsplit(url), urlsplit(target)
    upgrade = before.scheme == "http" and before.port is None and after.scheme == "https" and after.port is None
    same = before.scheme == after.scheme and before.port == after.port
    return before.hostname == after.hostname and (same or upgrade)


def _host_and_port(url: str) -> str:
    try:
        parts = urlsplit(canonical_url(url))
    except Refused as error:
        raise ConfigError(f"the search engine's URL {url!r} cannot be used: {error.message}") from error
    return parts.netloc if parts.port else f"{parts.netloc}:{_PORTS[parts.scheme]}"
