"""The web as an agent meets it: a URL in, a Page out; guarded, archived, traced, budgeted.

Three modes of one transport: `live` fetches and keeps; `record` fetches only what the archive lacks; `replay` never
fetches, and what the archive lacks is an error. Whatever the mode, a page is read from archived bytes, so that the
same record always gives the same page.
"""

import asyncio
import os
from collections import OrderedDict
from types import TracebackType
from typing import Any, Self

from webfarer.core.config import Settings
from webfarer.core.errors import (
    ArchiveMiss,
    BudgetExceeded,
    ConfigError,
    FetchError,
    HttpStatus,
    Refused,
    WebfarerError,
)
from webfarer.core.run import Call, Outcome, Run
from webfarer.core.types import Page
from webfarer.web.archive import Archive, Record
from webfarer.web.corpus import in_corpus
from webfarer.web.documents import page_of, prepare
from webfarer.web.fetch import Fetcher
from webfarer.web.guard import Guard
from webfarer.web.rendering import Rendering
from webfarer.web.scope import Blocklist

_PAGES_KEPT = 8
_GRACE = 0.05  # the fetch ends before the run's own deadline does, so that what it received is charged


class Web:
    """One archive and one fetcher; shared by any number of runs.

    Use as an asynchronous context manager. Closing it closes the archive it opened itself.

    Args:
        settings: how to fetch, and the archive's mode.
        archive: where the bytes are kept; None: the archive in the home folder.
        pages_kept: pages read last that stay in memory; the others are read again from the archive.
    """

    def __init__(self, settings: Settings, archive: Archive | None = None, pages_kept: int = _PAGES_KEPT) -> None:
        self.settings = settings
        self._pages_kept = pages_kept
        self._own = archive is None
        self.archive = archive or Archive(settings.home / "archive.db")
        guard = Guard(settings.web.allow_private, connect_to=settings.connect_to)
        self._fetcher = Fetcher(settings.web, robots_cache=self.archive, guard=guard)
        self._blocked = Blocklist(settings.web.blocked)
        self._rendering = Rendering(settings, guard, self._fetcher)
        self._reading = asyncio.Semaphore(os.cpu_count() or 1)  # each document has a process and a deadline
        self._pages: OrderedDict[str, Page] = OrderedDict()

    async def __aenter__(self) -> Self:
        await self._fetcher.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rendering.close()
        await self._fetcher.__aexit__(kind, error, trace)
        if self._own:
            self.archive.close()

    async def open(self, run: Run, url: str) -> Page:
        """Fetch and read the page at `url` as part of `run`.

        Raises:
            FetchError: it did not arrive, or cannot be read; the trace has it.
            BudgetExceeded: no room for another page, or the page needs more than there is.
        """

        async def perform(call: Call) -> Outcome:
            record = await self._obtain(run, url, call)
            cost: dict[str, float] = {"pages": 1, "bytes": record.wire_bytes}
            if record.status >= 400:
                message = f"{record.final_url} answered {record.status}"
                raise HttpStatus(message, cost=cost, url=url, status=record.status, record=record.id)
            try:
                async with self._reading:
                    await prepare(self.archive, record)
                record, trouble = await self._rendered(run, record, call)
            except FetchError as error:
                error.cost = {**cost, **error.cost}
                raise
            cost |= {"bytes": record.wire_bytes, **(trouble.cost if trouble else {})}
            value = {"record": record.id, "url": record.final_url, "status": record.status}
            return Outcome({**value, "plain": trouble.message} if trouble else value, cost)

        value: dict[str, Any] = await run.call("fetch", {"url": url}, perform, needs={"pages": 1, "bytes": 0})
        if "plain" in value:
            run.trace.emit("degraded", part="browser", error="Plain", message=value["plain"])
        return self.page(value["record"])

    async def _rendered(self, run: Run, plain: Record, call: Call) -> tuple[Record, WebfarerError | None]:
        """Return what the browser makes of a page that needs one; else the plain one, and the error if it failed."""
        if self.settings.archive == "replay" or in_corpus(plain.url):
            return plain, None
        if not self._rendering.wanted(plain, self.page(plain.id)):
            return plain, None
        try:
            seconds, room = max(0.0, call.seconds - _GRACE), max(0.0, run.ledger.room("bytes") - plain.wire_bytes)
            return self.archive.keep(await self._rendering.render(plain, seconds, room), call.id), None
        except (FetchError, ConfigError) as error:
            if self.settings.browser == "always":
                raise
            return plain, error

    async def _obtain(self, run: Run, url: str, call: Call) -> Record:
        self._blocked.check(url)
        mode = "replay" if in_corpus(url) else self.settings.archive
        known = self.archive.of_call(call.id)
        if known is None and mode != "live":
            known = self.archive.latest(url)
            if known is not None and mode == "record" and (known.status >= 500 or known.status == 429):
                known = None  # it may have passed since
        if known is not None:
            self._blocked.check(known.final_url)
            return known
        if mode == "replay":
            raise ArchiveMiss(f"replay: the archive does not hold {url}; run once with --archive record", url=url)
        seconds = max(0.0, call.seconds - _GRACE)
        try:
            response = await self._fetcher.fetch(url, seconds=seconds, max_bytes=run.ledger.room("bytes"))
        except FetchError as error:
            if not isinstance(error, Refused):
                error.cost = {"pages": 1, **error.cost}
            meter = error.detail.get("bound")
            if meter is None:
                raise
            message = f"the limit on {meter} is reached: {error.message}"
            raise BudgetExceeded(message, cost=error.cost, meter=meter, url=url) from error
        return self.archive.keep(response, call.id)

    def page(self, record_id: str) -> Page:
        """Read an archived page.

        Raises:
            ArchiveMiss: no such record.
            FetchError: the record cannot be read; NotReadable when it holds no text.
        """
        page = self._pages.get(record_id)
        if page is None:
            record = self.archive.record(record_id)
            if record is None:
                raise ArchiveMiss(f"the archive does not hold the record {record_id}", record=record_id)
            page = page_of(self.archive, record)
            self._pages[record_id] = page
            if len(self._pages) > self._pages_kept:
                self._pages.popitem(last=False)
        return page
