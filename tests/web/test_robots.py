import asyncio
import time
from typing import Any

import pytest
from aiohttp import web

from webfarer.core.config import WebSettings
from webfarer.core.errors import AddressRefused, FetchTimeout, RobotsRefused, Unreachable
from webfarer.web.fetch import Fetcher
from webfarer.web.robots import MAX_BYTES, PRODUCT, Robots
from webfarer.worlds.server import listen

MINE = "User-agent: webfarer\nDisallow: /private\nAllow: /private/open\nCrawl-delay: 3\n\nUser-agent: *\nDisallow: /\n"


class Store:
    """A cache in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, float]] = {}

    def get(self, origin: str) -> tuple[str, float] | None:
        return self.kept.get(origin)

    def put(self, origin: str, text: str, fetched: float) -> None:
        self.kept[origin] = (text, fetched)


def fetcher(store: Store | None = None, **changes: Any) -> Fetcher:
    return Fetcher(WebSettings(**{"allow_private": ("127.0.0.1",), "retries": 0, "delay": 0, **changes}), store)


def site(robots: str | bytes = "", status: int = 200, headers: dict[str, str] | None = None) -> Any:
    """Serve pages, and this robots.txt."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/robots.txt":
            return web.Response(text="page")
        body = robots.encode() if isinstance(robots, str) else robots
        return web.Response(body=body, status=status, headers=headers)

    return listen(handler)


class Loader:
    """Stands for the fetcher: gives one answer, counts how often it is asked."""

    def __init__(self, status: int = 200, body: bytes = b"", error: Exception | None = None) -> None:
        self.status, self.body, self.error = status, body, error
        self.asked: list[str] = []

    async def __call__(self, url: str) -> tuple[int, bytes]:
        self.asked.append(url)
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return self.status, self.body


# --- the rules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("User-agent: WebFarer\nDisallow: /a", "/a/b", False),
        (MINE, "/private", False),
        (MINE, "/private/open/x", True),
        (MINE, "/", True),
        ("User-agent: *\nDisallow: /*.php$", "/x.php", False),
        ("User-agent: *\nDisallow: /*.php$", "/x.php?a", True),
        ("User-agent: *\nDisallow: /%7Ejoe", "/~joe/x", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
        ("<html>not robots at all</html>", "/a", True),
        ("\0\0\0", "/a", True),
    ],
)
async def test_rules(text: str, path: str, allowed: bool) -> None:
    async with site(text) as served, fetcher() as f:
        url = served.url.rstrip("/") + path
        if allowed:
            assert (await f.fetch(url)).body == b"page"
        else:
            with pytest.raises(RobotsRefused, match=r"robots\.txt does not allow") as caught:
                await f.fetch(url)
            assert caught.value.cost == {"bytes": len(text.encode())}
            assert served.requests == ["/robots.txt"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_a_missing_file_allows_everything(status: int) -> None:
    async with site("User-agent: *\nDisallow: /", status) as served, fetcher() as f:
        assert (await f.fetch(served.url)).status == 200


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_failing_server_allows_nothing(status: int) -> None:
    async with site("", status) as served, fetcher() as f:
        for _ in range(2):
            with pytest.raises(RobotsRefused, match=f"HTTP {status}"):
                await f.fetch(served.url)
    assert served.requests == ["/robots.txt"]


async def test_a_file_that_does_not_arrive_allows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webfarer.web.robots.SECONDS", 0.1)

    async def black_hole(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with listen(black_hole) as served, fetcher() as f:
        with pytest.raises(RobotsRefused, match=r"did not deliver"):
            await f.fetch(served.url)


async def test_a_host_that_cannot_be_reached_says_so_itself() -> None:
    async with site() as served:
        pass
    async with fetcher() as f:
        with pytest.raises(Unreachable, match="no connection"):
            await f.fetch(served.url)
        with pytest.raises(AddressRefused):
            await f.fetch("http://10.0.0.1/")


async def test_only_the_first_part_of_an_endless_file_counts() -> None:
    filler = b"# " + b"x" * 997 + b"\n"
    text = b"User-agent: *\nDisallow: /a\n" + filler * 600 + b"Disallow: /b\n"
    assert len(text) > MAX_BYTES
    async with site(text) as served, fetcher() as f:
        with pytest.raises(RobotsRefused):
            await f.fetch(served.url + "a")
        assert (await f.fetch(served.url + "b")).status == 200


async def test_robots_can_be_switched_off() -> None:
    async with site("User-agent: *\nDisallow: /") as served, fetcher(robots=False) as f:
        assert (await f.fetch(served.url)).status == 200
    assert served.requests == ["/"]


async def test_the_page_pays_for_its_robots_file() -> None:
    async with site("User-agent: x\n") as served, fetcher() as f:
        assert (await f.fetch(served.url)).wire_bytes == len("User-agent: x\n") + len("page")
        assert (await f.fetch(served.url)).wire_bytes == len("page")


# --- redirects -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hops", "allowed"), [(0, False), (5, False), (6, True)])
async def test_robots_redirects_are_followed_five_times(hops: int, allowed: bool) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        left = int(request.query.get("left", hops))
        if request.path == "/robots.txt" and left:
            return web.Response(status=302, headers={"Location": f"/robots.txt?left={left - 1}"})
        return web.Response(text="User-agent: *\nDisallow: /page")

    async with listen(handler) as served, fetcher(max_redirects=0) as f:
        if allowed:
            assert (await f.fetch(served.url + "page")).status == 200
        else:
            with pytest.raises(RobotsRefused):
                await f.fetch(served.url + "page")


async def test_a_robots_redirect_to_a_private_address_is_refused() -> None:
    async with site(status=302, headers={"Location": "http://169.254.169.254/"}) as served, fetcher() as f:
        with pytest.raises(AddressRefused):
            await f.fetch(served.url)
    assert served.requests == ["/robots.txt"]


async def test_every_hop_of_a_redirect_is_asked_for() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/robots.txt":
            return web.Response(text="User-agent: *\nDisallow: /secret")
        return web.Response(status=302, headers={"Location": "/secret"})

    async with listen(handler) as served, fetcher() as f:
        with pytest.raises(RobotsRefused, match="/secret"):
            await f.fetch(served.url + "a")
    assert served.requests == ["/robots.txt", "/a"]


# --- how often -----------------------------------------------------------------------------------------------------


async def test_one_file_per_origin_however_many_ask_at_once() -> None:
    async with site(MINE.replace("Crawl-delay: 3\n", "")) as served, fetcher() as f:
        await asyncio.gather(*[f.fetch(f"{served.url}{n}") for n in range(6)])
        await f.fetch(served.url)
    assert served.requests.count("/robots.txt") == 1


async def test_who_gives_up_does_not_take_the_file_from_the_others() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def load(url: str) -> tuple[int, bytes]:
        begun.set()
        await go.wait()
        return 404, b""

    robots = Robots()
    first = asyncio.create_task(robots.check("http://a.example/", load))
    second = asyncio.create_task(robots.check("http://a.example/b", Loader(error=AssertionError("asked twice"))))
    await begun.wait()
    first.cancel()
    go.set()
    assert await second == 0.0
    assert await asyncio.gather(first, return_exceptions=True) != [0.0]


async def test_origins_are_kept_apart() -> None:
    robots, load = Robots(), Loader(404)
    for origin in ("http://a.example", "https://a.example", "http://a.example:8080", "http://b.example"):
        await robots.check(f"{origin}/x", load)
        await robots.check(f"{origin}/y", load)
    assert load.asked == [
        "http://a.example/robots.txt",
        "https://a.example/robots.txt",
        "http://a.example:8080/robots.txt",
        "http://b.example/robots.txt",
    ]


@pytest.mark.parametrize(
    ("load", "before", "after"),
    [
        (Loader(200, b""), 23 * 3600, 25 * 3600),
        (Loader(404), 23 * 3600, 25 * 3600),
        (Loader(500), 50, 70),
        (Loader(error=FetchTimeout("slow")), 50, 70),
    ],
    ids=["file", "no file", "failing", "timeout"],
)
async def test_how_long_an_answer_is_kept(
    load: Loader, before: float, after: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    robots, start = Robots(), time.time()
    for later, asked in ((0.0, 1), (before, 1), (after, 2)):
        monkeypatch.setattr(time, "time", lambda later=later: start + later)
        await asyncio.gather(robots.check("http://a.example/", load), return_exceptions=True)
        assert len(load.asked) == asked


async def test_memory_is_bounded() -> None:
    robots, load = Robots(), Loader(404)
    for number in range(600):
        await robots.check(f"http://h{number}.example/", load)
    await robots.check("http://h599.example/", load)
    assert len(load.asked) == 600
    await robots.check("http://h0.example/", load)
    assert len(load.asked) == 601


async def test_a_store_outlives_the_process() -> None:
    store = Store()
    async with site(MINE) as served:
        for _ in range(2):
            async with fetcher(store) as f:
                with pytest.raises(RobotsRefused):
                    await f.fetch(served.url + "private")
        origin = served.url.rstrip("/")
        assert store.kept[origin][0] == MINE
        store.kept[origin] = ("", time.time() - 25 * 3600)  # a day old: asked again
        async with fetcher(store) as f:
            with pytest.raises(RobotsRefused):
                await f.fetch(served.url + "private")
    assert served.requests == ["/robots.txt"] * 2


async def test_failures_are_not_stored() -> None:
    store = Store()
    with pytest.raises(RobotsRefused):
        await Robots(store).check("http://a.example/", Loader(500))
    assert store.kept == {}
    await Robots(store).check("http://a.example/", Loader(404, b"Disallow: /"))
    assert store.kept["http://a.example"][0] == ""


@pytest.mark.parametrize(("asked", "honoured"), [("3", 3.0), ("0.5", 0.5), ("99", 10.0), ("soon", 0.0), ("-1", 0.0)])
async def test_crawl_delay_is_honoured_up_to_a_cap(asked: str, honoured: float) -> None:
    load = Loader(200, f"User-agent: {PRODUCT}\nCrawl-delay: {asked}\n".encode())
    assert await Robots().check("http://a.example/", load) == honoured


async def test_crawl_delay_spaces_requests() -> None:
    async with site("User-agent: *\nCrawl-delay: 10") as served, fetcher() as f:
        await f.fetch(served.url)
        with pytest.raises(FetchTimeout):
            await f.fetch(served.url, seconds=0.05)
    assert served.requests == ["/robots.txt", "/"]


async def test_redirects_across_hosts_read_both_files() -> None:
    async with site("User-agent: *\nDisallow: /") as inner:

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            status = 404 if request.path == "/robots.txt" else 301
            return web.Response(status=status, headers={"Location": inner.url})

        async with listen(handler) as outer, fetcher() as f:
            with pytest.raises(RobotsRefused):
                await f.fetch(outer.url)
    assert inner.requests == ["/robots.txt"]


async def test_closing_stops_what_is_under_way() -> None:
    async def never(url: str) -> tuple[int, bytes]:
        await asyncio.Event().wait()
        return 404, b""

    robots = Robots()
    waiting = asyncio.create_task(robots.check("http://a.example/", never))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await robots.close()
    assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], asyncio.CancelledError)
