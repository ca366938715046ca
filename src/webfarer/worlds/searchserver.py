"""A stand-in for six search engines, over real HTTP on 127.0.0.1, for tests and benchmarks.

It ranks the documents it is given by their words (BM25), keeps to `site:` operators, answers in each engine's own wire
format, asks for keys, fails when it is told to, and counts. Not an index of the web: everything is scored every time.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from webfarer.core.text import BM25, words
from webfarer.worlds.searchwires import WIRES, Document

_SHUTDOWN_SECONDS = 0.05
_SITE = re.compile(r"\bsite:(\S+?)(?=[\s)]|$)")
_OPERATORS = re.compile(r"\(?site:\S+(?: OR site:\S+)*\)?")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s*|\n+")
_TITLE_WEIGHT = 3
_PIECE = 16


@dataclass(frozen=True, slots=True)
class Fault:
    """One request that goes wrong.

    Attributes:
        status: HTTP status.
        body: what is sent.
        kind: its content type.
        retry_after: value of the Retry-After header, "" for none.
        location: value of the Location header, "" for none.
        announced: a Content-Length that is not true.
        drip: seconds between each few bytes of the body.
        cut: the right answer, but only so many characters of it (status and body do not count).
        lost: the connection breaks instead of an answer.
    """

    status: int = 500
    body: str = "<html><body>Internal Server Error</body></html>"
    kind: str = "text/html"
    retry_after: str = ""
    location: str = ""
    announced: int = 0
    drip: float = 0.0
    cut: int = 0
    lost: bool = False


JSON_OFF = Fault(403, "<!doctype html><title>403 Forbidden</title><h1>Forbidden</h1>")
BUSY = Fault(429, '{"message": "Too many requests"}', "application/json")
CAPTCHA = Fault(
    202, '<html><body><div class="anomaly-modal__mask"><form id="challenge-form"></form></div></body></html>'
)
ERROR_AS_SUCCESS = Fault(200, '{"error": "something went wrong inside", "status": "failed"}', "application/json")
TRUNCATED = Fault(cut=60)
OVERSIZED = Fault(200, "{", "application/json", announced=2_000_000_000)
BROKEN = Fault(lost=True)


@dataclass(slots=True)
class SearchStub:
    """The server's book-keeping.

    Attributes:
        url: its root, without slash at the end.
        asked: engine and query of every request received, in order.
        headers: the headers of each of these, names in lower case.
        faults: by engine, what happens to its next requests; None: nothing. May be extended at any time.
    """

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    faults: dict[str, list[Fault | None]] = field(default_factory=dict)

    def bases(self) -> dict[str, str]:
        """Return the base URL of each engine, as the setting `search.bases` takes them."""
        return {engine: f"{self.url}/{engine}" for engine in WIRES}

    def count(self, engine: str) -> int:
        """Return the number of requests an engine has received."""
        return sum(name == engine for name, _ in self.asked)


@asynccontextmanager
async def serve_search(
    documents: Sequence[Document], faults: Mapping[str, Sequence[Fault | None]] | None = None, key: str = ""
) -> AsyncIterator[SearchStub]:
    """Serve until the block ends.

    Args:
        documents: what the engines know.
        faults: see :class:`SearchStub`.
        key: what serper, brave and tavily ask for; "": anything will do.
    """
    stub = SearchStub(faults={engine: list(planned) for engine, planned in (faults or {}).items()})
    index = SearchIndex(documents)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        engine, _, path = request.path.strip("/").partition("/")
        wire = WIRES.get(engine)
        if wire is None or path.strip("/") != wire.path or request.method != wire.method:
            return web.Response(status=404, text="no such path")
        given = await _given(request)
        text = str(given.get(wire.query, ""))
        stub.asked.append((engine, text))
        stub.headers.append({name.lower(): value for name, value in request.headers.items()})
        planned = stub.faults.get(engine)
        fault = planned.pop(0) if planned else None
        if fault and not fault.cut:
            return await _fail(request, fault)
        if key and wire.key and request.headers.get(wire.key, "").removeprefix("Bearer ") != key:
            return web.json_response({"message": f"Unauthorized: {request.headers.get(wire.key)}"}, status=401)
        found = index.search(text, given.get("include_domains") or _SITE.findall(text))
        shown = [replace(d, text=snippet(d, text)) for d in found[: int(given.get(wire.most, 10))]]
        answer = wire.answer(shown, stub.url)
        response = web.json_response(answer) if isinstance(answer, dict) else _page(answer)
        if fault:
            response.text = (response.text or "")[: fault.cut]
        return response

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield stub
    finally:
        await runner.cleanup()


class SearchIndex:
    """Finds documents by BM25 over their titles and texts."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._bm25 = BM25()
        for document in documents:
            self._bm25.add(words(document.title) * _TITLE_WEIGHT + words(document.text))

    def search(self, query: str, sites: Sequence[str] = ()) -> list[Document]:
        """Return the documents that hold a word of the query, best first."""
        scores = self._bm25.scores(words(_OPERATORS.sub(" ", query)))
        ranked = sorted(range(len(scores)), key=lambda number: (-scores[number], number))
        found = [self._documents[number] for number in ranked if scores[number] > 0]
        return [document for document in found if not sites or any(_lies_in(document.url, site) for site in sites)]


def snippet(document: Document, query: str) -> str:
    """Return the document's text from the piece on that holds most words of the query."""
    wanted = set(words(query))
    pieces = [piece.strip() for piece in _SENTENCE.split(document.text) if piece.strip()]
    best = max(range(len(pieces)), key=lambda at: len(wanted.intersection(words(pieces[at]))), default=0)
    return " ".join(pieces[best:])


def _lies_in(url: str, site: str) -> bool:
    parts, (host, _, path) = urlsplit(url), site.partition("/")
    on_host = parts.netloc == host or parts.netloc.endswith(f".{host}")
    return on_host and (parts.path.rstrip("/") + "/").startswith(f"/{path}/" if path else "/")


async def _given(request: web.BaseRequest) -> Mapping[str, Any]:
    if request.method == "GET":
        return request.query
    if request.content_type == "application/json":
        body: dict[str, Any] = await request.json()
        return body
    return await request.post()


async def _fail(request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
    if fault.lost:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    named = {"Retry-After": fault.retry_after, "Location": fault.location, "Content-Type": fault.kind}
    response = web.StreamResponse(status=fault.status, headers={name: value for name, value in named.items() if value})
    response.content_length = fault.announced or len(fault.body.encode())
    await response.prepare(request)
    body = fault.body.encode()
    for start in range(0, len(body), _PIECE if fault.drip else len(body)):
        await asyncio.sleep(fault.drip)
        await response.write(body[start : start + (_PIECE if fault.drip else len(body))])
    if fault.announced and request.transport is not None:
        request.transport.close()
    return response


def _page(html: str) -> web.Response:
    return web.Response(text=html, content_type="text/html")
