"""A folder of documents as a website: each file a record of the archive, under a host that no name server knows.

`./my-docs/guide/intro.html` becomes `https://my-docs-1a2b3c4d.corpus.invalid/guide/intro.html`, so links between files
work, and whatever reads, cites, searches or replays pages takes files as well. Nothing is fetched, and nothing outside
the folder is read. A file that is gone leaves a record of status 410. Source: RFC 6761 §6.4 (`.invalid`).
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

from webfarer.core.errors import ConfigError
from webfarer.web.archive import Archive
from webfarer.web.fetch import Response
from webfarer.web.guard import canonical_url
from webfarer.web.sniff import Kind, sniff_bytes

DOMAIN = "corpus.invalid"
MAX_FILE_BYTES = 20_000_000
_GONE = 410
_INDEXES = ("index.html", "index.htm")
_TYPES = {".md": "text/markdown", ".markdown": "text/markdown", ".rst": "text/x-rst", ".org": "text/org"}
_TEXTLESS = ("image/", "audio/", "video/", "font/")


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder as it was taken in.

    Attributes:
        folder: absolute path.
        host: where its pages lie; also what a search is kept to.
        urls: of all files, sorted; a folder's own URL stands for its index file.
        pages: archive ids of the records, in the order of `urls`.
        skipped: files left out: too large, without text, or not to be read.
    """

    folder: Path
    host: str
    urls: tuple[str, ...]
    pages: tuple[str, ...]
    skipped: int = 0

    def file(self, url: str) -> Path | None:
        """Return the file that `url` stands for, or None when it is none of this folder."""
        if url not in self.urls:
            return None
        path = self.folder / os.fsdecode(unquote_to_bytes(urlsplit(url).path.lstrip("/")))
        return next((path / name for name in _INDEXES if (path / name).is_file()), path) if path.is_dir() else path


def ingest(archive: Archive, folder: str | Path, max_bytes: int = MAX_FILE_BYTES) -> Corpus:
    """Take a folder into the archive; what has not changed since the last time is not kept again.

    Args:
        archive: takes the records.
        folder: hidden files and links that lead out of it are left alone.
        max_bytes: larger files are left out.

    Raises:
        ConfigError: no such folder, or nothing in it can be read.
    """
    top = Path(folder).expanduser().resolve()
    if not top.is_dir():
        raise ConfigError(f"{folder} is no folder")
    host = host_of(top)
    known = {entry.final_url: entry for entry in archive.entries() if urlsplit(entry.final_url).netloc == host}
    pages: dict[str, str] = {}
    skipped = 0
    for path in _files(top):
        url = _url(host, path.relative_to(top))
        record = known.get(url)
        page = _keep(archive, url, path, max_bytes, record.id if record and record.status == 200 else "")
        if page is None:
            skipped += 1
            continue
        pages[url] = page
        if path.name in _INDEXES:
            own = url.rpartition("/")[0] + "/"
            record = known.get(own)
            twin = _keep(archive, own, path, max_bytes, record.id if record and record.status == 200 else "")
            pages.setdefault(own, twin or page)
    if not pages:
        raise ConfigError(f"{folder} holds no file with text in it")
    for url, entry in known.items():
        if url not in pages and entry.status != _GONE:
            archive.keep(Response(url, url, _GONE, {"content-type": "text/plain"}, b"", 0))
    urls = tuple(sorted(pages))
    return Corpus(top, host, urls, tuple(pages[url] for url in urls), skipped)


def host_of(folder: Path) -> str:
    """Return the host a folder (absolute path) lies under: its name, made fit for one, and a hash of the path."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")[:40].strip("-") or "folder"
    return f"{name}-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]}.{DOMAIN}"


def site_of(corpus: Corpus) -> str:
    """Return what keeps a search to the corpus (an entry of `Query.sites`)."""
    return corpus.host


def in_corpus(url: str) -> bool:
    """Say whether `url` stands for a file: it is in the archive or nowhere, and must never be fetched."""
    return (urlsplit(url).hostname or "").endswith(f".{DOMAIN}")


def display_name(url: str) -> str:
    """Return how a file's URL is shown to people ("my-docs/guide/intro.html"); any other URL as it is."""
    if not in_corpus(url):
        return url
    parts = urlsplit(url)
    name = (parts.hostname or "").removesuffix(f".{DOMAIN}").rpartition("-")[0]
    return f"{name}{unquote_to_bytes(parts.path).decode('utf-8', 'replace')}"


def _files(top: Path) -> Iterator[Path]:
    """Yield the files below `top`, sorted; linked folders are not entered, or a circle of them would never end."""
    for folder, below, names in os.walk(top):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.startswith(".") and path.resolve().is_relative_to(top) and path.is_file():
                yield path


def _url(host: str, relative: Path) -> str:
    return canonical_url(f"https://{host}/{quote_from_bytes(os.fsencode(relative.as_posix()))}")


def _keep(archive: Archive, url: str, path: Path, max_bytes: int, known: str) -> str | None:
    """Return the id of the file's record, kept anew if its content changed; None when it is left out."""
    try:
        state = path.stat()
        if state.st_size > max_bytes or _type(path).startswith(_TEXTLESS):
            return None
        etag = f'"{state.st_mtime_ns:x}-{state.st_size:x}"'
        old = archive.record(known) if known else None
        if old and old.headers.get("etag") == etag:
            return old.id
        body = path.read_bytes()
    except OSError:
        return None
    if old and old.sha256 == hashlib.sha256(body).hexdigest():
        return old.id
    if sniff_bytes(body, _type(path)) in (Kind.BINARY, Kind.OLD):
        return None
    changed = formatdate(state.st_mtime, usegmt=True)
    headers = {"content-type": _type(path), "last-modified": changed, "etag": etag}
    return archive.keep(Response(url, url, 200, headers, body, 0)).id


def _type(path: Path) -> str:
    kind, packed = guess_type(path.name)
    known = _TYPES.get(path.suffix.lower(), "application/octet-stream" if packed else kind)
    return known or "text/plain"  # README, LICENSE, …: the bytes have the last word
