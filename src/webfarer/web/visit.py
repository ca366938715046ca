"""One page open in the browser: what it may load, when it has come to rest, and what it then shows.

Lets through what may carry text and is a page's own business: no images, no frames, no popups, no forms sent.
Addresses are not judged here but in :mod:`webfarer.web.proxy`, which holds whatever a page does. Invariant: what a page
says about itself (its address, its text) is read from outside its own script's world.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from webfarer.core.errors import FetchError, NotReadable, RedirectLoop, Refused, TooLarge, Unreachable
from webfarer.web.guard import Guard, canonical_url
from webfarer.web.proxy import Session, endpoint_of

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page, Request, Response, Route

Permit = Callable[[str], Awaitable[None]]
"""Asked before a page's script leads to another page; raises FetchError when it may not (robots.txt, say)."""

_TEXTLESS = frozenset({"image", "media", "font", "texttrack", "ping", "manifest", "eventsource", "websocket"})
_AWAITED = frozenset({"document", "script", "stylesheet", "xhr", "fetch"})
_ROUND_MS = 150
_ROUNDS = 20  # without a change, after which requests still under way are taken for polling

# Resolves after a round, to whether the document stayed unchanged in it and whether it is loaded.
_ROUND = """new Promise(passed => {
  let changed = false;
  const seen = new MutationObserver(() => { changed = true; });
  seen.observe(document, {childList: true, characterData: true, subtree: true});
  setTimeout(() => passed([!changed, document.readyState === "complete"]), MS);
})""".replace("MS", str(_ROUND_MS))

# A copy in a document without scripts, with the content of shadow trees in its place. Custom elements sleep there.
_SHOWN = """(most => {
  const inert = document.implementation.createHTMLDocument("");
  const copy = node => inert.importNode(node, false);
  const childrenOf = node => {
    if (node.shadowRoot) return node.shadowRoot.childNodes;
    const given = node.localName === "slot" ? node.assignedNodes({flatten: true}) : [];
    return given.length ? given : node.childNodes;
  };
  const top = copy(document.documentElement);
  const open = [[document.documentElement, top]];
  for (let left = %d; open.length && left > 0; left--) {
    const [node, twin] = open.pop();
    for (const child of childrenOf(node)) {
      if (child.localName === "noscript") continue;
      open.push([child, twin.appendChild(copy(child))]);
    }
  }
  const html = "<!doctype html>" + top.outerHTML;
  return html.length > most ? null : html;
})(%d)"""
_MOST_NODES = 1_000_000


class Visit:
    """A page on its way.

    Args:
        page: of a context that nothing else uses.
        session: its share of the proxy.
        guard: knows which hosts the user opened.
        permit: asked about pages its scripts lead to.
        most_moves: redirects followed, by the server or by script.
    """

    def __init__(self, page: "Page", session: Session, guard: Guard, permit: Permit | None, most_moves: int) -> None:
        self._page, self._session, self._guard = page, session, guard
        self._permit, self._most_moves = permit, most_moves
        self._devtools: CDPSession | None = None
        self._asked = ""
        self._answers: list[Response] = []
        self._busy: set[Request] = set()
        self._failure: FetchError | None = None
        self._patience: asyncio.Timeout | None = None

    async def load(self, url: str) -> None:
        """Go to `url` and wait until its answer begins.

        Raises:
            FetchError: nothing readable came.
        """
        from playwright.async_api import Error

        page = self._page
        page.on("request", self._started)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)
        page.on("response", self._answered)
        page.on("crash", self._crashed)
        await page.context.route("**/*", self._route)
        self._devtools = await page.context.new_cdp_session(page)
        try:
            await page.goto(url, wait_until="commit", timeout=0)
        except Error as error:
            raise self._why(error.message) from error
        kind = self.document.headers.get("content-type", "text/html").lower()
        if "html" not in kind:
            raise NotReadable(f"the content type is {kind}, which needs no browser", content_type=kind)

    async def settle(self, seconds: float) -> None:
        """Wait until the page has loaded and neither its text changes nor a request is under way."""
        from playwright.async_api import Error

        unchanged = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds) as self._patience:
                while self._failure is None:
                    try:
                        still, loaded = await self._evaluate(_ROUND)
                    except Error:
                        await asyncio.sleep(_ROUND_MS / 1000)  # it went on to another page meanwhile
                        continue
                    unchanged = unchanged + 1 if still else 0
                    if unchanged >= (1 if loaded and not self._busy else _ROUNDS):
                        break
        self._patience = None

    async def shown(self, most: int) -> str:
        """Return the markup of what the page shows now, at most `most` characters of it.

        Raises:
            FetchError: it shows nothing that may be read.
        """
        from playwright.async_api import Error

        self._check()
        try:
            html = await self._evaluate(_SHOWN % (_MOST_NODES, most))
        except Error as error:
            raise self._why(error.message) from error
        self._check()
        if html is None:
            raise TooLarge(f"what the page shows is larger than {most} characters")
        return str(html)

    @property
    def document(self) -> "Response":
        """The answer that made the page."""
        if not self._answers:
            raise Unreachable(f"nothing came from {urlsplit(self._asked).netloc}")
        return self._answers[-1]

    def moves(self) -> tuple[str, ...]:
        """Return the URLs after the one asked for, canonical; the last is the page's own."""
        urls = [canonical_url(answer.url) for answer in self._answers]
        here = canonical_url(self._page.url)
        return tuple(urls[1:] if urls[-1] == here else [*urls[1:], here])

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._session.overdrawn:
            raise self._session.too_large()
        scheme = self._page.url.partition(":")[0]
        if scheme == "chrome-error":
            raise self._why("")
        if scheme not in ("http", "https"):
            raise Refused(f"the page moved itself to {self._page.url[:100]!r}, which is no web page")

    def _why(self, message: str) -> FetchError:
        """Return the reason why no page is there; `message` is Playwright's."""
        known = self._failure or self._session.failures.get(endpoint_of(self._asked))
        if self._session.overdrawn:
            return self._session.too_large()
        if known is not None:
            return known
        host, name = urlsplit(self._asked).netloc, message.partition("net::")[2].partition(" ")[0]
        if name == "ERR_TOO_MANY_REDIRECTS":
            return RedirectLoop(f"too many redirects, the last one to {self._asked}")
        if name == "ERR_ABORTED" or "Download is starting" in message:
            return NotReadable(f"{self._asked} is a download, or shows nothing")
        if name.startswith(("ERR_CERT", "ERR_SSL")):
            return Unreachable(f"no secure connection to {host}: {name}")
        return Unreachable(f"{host} gave no page: {name or message.splitlines()[0][:200] if message else 'no answer'}")

    async def _evaluate(self, expression: str) -> Any:
        """Evaluate JavaScript beside the page's own, which it can neither see nor change."""
        assert self._devtools is not None
        send = self._devtools.send
        frame = (await send("Page.getFrameTree"))["frameTree"]["frame"]["id"]
        world = await send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "webfarer"})
        options = {"contextId": world["executionContextId"], "awaitPromise": True, "returnByValue": True}
        answer = await send("Runtime.evaluate", {"expression": expression, **options})
        if "exceptionDetails" in answer:
            raise NotReadable(f"the page cannot be read: {json.dumps(answer['exceptionDetails'])[:200]}")
        return answer["result"].get("value")

    async def _route(self, route: "Route") -> None:
        from playwright.async_api import Error

        with suppress(Error):  # the page is gone meanwhile
            if await self._may_load(route.request):
                await route.continue_()
            else:
                await route.abort("aborted")  # any other reason would show an error page instead of the page

    async def _may_load(self, request: "Request") -> bool:
        if request.resource_type in _TEXTLESS or urlsplit(request.url).scheme not in ("http", "https"):
            return False
        if not request.is_navigation_request():
            return True
        if not self._is_main(request) or request.method != "GET":
            return False
        if not self._answers:
            return True
        if len(self._answers) > self._most_moves:
            self._fail(RedirectLoop(f"more than {self._most_moves} redirects, the last one to {request.url}"))
            return False
        try:
            url = self._guard.check_url(request.url)
            await self._guard.resolve(*endpoint_of(url))  # the proxy decides; this spares the page an error page
            if self._permit is not None:
                await self._permit(url)
        except (FetchError, OSError):
            return False  # the page stays where it is
        return True

    def _is_main(self, request: "Request") -> bool:
        """Say whether the request is for this page itself, not for a frame or a popup."""
        from playwright.async_api import Error

        try:
            return request.frame == self._page.main_frame
        except Error:
            return False

    def _started(self, request: "Request") -> None:
        if request.resource_type in _AWAITED:
            self._busy.add(request)
        if request.is_navigation_request() and self._is_main(request):
            self._asked = request.url
            if not self._guard.allows_private(*endpoint_of(request.url)):
                self._session.private = False

    def _ended(self, request: "Request") -> None:
        self._busy.discard(request)

    def _answered(self, response: "Response") -> None:
        if response.request.is_navigation_request() and self._is_main(response.request):
            self._answers.append(response)

    def _crashed(self, page: "Page") -> None:
        self._fail(Unreachable(f"the browser gave up on {self._asked}: it needs too much memory, or crashed"))

    def _fail(self, error: FetchError) -> None:
        """Note why there will be no page, and stop waiting for it."""
        self._failure = self._failure or error
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(0)
