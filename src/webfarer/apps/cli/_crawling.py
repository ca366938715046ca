"""One crawl from the command line: progress while it goes on, Ctrl-C, the summary, the index."""

import asyncio
import signal
from dataclasses import replace

from rich.text import Text

from webfarer.agents.runs import new_id
from webfarer.apps.cli._narration import fare_line
from webfarer.apps.cli._terminal import console, one_line
from webfarer.core.config import Settings
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import Page
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.crawl import CrawlOptions, CrawlReport, crawl
from webfarer.web.guard import with_scheme
from webfarer.web.index import Index, index_path


async def run_crawl(url: str, settings: Settings, options: CrawlOptions, *, quiet: bool) -> CrawlReport:
    """Crawl, index and say what came of it; the first Ctrl-C ends the crawl after what is under way."""
    run = Run(new_id(), Trace.create(), settings.budget)
    err, loop = console(stderr=True), asyncio.get_running_loop()
    status = err.status("starting")
    if err.is_terminal and not quiet:
        status.start()

    def show(page: Page) -> None:
        status.update(Text(f"{one_line(page.title or page.url, 60)} · {fare_line(run.ledger.fare)}"))
        if not quiet and not err.is_terminal:
            err.print(Text(one_line(page.url)))

    def stop() -> None:
        loop.remove_signal_handler(signal.SIGINT)  # the next Ctrl-C is a KeyboardInterrupt again
        run.stop()
        err.print(Text("stopping after what is under way", "yellow"))

    loop.add_signal_handler(signal.SIGINT, stop)
    path, first = settings.home / "archive.db", with_scheme(url)
    try:
        with Archive(path) as archive:
            async with Web(settings, archive) as web:
                report = await crawl(run, web, first, replace(options, on_page=show))
            status.update("indexing")
            with Index(index_path(path)) as index:
                added, total = index.refresh(archive), index.count()
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        status.stop()
    _summary(report, run, f"{added} pages more can be searched, {total} in all")
    return report


def _summary(report: CrawlReport, run: Run, indexed: str) -> None:
    out = console()
    out.print(Text(one_line(f"{report.root}: {report.pages} pages read, {report.fetched} answers new in the archive")))
    for error, count in report.failures.most_common():
        out.print(f"  {count} not read: {error}")
    if report.stopped:
        asked = report.stopped == "request"
        why = "stopped on request" if asked else f"the limit on {report.stopped} is reached"
        how = "the same command" if asked else "the same command with a larger limit"
        out.print(f"  {why}; {report.left} known pages left, {how} goes on from there")
    out.print(f"  {indexed}")
    out.print(f"  {fare_line(run.ledger.fare)}")
