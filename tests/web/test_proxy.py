"""The proxy alone, spoken to over real sockets: who may use it, where it leads, what it refuses."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from browser_kit import canary, leading
from fetch_kit import raw, record_dialling
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import AddressRefused, FetchTimeout, Refused, TooLarge, Unreachable
from webfarer.web.guard import Guard
from webfarer.web.proxy import Proxy, Session
from webfarer.worlds.server import html_response, listen


def secret_of(session: Session) -> str:
    pair = b64encode(f"{session.username}:{session.password}".encode()).decode()
    return f"Proxy-Authorization: Basic {pair}\r\n"


async def say(proxy: Proxy, text: str | bytes) -> bytes:
    """Send bytes to the proxy and return all it answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rpartition(":")[2]))
    try:
        writer.write(text.encode() if isinstance(text, str) else text)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def get(proxy: Proxy, session: Session, url: str, more: str = "") -> bytes:
    return await say(proxy, f"GET {url} HTTP/1.1\r\nHost: ignored.example\r\n{secret_of(session)}{more}\r\n")


@asynccontextmanager
async def proxying(*allowed: str, max_bytes: float = 1e6, **options: object) -> AsyncIterator[tuple[Proxy, Session]]:
    guard = Guard([url.removeprefix("http://").strip("/") for url in allowed], leading(site_example="127.0.0.1"))
    async with Proxy(guard, connect_seconds=0.5) as proxy, proxy.session(max_bytes, private=True) as session:
        yield proxy, session


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with the request's own bytes."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    body = head + await reader.readexactly(length)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Own: yes\r\n\r\n%b" % (len(body), body))
    await writer.drain()


async def test_a_request_passes_in_a_form_of_our_own() -> None:
    async with raw(echo) as url, proxying(url) as (proxy, session):
        more = "Connection: x-hop\r\nX-Hop: 1\r\nX-Kept: 2\r\nUpgrade: h2c\r\nContent-Length: 4\r\n"
        answer = await say(
            proxy, f"POST {url}a?b=c HTTP/1.1\r\nHost: evil.example\r\n{secret_of(session)}{more}\r\nbody"
        )
    head, _, echoed = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"x-own: yes" in head.lower()
    assert b"connection: close" in head.lower()
    lines = echoed.lower().split(b"\r\n")
    assert lines[0] == b"post /a?b=c http/1.1"
    assert b"host: " + url.removeprefix("http://").strip("/").encode() in lines
    assert b"x-kept: 2" in lines
    assert lines[-1] == b"body"
    assert not any(word in echoed.lower() for word in (b"proxy-authorization", b"x-hop", b"upgrade", b"evil.example"))
    assert session.wire >= len(answer) - len(head)


async def test_a_tunnel_passes_bytes_both_ways() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read(100)).upper())
        await writer.drain()

    async with raw(shout) as url, proxying(url) as (proxy, session):
        host = url.removeprefix("http://").strip("/")
        answer = await say(proxy, f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{secret_of(session)}\r\nhello")
        assert answer.endswith(b"\r\n\r\nHELLO")
        assert answer.startswith(b"HTTP/1.1 200")
        assert session.wire == 10


async def test_without_the_secret_nobody_is_served() -> None:
    async with canary() as bird, proxying(f"127.0.0.1:{bird.port}") as (proxy, session):
        url = f"http://127.0.0.1:{bird.port}/"
        wrong = [
            "",
            "Proxy-Authorization: Basic !!!\r\n",
            "Proxy-Authorization: Basic\r\n",
            f"Proxy-Authorization: Basic {b64encode(f'{session.username}:'.encode()).decode()}\r\n",
            f"Proxy-Authorization: Basic {b64encode(f'{session.username}:{session.password}x'.encode()).decode()}\r\n",
            f"Proxy-Authorization: Basic {b64encode(f':{session.password}'.encode()).decode()}\r\n",
        ]
        for header in wrong:
            for line in (f"GET {url}", f"CONNECT 127.0.0.1:{bird.port}"):
                answer = await say(proxy, f"{line} HTTP/1.1\r\nHost: x\r\n{header}\r\n")
                assert answer.startswith(b"HTTP/1.1 407"), header
        assert not bird.visits
        assert b"secret" in await get(proxy, session, url)
    async with proxying(f"127.0.0.1:{bird.port}") as (proxy, _):
        assert (await get(proxy, session, url)).startswith(b"HTTP/1.1 407")  # another one's session


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "site.example", "[::1]", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:7f00:1]"]
)
async def test_addresses_of_this_machine_are_not_reached(host: str) -> None:
    async with canary() as bird, proxying() as (proxy, session):
        assert await get(proxy, session, f"http://{host}:{bird.port}/") == b""
        tunnel = f"CONNECT {host}:{bird.port} HTTP/1.1\r\nHost: x\r\n{secret_of(session)}\r\n"
        assert await say(proxy, tunnel) == b""
        assert not bird.visits
        assert [type(error) for error in session.failures.values()] == [AddressRefused]


async def test_what_the_user_opened_is_closed_to_public_pages() -> None:
    async with canary() as bird, proxying(f"127.0.0.1:{bird.port}") as (proxy, session):
        session.private = False
        assert await get(proxy, session, f"http://127.0.0.1:{bird.port}/") == b""
        assert not bird.visits


async def test_the_checked_address_is_the_one_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [["93.184.216.34"], ["127.0.0.1"], ["8.8.8.8", "10.0.0.1"]]

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async def page(request: object) -> object:
        return html_response("public")

    dialled = record_dialling(monkeypatch)
    async with listen(page) as site, Proxy(Guard(lookup=rebinding)) as proxy:
        port = int(site.url.strip("/").rpartition(":")[2])
        async with proxy.session(1e6, private=False) as session:
            assert b"public" in await get(proxy, session, f"http://rebind.example:{port}/")
            for _ in range(2):
                assert await get(proxy, session, f"http://rebind.example:{port}/") == b""
    assert dialled == [("93.184.216.34", port)]
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://site.example:22/", Refused),
        ("http://user:secret@site.example/", Refused),
        ("http://nowhere.invalid/", Unreachable),
        ("http://169.254.169.254/", AddressRefused),
    ],
)
async def test_why_nothing_came_is_noted(url: str, kind: type[Exception]) -> None:
    async with proxying() as (proxy, session):
        assert await get(proxy, session, url) == b""
        assert [type(error) for error in session.failures.values()] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "GET / HTTP/1.1\r\nHost: x\r\nS\r\n",
        "GET ftp://site.example/ HTTP/1.1\r\nHost: x\r\nS\r\n",
        "GET file:///etc/passwd HTTP/1.1\r\nHost: x\r\nS\r\n",
        "GET https://site.example/ HTTP/1.1\r\nHost: x\r\nS\r\n",
        "GET http://[::1 HTTP/1.1\r\nHost: x\r\nS\r\n",
        "CONNECT site.example:0x50 HTTP/1.1\r\nHost: x\r\nS\r\n",
        "POST U HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nS\r\n0\r\n\r\nGET /x",
        "POST U HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nS\r\n0\r\n\r\n",
        "POST U HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\nS\r\nabcdef",
        "POST U HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\nS\r\nabcde",
        "GET U HTTP/1.1\r\nHost: x\r\nX : y\r\nS\r\n",
        "GET U HTTP/1.1\r\nHost: x\r\nX: a\rb\r\nS\r\n",
        "GET U HTTP/1.1\r\nHost: x\r\nHost: y\r\nS\r\n",
        "GET  U HTTP/1.1\r\nHost: x\r\nS\r\n",
        "GET U HTTP/1.1\r\nHost: x\r\nX: " + "a" * 200_000 + "\r\nS\r\n",
    ],
)
async def test_what_is_no_clean_request_goes_nowhere(text: str) -> None:
    async with canary() as bird, proxying(f"127.0.0.1:{bird.port}") as (proxy, session):
        asked = text.replace("U HTTP", f"http://127.0.0.1:{bird.port}/ HTTP").replace(
            "S\r\n", secret_of(session) + "\r\n"
        )
        assert b"secret" not in await say(proxy, asked)
        assert not any(visit for visit in bird.visits)


async def test_a_second_request_on_the_same_connection_is_not_passed_on() -> None:
    async with canary() as bird, proxying(f"127.0.0.1:{bird.port}") as (proxy, session):
        request = f"GET http://127.0.0.1:{bird.port}/ HTTP/1.1\r\nHost: x\r\n{secret_of(session)}\r\n"
        await say(proxy, request + request)
        assert len(bird.visits) == 1
        assert bird.visits[0].count(b"GET ") == 1


async def test_bytes_are_limited_for_the_whole_session() -> None:
    async def big(request: object) -> object:
        return html_response("x" * 40_000)

    async with listen(big) as site, proxying(site.url, max_bytes=100_000) as (proxy, session):
        answers = [await get(proxy, session, site.url) for _ in range(4)]
        assert [len(answer) > 40_000 for answer in answers] == [True, True, False, False]
        assert session.overdrawn
        assert isinstance(session.too_large(), TooLarge)
        assert len(site.requests) == 3
        assert session.wire < 200_000


async def test_connections_end_with_their_session() -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()

    async with raw(silent) as url:
        async with proxying(url) as (proxy, session):
            asking = asyncio.create_task(get(proxy, session, url))
            while not session.wire and not session._tasks:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.05)
        assert await asking == b""
        await asyncio.wait_for(gone.wait(), 5)


async def test_silence_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr("webfarer.web.proxy._IDLE_SECONDS", 0.1)
    monkeypatch.setattr("webfarer.web.proxy._HEAD_SECONDS", 0.1)
    async with raw(silent) as url, proxying(url) as (proxy, session):
        assert await get(proxy, session, url) == b""
        assert [type(error) for error in session.failures.values()] == [FetchTimeout]
        assert await say(proxy, "GET http://") == b""
        host = url.removeprefix("http://").strip("/")
        tunnel = await say(proxy, f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{secret_of(session)}\r\n")
        assert tunnel.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n", b""])
async def test_a_server_that_speaks_something_else(answer: bytes) -> None:
    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with raw(odd) as url, proxying(url) as (proxy, session):
        assert await get(proxy, session, url) == b""
        assert [type(error) for error in session.failures.values()] == [Unreachable]


@given(st.binary(max_size=300))
def test_no_bytes_reach_a_server_without_the_secret(noise: bytes) -> None:
    async def attempt() -> None:
        async with canary() as bird, proxying(f"127.0.0.1:{bird.port}") as (proxy, _):
            await asyncio.wait_for(
                say(proxy, b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n%b\r\n\r\n" % (bird.port, noise)), 5
            )
            assert not bird.visits

    asyncio.run(attempt())
