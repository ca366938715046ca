"""A real website, read breadth-first as politely as the settings say, and what grammar finds on its pages.

No model is asked (:mod:`webfarer.data.reading` does that). A page that only a redirect leads to is left out: nobody
could say which link to click. Invariant: with the same archive, the same arguments give the same ground.
"""

import re
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

from webfarer.core.errors import ConfigError, Refused
from webfarer.core.text import is_chinese
from webfarer.core.types import Page
from webfarer.data.grammar import read
from webfarer.data.ground import LANGUAGES, Ground, Place
from webfarer.evals.navset import crawl
from webfarer.web.client import Web
from webfarer.web.guard import canonical_url, with_scheme

_LICENSED = re.compile(
    r"\b(?:page|site|website|wiki|work|text|content|documentation|document|manual)s?\b[^.\n]{0,60}? (?:is|are)"
    r"(?: [a-z]+)? licen[sc]ed under (?:the |a |an )?([^\n]{3,80}?)(?=[,;]|\.(?:\s|$)|$|\n)"
    r"|(?:采用|遵循|依据|基于)\s*([^。，\n]{2,60}?(?:许可协议|许可证))",
    re.IGNORECASE,
)


class Sites:
    """The website at the place's root."""

    endless = False

    async def at(self, place: Place) -> Ground:
        """Read the website, `place.pages` pages of it at most.

        Raises:
            ConfigError: no root, nothing there that can be read, or in another language than English or Chinese.
        """
        if not place.root:
            raise ConfigError("a website needs its first page: --root https://…")
        try:
            root = canonical_url(with_scheme(place.root))
        except Refused as error:
            raise ConfigError(f"{place.root} is no address of a website: {error.message}") from error
        async with Web(place.settings) as web:
            levels = await crawl(web, root, place.pages)
            pages = {page.url: _hashed(web, page) for _, level in sorted(levels.items()) for page in level}
        if not pages:
            raise ConfigError(f"{root} cannot be read, or holds no text; see: webfarer read {root}")
        first = next(iter(pages))
        ways = ways_from(first, pages)
        pages = {url: pages[url] for url in ways}
        language = language_of(pages.values())
        if language not in LANGUAGES:
            raise ConfigError(f"{root} is in {language!r}; questions can be made of English and Chinese pages only")
        reading = read(pages, language)
        return Ground(
            id="site",
            root=first,
            language=language,
            pages=pages,
            ways=ways,
            statements=reading.statements,
            relations=reading.relations,
            licence=licence_of(pages.values()),
            shown=reading.shown,
        )


def _hashed(web: Web, page: Page) -> Page:
    """Return the page with the hash of its bytes as its id."""
    record = web.archive.record(page.id)
    return page if record is None else replace(page, id=record.sha256)


def ways_from(root: str, pages: Mapping[str, Page]) -> dict[str, tuple[str, ...]]:
    """Return, for every page that links lead to, the labels of the first shortest way from the root."""
    found: dict[str, tuple[str, ...]] = {root: ()}
    queue = deque([root])
    while queue:
        url = queue.popleft()
        for link in pages[url].links:
            if link.url in pages and link.url not in found:
                found[link.url] = (*found[url], link.label)
                queue.append(link.url)
    return found


def language_of(pages: Iterable[Page]) -> str:
    """Return the language of most pages; one that does not tell counts as English, or as Chinese by its script."""
    codes = Counter(page.language or ("zh" if is_chinese(page.markdown) else "en") for page in pages)
    return codes.most_common(1)[0][0]


def licence_of(pages: Iterable[Page]) -> str:
    """Return the licence that most of the pages that state one say they are under, or ""."""
    said = Counter(next(filter(None, found.groups())) for page in pages if (found := _LICENSED.search(page.markdown)))
    return said.most_common(1)[0][0] if said else ""


ground = Sites()
