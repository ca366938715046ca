"""Reading a whole site into the archive, breadth-first: as far as the budget goes, and as politely as a walk.

Every page goes through `Web.open`, so robots.txt, limits and the trace hold. With the archive in mode "record" a crawl
that was killed goes on where it was: what is archived is read from there. Not a mirror: only pages that hold text.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from webfarer.core.errors import BudgetExceeded, FetchError
from webfarer.core.run import Run
from webfarer.core.types import Page
from webfarer.web.client import Web
from webfarer.web.scope import Scope

_AT_ONCE = 8  # pages asked for at the same time, over all hosts; `web.concurrency` bounds those at one host


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """How far a crawl goes, besides the run's budget.

    Attributes:
        depth: most clicks from the first page; None for any number.
        subdomains: take in every host of the same registrable domain.
        on_page: called with every page that was read.
    """

    depth: int | None = None
    subdomains: bool = False
    on_page: Callable[[Page], None] | None = None


@dataclass(slots=True)
class CrawlReport:
    """What a crawl did.

    Attributes:
        root: URL of the first page.
        pages: pages that were read.
        fetched: answers the archive gained, error pages too; the others were in it before.
        failures: pages that were not, by class of error.
        left: URLs that were known and not asked for when the crawl ended.
        stopped: meter of the limit that ended it ("pages", "seconds", …), "request" when it was asked to stop, or "".
    """

    root: str
    pages: int = 0
    fetched: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    left: int = 0
    stopped: str = ""


async def crawl(run: Run, web: Web, url: str, options: CrawlOptions = CrawlOptions()) -> CrawlReport:
    """Read the site at `url`: the pages below its folder that links lead to.

    Args:
        run: its budget bounds the crawl, its trace records it.
        web: fetches and archives.
        url: the first page.
        options: how far.

    Raises:
        FetchError: the first page cannot be read.
        BudgetExceeded: there is no room for a single page.
    """
    return await _Crawl(run, web, options).go(url)


class _Crawl:
    """One crawl: the frontier, and what became of it."""

    def __init__(self, run: Run, web: Web, options: CrawlOptions) -> None:
        self._run, self._web, self._options = run, web, options
        self._queue: deque[tuple[str, int]] = deque()
        self._asked: set[str] = set()
        self._read: set[str] = set()

    async def go(self, url: str) -> CrawlReport:
        """Crawl from `url`."""
        before = self._web.archive.count()
        root = await self._web.open(self._run, url)
        self._report = CrawlReport(root.url)
        self._scope = Scope(root.url, self._options.subdomains)
        self._asked.update((url, root.url))
        self._take(root, 0)
        under_way: set[asyncio.Task[None]] = set()
        try:
            while (self._queue and self._may_go_on()) or under_way:
                while self._queue and len(under_way) < _AT_ONCE and self._may_go_on():
                    under_way.add(asyncio.create_task(self._visit(*self._queue.popleft())))
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
        self._report.fetched = self._web.archive.count() - before
        self._report.left = len(self._queue)
        return self._report

    def _may_go_on(self) -> bool:
        if not self._report.stopped and self._run.stopping():
            self._report.stopped = "request"
        return not self._report.stopped

    async def _visit(self, url: str, depth: int) -> None:
        try:
            page = await self._web.open(self._run, url)
        except BudgetExceeded as error:
            self._report.stopped = self._report.stopped or error.detail["meter"]
            self._queue.append((url, depth))
        except FetchError as error:
            self._report.failures[type(error).__name__] += 1
        else:
            self._take(page, depth)

    def _take(self, page: Page, depth: int) -> None:
        """Count a page and queue the links of it that are new."""
        if page.url in self._read:
            return
        self._read.add(page.url)
        self._report.pages += 1
        if self._options.on_page:
            self._options.on_page(page)
        if self._options.depth is not None and depth >= self._options.depth:
            return
        if not self._scope.contains(page.url):
            return  # a redirect led out of the site
        for link in page.links:
            if link.url not in self._asked and self._scope.contains(link.url):
                self._asked.add(link.url)
                self._queue.append((link.url, depth + 1))
