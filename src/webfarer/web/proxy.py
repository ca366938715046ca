"""The one way out for the browser: a forward proxy on 127.0.0.1 that asks the guard before it connects.

A name is looked up once, here, and the connection goes to the address that was checked. Whoever connects must know the
secret of a :class:`Session`, which counts and limits its bytes and takes all its connections along when it ends.
Messages are parsed and written anew (h11), so no framing trick passes through. Not a cache and not for other programs:
robots.txt and politeness are the caller's business. Source: RFC 9110 §7.3.2, §9.3.6; RFC 9112 §3.2.2.
"""

import asyncio
import binascii
import hmac
import secrets
import socket
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohappyeyeballs
import h11

from webfarer.core.errors import FetchError, FetchTimeout, TooLarge, Unreachable
from webfarer.web.guard import Guard

_CHUNK = 65_536
_HEAD = 65_536  # bytes of one message's head
_HEAD_SECONDS = 10.0
_IDLE_SECONDS = 30.0
_NOTHING_OPENED = Guard()
_HOP = frozenset(
    b"""connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding
    upgrade expect""".split()
)


class Session:
    """What one page may use of the proxy, and what it used.

    Attributes:
        username: with `password`, what its connections must present.
        private: hosts that the user opened may be reached; false for pages of the public web, which would otherwise
            reach into the user's own servers.
        wire: bytes that went through, both ways.
        failures: why a host and port were not reached, or broke off.
    """

    def __init__(self, max_bytes: float, private: bool) -> None:
        self.username = secrets.token_hex(8)
        self.password = secrets.token_urlsafe(32)
        self.private = private
        self.wire = 0
        self.failures: dict[tuple[str, int], FetchError] = {}
        self._max_bytes = max_bytes
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def overdrawn(self) -> bool:
        """True once the limit on bytes was passed; nothing goes through any more."""
        return self.wire > self._max_bytes

    def spend(self, count: int) -> None:
        """Count bytes.

        Raises:
            TooLarge: there were too many; the session's other connections end as well.
        """
        self.wire += count
        if self.overdrawn:
            for task in self._tasks - {asyncio.current_task()}:
                task.cancel()
            raise self.too_large()

    def too_large(self) -> TooLarge:
        """Return the error for a session that is overdrawn."""
        return TooLarge(f"the page with all it loads is larger than {self._max_bytes:.0f} bytes on the wire")

    @contextmanager
    def connection(self, task: asyncio.Task[None]) -> Iterator[None]:
        """Let `task` end with the session."""
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    async def close(self) -> None:
        """Close the session's connections."""
        await _end(self._tasks)


class Proxy:
    """A proxy on a free port of 127.0.0.1; an async context manager.

    Args:
        guard: which addresses may be asked.
        connect_seconds: deadline for a connection, the look-up included.
    """

    def __init__(self, guard: Guard, connect_seconds: float = 5.0) -> None:
        self.url = ""
        self._guard = guard
        self._connect_seconds = connect_seconds
        self._sessions: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        await _end(self._tasks)

    @asynccontextmanager
    async def session(self, max_bytes: float, *, private: bool) -> AsyncIterator[Session]:
        """Open the proxy to whoever knows the session's secret, until the context ends."""
        session = Session(max_bytes, private)
        self._sessions[session.username] = session
        try:
            yield session
        finally:
            del self._sessions[session.username]
            await session.close()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection, which carries one request."""
        client = _Peer(reader, writer, h11.SERVER)
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                request = await client.receive()
            if not isinstance(request, h11.Request):
                return
            session = self._session_of(request)
            if session is None:
                challenge = [("Proxy-Authenticate", 'Basic realm="webfarer"'), ("Content-Length", "0")]
                await client.send(h11.Response(status_code=407, headers=[*challenge, ("Connection", "close")]))
                return
            task = asyncio.current_task()
            if task is not None and not session.overdrawn:
                with session.connection(task):
                    await self._relay(client, request, session)
        except (h11.ProtocolError, OSError, TimeoutError):
            pass  # to a page, all ways of getting nothing look the same
        finally:
            writer.close()

    def _session_of(self, request: h11.Request) -> Session | None:
        given = dict(request.headers).get(b"proxy-authorization", b"")
        try:
            username, _, password = b64decode(given.removeprefix(b"Basic "), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        session = self._sessions.get(username)
        return session if session and hmac.compare_digest(session.password.encode(), password.encode()) else None

    async def _relay(self, client: "_Peer", request: h11.Request, session: Session) -> None:
        url = _url_of(request)
        endpoint = endpoint_of(url)
        try:
            with _classified(urlsplit(url).netloc):
                async with asyncio.timeout(self._connect_seconds):
                    reader, writer = await self._connect(*endpoint_of(self._guard.check_url(url)), session)
                server = _Peer(reader, writer, h11.CLIENT, session.spend)
                try:
                    await (_tunnel if request.method == b"CONNECT" else _exchange)(client, server, request)
                finally:
                    writer.close()
        except FetchError as error:
            session.failures[endpoint] = error

    async def _connect(
        self, host: str, port: int, session: Session
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        addresses = await self._guard.resolve(host, port)
        infos: list[aiohappyeyeballs.AddrInfoType] = []
        for ip in addresses:
            if not session.private:
                _NOTHING_OPENED.check_address(ip, host, port)
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            infos.append((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (ip, port)))
        connected = await aiohappyeyeballs.start_connection(infos, happy_eyeballs_delay=0.25)
        return await asyncio.open_connection(sock=connected)


class _Peer:
    """One end of a relay, speaking HTTP/1.1; `count` is told of every byte received from it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        role: type[h11.SERVER] | type[h11.CLIENT],
        count: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.http = h11.Connection(role, max_incomplete_event_size=_HEAD)
        self.reader, self.writer, self.count = reader, writer, count

    async def receive(self) -> object:
        """Return the next event of h11."""
        while (event := self.http.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(_IDLE_SECONDS):
                data = await self.reader.read(_CHUNK)
            self.count(len(data))
            self.http.receive_data(data)
        return event

    async def send(self, event: h11.Event) -> None:
        """Write `event`."""
        data = self.http.send(event)
        if data:
            await self.write(data)

    async def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)
        async with asyncio.timeout(_IDLE_SECONDS):
            await self.writer.drain()


async def _exchange(client: _Peer, server: _Peer, request: h11.Request) -> None:
    """Pass one request on and its answer back; neither connection is used again."""
    if any(name == b"transfer-encoding" for name, _ in request.headers):
        raise h11.RemoteProtocolError("a browser announces the length of what it sends")
    url = urlsplit(request.target.decode("ascii"))
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    headers = [(b"host", url.netloc.encode("ascii")), *_end_to_end(request.headers, b"host"), (b"connection", b"close")]
    await server.send(h11.Request(method=request.method, target=target, headers=headers))
    while isinstance(event := await client.receive(), h11.Data):
        server.count(len(event.data))
        await server.send(event)
    await server.send(h11.EndOfMessage())
    while isinstance(answer := await server.receive(), h11.InformationalResponse):
        pass
    if not isinstance(answer, h11.Response) or answer.status_code == 407:  # a 407 would ask the browser for our secret
        raise Unreachable(f"{url.netloc} did not answer as a web server does")
    headers = [*_end_to_end(answer.headers), (b"connection", b"close")]
    await client.send(h11.Response(status_code=answer.status_code, reason=answer.reason, headers=headers))
    while isinstance(event := await server.receive(), h11.Data):
        await client.send(event)
    await client.send(h11.EndOfMessage())


async def _tunnel(client: _Peer, server: _Peer, request: h11.Request) -> None:
    """Pass bytes both ways until one side closes or neither has anything to say."""
    await client.receive()  # the end of the request, which has no body
    early, _ = client.http.trailing_data
    await client.send(h11.Response(status_code=200, headers=[], reason=b"Connection established"))
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(_IDLE_SECONDS) as idle:

        async def pump(source: _Peer, sink: _Peer, data: bytes) -> None:
            while data or (data := await source.reader.read(_CHUNK)):
                idle.reschedule(clock() + _IDLE_SECONDS)
                server.count(len(data))
                await sink.write(data)
                data = b""
            sink.writer.close()  # which ends the other pump

        await asyncio.gather(pump(client, server, early), pump(server, client, b""))


def endpoint_of(url: str) -> tuple[str, int]:
    """Return host and port of an http(s) URL."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _url_of(request: h11.Request) -> str:
    """Return the URL asked for, of a tunnel only its origin."""
    target = request.target.decode("ascii")
    url = f"https://{target}/" if request.method == b"CONNECT" else target
    try:
        endpoint_of(url)
    except ValueError as error:
        raise h11.RemoteProtocolError(f"no URL: {error}") from error
    if request.method != b"CONNECT" and not url.lower().startswith("http://"):
        raise h11.RemoteProtocolError("not a request to a proxy")
    return url


def _end_to_end(headers: Iterable[tuple[bytes, bytes]], *dropped: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers that are meant for the other end (RFC 9110 §7.6.1)."""
    hop = {*_HOP, *dropped}
    for name, value in headers:
        if name == b"connection":
            hop.update(option.strip().lower() for option in value.split(b","))
    return [(name, value) for name, value in headers if name not in hop]


@contextmanager
def _classified(authority: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise FetchTimeout(f"{authority} did not accept a connection in time, or fell silent") from error
    except socket.gaierror as error:
        raise Unreachable(f"the host {authority} is unknown") from error
    except OSError as error:
        raise Unreachable(f"no connection to {authority}: {error.strerror or error}") from error
    except h11.RemoteProtocolError as error:
        raise Unreachable(f"{authority} did not answer in HTTP: {error}") from error


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel the tasks and wait for them."""
    ending = set(tasks)
    for task in ending:
        task.cancel()
    if ending:
        await asyncio.wait(ending)
