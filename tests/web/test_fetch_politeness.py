import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from fetch_kit import answer, fetcher, record_dialling, record_pauses

from webfarer.core.errors import (
    FetchTimeout,
)
from webfarer.web.politeness import Turns
from webfarer.worlds.server import listen


@pytest.mark.parametrize("limit", [1, 2])
async def test_no_host_gets_more_requests_at_a_time_than_allowed(limit: int) -> None:
    now = most = 0

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.Response(text="x")

    async with listen(handler) as site, fetcher(concurrency=limit) as f:
        await asyncio.gather(*[f.fetch(f"{site.url}{n}") for n in range(8)])
    assert (most, len(site.requests)) == (limit, 8)


async def test_public_hosts_get_a_pause_between_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    record_dialling(monkeypatch)

    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    async with listen(answer) as site, fetcher(lookup, delay=1000) as f:
        url = f"http://a.example:{urlsplit(site.url).port}/"
        assert (await f.fetch(url)).status == 200
        with pytest.raises(FetchTimeout):
            await f.fetch(url, seconds=0.05)
        assert (await f.fetch(site.url)).status == (await f.fetch(site.url)).status == 200  # opened by the user
    assert len(site.requests) == 3


async def test_turns_start_one_pause_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = record_pauses(monkeypatch)
    turns = Turns(3)

    async def take() -> None:
        async with turns.turn("h", 1000.0):
            pass

    await asyncio.gather(*[take() for _ in range(4)])
    assert [round(pause / 1000) for pause in slept] == [0, 1, 2, 3]


async def test_turns_forget_hosts() -> None:
    turns = Turns(2)
    for number in range(100):
        async with turns.turn(f"h{number}", 0.0):
            assert len(turns) == 1
    assert len(turns) == 0
    async with turns.turn("slow", 0.05):
        pass
    assert len(turns) == 1  # its pause is not over
    await asyncio.sleep(0.06)
    async with turns.turn("other", 0.0):
        assert len(turns) == 1


async def test_a_caller_that_gives_up_leaves_no_turn_taken() -> None:
    turns = Turns(1)
    async with turns.turn("h", 0.0):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), turns.turn("h", 0.0):
                pytest.fail("the turn is taken")
    async with asyncio.timeout(1), turns.turn("h", 0.0):
        assert len(turns) == 1
