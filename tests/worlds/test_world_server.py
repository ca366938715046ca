"""The server of worlds and of folders of static HTML."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from webfarer.worlds.server import serve, serve_folder
from webfarer.worlds.world import WorldSpec, generate


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A documentation package as Debian unpacks it: links to a sibling folder, one link that leaves the tree."""
    root = tmp_path / "root"
    html = root / "share" / "doc" / "tool" / "html"
    (html / "guide").mkdir(parents=True)
    (html / "index.html").write_text("<h1>Tool</h1>")
    (html / "guide" / "index.html").write_text("<h1>Guide</h1>")
    (html / "bare").mkdir()
    (html / "bare" / "file.txt").write_text("plain")
    (html / "style.css").write_text("p{}")
    (root / "share" / "javascript").mkdir()
    (root / "share" / "javascript" / "x.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    (html / "x.js").symlink_to("../../../javascript/x.js")
    (html / "secret.txt").symlink_to(tmp_path / "secret.txt")
    (html / "loop").symlink_to("loop")
    return root


async def get(url: str, **options: object) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as client, client.get(url, **options) as response:  # type: ignore[arg-type]
        return response.status, response.headers.get("Content-Type", ""), await response.text()


async def raw(url: str, target: str) -> bytes:
    """Send a request line as it is; clients would tidy the path up."""
    port = int(url.rstrip("/").rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_world_is_served_and_its_requests_are_recorded() -> None:
    world = generate(WorldSpec("conference", 1))
    old, moved = next((path, page.redirect) for path, page in world.pages.items() if page.redirect)
    async with serve(world) as site:
        status, kind, text = await get(site.url)
        assert (status, kind, text) == (200, "text/html; charset=utf-8", world.pages["/"].html.decode())
        assert (await get(site.url + "nowhere.html?x=1"))[0] == 404
        assert (await get(site.url.rstrip("/") + old))[2] == world.pages[moved].html.decode()
        assert site.requests == ["/", "/nowhere.html?x=1", old, moved]


async def test_only_reading_is_allowed() -> None:
    async with (
        serve(generate(WorldSpec("game", 1, size=24))) as site,
        aiohttp.ClientSession() as client,
        client.post(site.url) as response,
    ):
        assert response.status == 405


async def test_a_closed_site_is_gone_even_while_a_client_holds_on() -> None:
    async with aiohttp.ClientSession() as client:
        async with serve(generate(WorldSpec("game", 1, size=24))) as site, client.get(site.url) as response:
            await response.read()
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(site.url)


async def test_a_folder_is_served_with_its_types_and_never_listed(docs: Path) -> None:
    async with serve_folder(docs / "share/doc/tool/html") as site:
        assert await get(site.url) == (200, "text/html", "<h1>Tool</h1>")
        assert (await get(site.url + "guide/"))[2] == "<h1>Guide</h1>"
        status, _, _ = await get(site.url + "guide", allow_redirects=False)
        assert status == 301
        assert (await get(site.url + "guide"))[2] == "<h1>Guide</h1>"
        assert (await get(site.url + "style.css"))[1] == "text/css"
        assert (await get(site.url + "bare/"))[0] == 404
        assert (await get(site.url + "bare/file.txt"))[2] == "plain"


async def test_links_are_followed_inside_the_root_only(docs: Path) -> None:
    html = docs / "share/doc/tool/html"
    async with serve_folder(html) as site:
        assert (await get(site.url + "x.js"))[0] == 404
    async with serve_folder(html, root=docs) as site:
        assert (await get(site.url + "x.js"))[2] == "1"
        assert (await get(site.url + "secret.txt"))[0] == 404
        assert (await get(site.url + "loop"))[0] == 404


@pytest.mark.parametrize(
    "target",
    [
        "/../../../javascript/x.js",
        "/%2e%2e/%2e%2e/%2e%2e/javascript/x.js",
        "/guide/..%2f..%2f..%2fjavascript/x.js",
        "/%00",
        "//etc/passwd",
        "/" + "a" * 300,
        "/" + "b/" * 2000,
    ],
)
async def test_no_path_escapes(docs: Path, target: str) -> None:
    async with serve_folder(docs / "share/doc/tool/html", root=docs) as site:
        answer = await raw(site.url, target)
    assert answer.split(b" ", 2)[1] in {b"400", b"404"}
    assert b"root:" not in answer


async def test_packed_files_are_files_of_their_own(docs: Path) -> None:
    html = docs / "share/doc/tool/html"
    (html / "style.css.gz").symlink_to(docs.parent / "secret.txt")
    (html / "NEWS.gz").write_bytes(b"packed")
    (html / "dangling").symlink_to("missing")
    async with serve_folder(html) as site:
        assert (await get(site.url + "style.css"))[2] == "p{}", "also to clients that accept gzip"
        assert (await get(site.url + "style.css.gz"))[0] == 404
        assert await get(site.url + "NEWS.gz") == (200, "application/gzip", "packed")
        assert (await get(site.url + "dangling"))[0] == 404
