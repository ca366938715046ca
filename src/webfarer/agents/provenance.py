"""Which URLs the agent may open: those the user named, search results, and links on pages it read. Nothing else.

A model that obeys a poisoned page can still not carry data out in a URL of its own making: an address is opened only
as it was seen, query string and all, and never with a query longer than a bound. A person may allow more. Not a
scope: which *site* a walk stays in is decided elsewhere.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from webfarer.core.errors import Refused
from webfarer.core.types import Page
from webfarer.web.guard import canonical_url, with_scheme
from webfarer.web.scope import Scope

LONGEST_QUERY = 512
_URL = re.compile(r"https?://[^\s<>\"'）」》，。]+", re.IGNORECASE)


class UnknownOrigin(Refused):
    """The address is not from the user, not a search result, and no link on a page that was read."""


class Provenance:
    """The URLs that may be opened.

    Args:
        question: every URL it names is the user's own.
        start: further URLs the user named.
        sites: when given, hosts (with optional path) that nothing may leave.
    """

    def __init__(self, question: str = "", start: Iterable[str] = (), sites: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        self._scopes = [Scope(with_scheme(site)) for site in sites]
        self._mine: set[str] = set()
        self.grant(*urls_in(question), *start)

    def grant(self, *urls: str) -> None:
        """Let `urls` be opened because a person named them, however long they are."""
        self.allow(*urls)
        self._mine.update(map(key_of, urls))

    def allow(self, *urls: str) -> None:
        """Let `urls` be opened; those that no client could open are left out."""
        for url in urls:
            if (key := key_of(url)) and key not in self._known:
                self._known[key] = canonical_url(with_scheme(url))

    def saw(self, page: Page) -> None:
        """Let the links of a page be opened, and the page itself."""
        self.allow(page.url, page.canonical, *(link.url for link in page.links))

    def check(self, url: str) -> str:
        """Return the address that `url` stands for, as it was seen.

        Raises:
            UnknownOrigin: it was never seen.
            Refused: it leaves the sites, or carries a query longer than the bound.
        """
        key = key_of(url)
        if key and not self.inside(url):
            raise Refused("the address lies outside the sites that were chosen", url=url)
        if key not in self._known:
            raise UnknownOrigin(
                "this address is not from the user, not a search result, and no link on a page that was read",
                url=url,
            )
        url = self._known[key]
        if key not in self._mine and len(urlsplit(url).query) > LONGEST_QUERY:
            raise Refused(f"the query string is longer than {LONGEST_QUERY} characters", url=url)
        return url

    def inside(self, url: str) -> bool:
        """Say whether `url` lies in the chosen sites; always true when none were chosen."""
        return not self._scopes or any(scope.holds(with_scheme(url)) for scope in self._scopes)


def urls_in(text: str) -> list[str]:
    """Return the addresses that a text names, without the punctuation behind them."""
    return [match.group().rstrip(".,;:!?)") for match in _URL.finditer(text)]


@lru_cache(maxsize=20_000)
def key_of(url: str) -> str:
    """Return what two spellings of an address share: no scheme, no trailing slash; "" for no address at all."""
    try:
        return canonical_url(with_scheme(url)).partition("://")[2].rstrip("/")
    except Refused:
        return ""
