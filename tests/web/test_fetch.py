import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from fetch_kit import answer, fetcher, raw, record_dialling

from webfarer.core.errors import (
    AddressRefused,
    NotReadable,
    Unreachable,
)
from webfarer.worlds.server import listen


async def test_a_page_arrives_with_its_facts() -> None:
    async with listen(answer) as site, fetcher() as f:
        got = await f.fetch(site.url.upper().replace("HTTP", "http") + "?body=caf%C3%A9&header=X-A:1&header=x-a:2#frag")
    assert (got.status, got.body.decode(), got.wire_bytes) == (200, "café", 5)
    assert got.headers["x-a"] == "1, 2"
    assert got.url == got.final_url == site.url + "?body=caf%C3%A9&header=X-A:1&header=x-a:2"
    assert (got.redirects, got.attempts) == ((), ())


@pytest.mark.parametrize("status", [200, 204, 304, 400, 404, 410, 429, 500, 503])
async def test_every_status_is_an_answer(status: int) -> None:
    async with listen(answer) as site, fetcher() as f:
        assert (await f.fetch(f"{site.url}?status={status}")).status == status


async def test_requests_are_honest_and_carry_no_state(monkeypatch: pytest.MonkeyPatch) -> None:
    record_dialling(monkeypatch)  # a name: aiohttp keeps no cookies of bare addresses in any case
    seen: list[web.BaseRequest] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request)
        return web.Response(text="x", headers={"Set-Cookie": "a=1"})

    async with listen(handler) as site, fetcher(lookup, contact="ops@example.org") as f:
        url = f"http://a.example:{urlsplit(site.url).port}/"
        await f.fetch(url)
        await f.fetch(url)
    assert len(seen) == 2
    for request in seen:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["user-agent"].startswith("webfarer/")
        assert headers["user-agent"].endswith("(ops@example.org)")
        assert headers["accept-encoding"] == "gzip"
        assert not headers.keys() & {"cookie", "authorization", "referer", "accept-language"}


async def test_the_path_is_sent_exactly_as_canonicalised() -> None:
    async with listen(answer) as site, fetcher() as f:
        await f.fetch(site.url + "a%2fb/%7ec?x=%2b+%zz")
    assert site.requests == ["/a%2Fb/~c?x=%2B+%25zz"]


async def test_proxy_settings_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with listen(answer) as site, fetcher() as f:
        assert (await f.fetch(site.url)).status == 200


async def test_headers_that_are_not_utf8_stay_printable() -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nX-A: caf\xe9\r\nContent-Length: 2\r\n\r\nhi")

    async with raw(reply) as url, fetcher() as f:
        got = await f.fetch(url)
    assert got.headers["x-a"].encode() == "caf�".encode()


@pytest.mark.parametrize("kind", ["image/png", "VIDEO/mp4", "font/woff2"])
async def test_what_holds_no_text_is_not_received(kind: str) -> None:
    async with listen(answer) as site, fetcher() as f:
        with pytest.raises(NotReadable) as caught:
            await f.fetch(f"{site.url}?header=Content-Type:{kind}&body={'x' * 1000}")
    assert caught.value.cost == {"bytes": 0}
    assert caught.value.detail["url"].startswith(site.url)


async def test_outside_its_context_a_fetcher_does_nothing() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await fetcher().fetch("http://127.0.0.1/")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]/", "http://0x7f000001/", "http://169.254.169.254/", "http://10.0.0.1/"]
)
async def test_literal_addresses_are_checked(url: str) -> None:
    async with fetcher(allow_private=()) as f:
        with pytest.raises(AddressRefused) as caught:
            await f.fetch(url)
    assert caught.value.cost == {"bytes": 0}


@pytest.mark.parametrize("answers", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["64:ff9b::a9fe:a9fe"]])
async def test_names_of_private_addresses_are_refused(answers: list[str]) -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return answers

    async with fetcher(lookup) as f:
        both = await asyncio.gather(*[f.fetch("http://a.example/") for _ in range(2)], return_exceptions=True)
    assert [type(error) for error in both] == [AddressRefused, AddressRefused]


async def test_a_rebinding_name_is_dialled_where_it_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled = record_dialling(monkeypatch)
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    lookups: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        lookups.append(host)
        return answers[min(len(lookups), 2) - 1]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text=request.headers["Host"], headers={"Connection": "close"})

    async with listen(handler) as site, fetcher(lookup, allow_private=()) as f:
        port = urlsplit(site.url).port
        got = await f.fetch(f"http://rebind.example:{port}/")
        assert got.body.decode() == f"rebind.example:{port}"
        assert (lookups, dialled) == (["rebind.example"], [("93.184.216.34", port)])
    async with fetcher(lookup, allow_private=()) as f:
        with pytest.raises(AddressRefused):
            await f.fetch(f"http://rebind.example:{port}/")
    assert len(dialled) == 1


async def test_tls_asks_for_the_name_at_the_checked_address(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled = record_dialling(monkeypatch)
    hello: list[bytes] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.append(await reader.read(2000))

    async with raw(reply) as url, fetcher(lookup) as f:
        port = urlsplit(url).port
        with pytest.raises(Unreachable):
            await f.fetch(f"https://secure.example:{port}/")
    assert dialled[0] == ("93.184.216.34", port)
    assert b"secure.example" in hello[0]
