"""Scope: does a URL belong to the site that was asked about?

A site is a host, or a registrable domain, and the folder the root URL lies in; hosts are compared whole and paths
segment by segment. Not a crawler's frontier: it keeps no state. Source: the Public Suffix List for registrable domains.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from publicsuffixlist import PublicSuffixList

from webfarer.core.errors import ConfigError, Refused
from webfarer.web import searchindex
from webfarer.web.guard import canonical_url, with_scheme

_FILE = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{0,4}")
_NO_PAGE = frozenset(
    """7z aac apk avi avif bin bmp bz2 css deb dmg doc eot epub exe flac gif gz ico iso jar jpeg jpg js json m4a m4v map
    mjs mkv mov mp3 mp4 mpeg mpg msi odp ods odt ogg ogv otf pkg png ppt ps rar rpm svg tar tgz tif tiff ttf wasm wav
    webm webmanifest webp whl wmv woff woff2 xls xz zip zst""".split()
)


def looks_like_page(url: str) -> bool:
    """Say whether the end of the path leaves open that `url` is a page: not an image, archive, script, font …"""
    path = urlsplit(url).path
    if "/wiki/" in path:  # wikis name pages after their subject: /wiki/Node.js, /wiki/File:Map.png
        return True
    if path.endswith(f"/{searchindex.NAME}"):  # a script, but one that lists the site
        return True
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return not (stem and dot) or extension.lower() not in _NO_PAGE


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # reading the list takes a fifth of a second, and most scopes never need it


@lru_cache(maxsize=1024)
def _registrable(host: str) -> str:
    """Return the domain somebody registered ("example.co.uk"), or the host itself where there is none."""
    try:
        ip_address(host)
    except ValueError:
        return _suffixes().privatesuffix(host) or host
    return host


def _without_www(host: str) -> str:
    rest = host.removeprefix("www.")
    return rest if "." in rest else host


class Scope:
    """The site around a root URL.

    Args:
        root_url: where the site begins. "https://a.example/docs/index.html" opens "/docs/"; "https://a.example/docs"
            opens "/docs" and what lies below it.
        subdomains: take in every host of the same registrable domain.
    """

    def __init__(self, root_url: str, subdomains: bool = False) -> None:
        self._site = _registrable if subdomains else _without_www
        self.root = canonical_url(root_url)
        host, port, folder = _parts(self.root)
        if folder and _FILE.fullmatch(folder[-1]):
            folder = folder[:-1]
        self._key = self._site(host), port
        self._folder = folder

    def contains(self, url: str) -> bool:
        """Say whether `url` is a page of the site."""
        return self.holds(url) and looks_like_page(url)

    def holds(self, url: str) -> bool:
        """Say whether `url` lies in the site, page or not (http and https on their own ports are one site)."""
        try:
            url = canonical_url(url)
        except Refused:
            return False
        host, port, path = _parts(url)
        return path[: len(self._folder)] == self._folder and (self._site(host), port) == self._key


class Blocklist:
    """Sites that are never opened, whatever leads there: an evaluation blocks those that hold its answers.

    Unlike a scope it errs on the safe side: it compares paths as the most lenient server reads them, without regard to
    case, doubled slashes and escapes.

    Args:
        sites: hosts with optional path; their subdomains are others.

    Raises:
        ConfigError: one that is no site.
    """

    def __init__(self, sites: Iterable[str] = ()) -> None:
        self._places = []
        for site in sites:
            try:
                self._places.append(_lenient(with_scheme(site)))
            except Refused as error:
                raise ConfigError(f"web.blocked: {site!r} is no site: {error.message}") from error

    def holds(self, url: str) -> bool:
        """Say whether `url` is blocked."""
        try:
            asked = _lenient(url)
        except Refused:
            return False
        return any(asked[: len(place)] == place for place in self._places)

    def check(self, url: str) -> None:
        """Raise Refused when `url` is blocked."""
        if self.holds(url):
            raise Refused(f"{url} is blocked by the setting web.blocked", url=url, blocked=True)


def _lenient(url: str) -> list[str | int | None]:
    """Return port, host and path segments, all that lies below a site beginning as the site does."""
    host, port, path = _parts(canonical_url(url))
    plain = normpath(unquote("/" + "/".join(path))).casefold()
    return [port, _without_www(host), *filter(None, plain.split("/"))]


def _parts(url: str) -> tuple[str, int | None, list[str]]:
    """Split a canonical URL into host, port (None: the scheme's own) and path segments (no empty one at the end)."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port, parts.path.rstrip("/").split("/")[1:]
