"""`webfarer crawl`: read a whole site into the archive, and make it searchable."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def crawl(
    url: Annotated[str, typer.Argument(help="The first page; only pages of this site and below this folder are read.")],
    max_pages: Annotated[int, typer.Option(min=1, help="Limit on pages.")] = 500,
    max_seconds: Annotated[float | None, typer.Option(help="Limit on seconds.")] = None,
    max_bytes: Annotated[int | None, typer.Option(help="Limit on bytes received.")] = None,
    depth: Annotated[int | None, typer.Option(min=0, help="Limit on clicks from the first page.")] = None,
    subdomains: Annotated[bool, typer.Option("--subdomains", help="Take in all hosts of the domain.")] = False,
    archive: Annotated[
        str, typer.Option(help="record: fetch what the archive lacks. live: fetch everything anew.")
    ] = "record",
    allow_private: Annotated[
        list[str] | None, typer.Option(help="Host that may be private or loopback, with optional :port; repeatable.")
    ] = None,
    ignore_robots: Annotated[bool, typer.Option("--ignore-robots", help="Do not ask robots.txt.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where runs and the archive lie.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show the summary only.")] = False,
) -> None:
    """Read a whole site into the archive, and make it searchable.

    A crawl that was broken off goes on when it is started again: pages in the archive are not fetched anew.
    """
    import asyncio

    from webfarer.apps.cli._crawling import run_crawl
    from webfarer.apps.cli._exits import EXIT_CODES
    from webfarer.core.config import load_settings
    from webfarer.web.crawl import CrawlOptions

    limits = {"pages": max_pages, "seconds": max_seconds, "bytes": max_bytes}
    manners = {"allow_private": allow_private, "robots": False if ignore_robots else None}
    settings = load_settings(
        home=home,
        archive=archive,
        budget={"steps": None, **limits},
        web={name: value for name, value in manners.items() if value is not None},
    )
    report = asyncio.run(run_crawl(url, settings, CrawlOptions(depth, subdomains), quiet=quiet))
    if report.stopped == "request":
        raise typer.Exit(EXIT_CODES["cancelled"])
