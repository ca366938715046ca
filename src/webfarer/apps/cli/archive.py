"""`webfarer archive`: what is in the archive, out to WARC files and in from them."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="archive", no_args_is_help=True, help="Show, export and import what was fetched.")

Home = Annotated[Path | None, typer.Option(help="Where runs and the archive lie.")]


@app.command()
def stats(home: Home = None) -> None:
    """Show how much the archive holds, and of which sites most."""
    from collections import Counter
    from urllib.parse import urlsplit

    from webfarer.core.config import load_settings
    from webfarer.web.archive import Archive
    from webfarer.web.index import Index, index_path

    path = load_settings(home=home).home / "archive.db"
    with Archive(path) as archive, Index(index_path(path)) as index:
        entries = list(archive.entries())
        bodies, size = archive.stored()
        searchable = index.count()
    urls = {entry.final_url for entry in entries}
    print(f"{len(entries)} answers of {len(urls)} URLs; {bodies} different bodies, {size / 1e6:.1f} MB ({path})")
    print(f"{searchable} pages can be searched")
    hosts = Counter(urlsplit(url).netloc for url in urls)
    for host, count in hosts.most_common(10):
        print(f"{count:8}  {host}")


@app.command("export")
def export_(
    file: Annotated[Path, typer.Argument(help="File to write; the usual ending is .warc.gz.")],
    run: Annotated[str | None, typer.Option(help="Only what this run read: its id, or the beginning of one.")] = None,
    site: Annotated[str | None, typer.Option(help="Only this host and its subdomains.")] = None,
    home: Home = None,
) -> None:
    """Write the archive, or what one run or one site has in it, to a WARC file."""
    from webfarer.agents.runs import find
    from webfarer.core.config import load_settings
    from webfarer.core.errors import ConfigError
    from webfarer.core.trace import read_events
    from webfarer.web.archive import Archive
    from webfarer.web.warc import export_warc, of_site

    settings = load_settings(home=home)
    read = None
    if run is not None:
        values = [event.data.get("value") for event in read_events(find(settings, run)) if event.type == "result"]
        read = {value["record"] for value in values if isinstance(value, dict) and "record" in value}
    with Archive(settings.home / "archive.db") as archive:
        ids = [
            entry.id
            for entry in archive.entries()
            if (read is None or entry.id in read) and (site is None or of_site(entry.final_url, site))
        ]
        if not ids:
            raise ConfigError("the archive holds nothing of that (see: webfarer archive stats)")
        try:
            with file.open("xb") as stream:
                count = export_warc(archive, ids, stream)
        except OSError as error:
            raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    print(f"{count} answers written to {file}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="WARC or ARC file, compressed record by record or not at all.")],
    home: Home = None,
) -> None:
    """Take the pages of a WARC file into the archive, and make them searchable.

    They are found like pages that were fetched: by a search, and by their URLs with --archive record or replay.
    """
    from webfarer.core.config import load_settings
    from webfarer.core.errors import ConfigError
    from webfarer.web.archive import Archive
    from webfarer.web.index import Index, index_path
    from webfarer.web.warc import import_warc

    path = load_settings(home=home).home / "archive.db"
    with Archive(path) as archive, Index(index_path(path)) as index:
        try:
            with file.open("rb") as stream:
                report = import_warc(archive, stream)
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
        added = index.refresh(archive)
    print(f"{report.pages} answers and {report.redirects} redirects are in the archive")
    for reason, count in report.skipped.most_common():
        print(f"  {count} records left out: {reason}")
    print(f"{added} pages more can be searched")
