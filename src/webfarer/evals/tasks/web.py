"""Questions whose answers are chains of facts over several generated sites: one, two or three hops.

Languages take turns; four questions of each length are asked of a web. The engine knows home pages and what lies just
below; other subjects' values and outdated ones are known to be wrong. Not BrowseComp: its truth is planted, so nothing
has to be judged. Invariant: a web's host says how to generate it. Chains follow CRAWLQA (Wu et al., "WebDancer", 2025).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from itertools import count
from typing import get_args
from urllib.parse import urlsplit

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import drawn
from webfarer.evals.task import Card, Changes, Item, Source
from webfarer.evals.tasks._local import Shelf, below, serve_shelves
from webfarer.worlds.types import Language, PageSpec
from webfarer.worlds.web import generate_web
from webfarer.worlds.webs_server import known
from webfarer.worlds.webs_types import WebQuestion, WebSite

_SIZE = 48
HOST = re.compile(r"web(\d+)(en|zh)\.test")


class GeneratedWebs:
    """The task; with a root, that is a page which links to every site."""

    card = Card(
        title="Generated webs",
        source="webfarer.worlds.web",
        settings=("search", "both", "click", "closed"),
        scorers=("named", "gold_page", "citations", "actions"),
        licence="Apache-2.0",
    )

    async def items(self, source: Source) -> list[Item]:
        """Generate as many webs as are needed, each only for as long as its questions are read."""
        return drawn(_items(source.seed), source, _SIZE)

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Serve the webs of the items, each with what an engine knows of it."""
        return serve_shelves({host: partial(shelf_of, host) for host in (urlsplit(item.root).netloc for item in items)})


def _items(seed: int) -> Iterator[Item]:
    languages = get_args(Language)
    for number in count():
        language = languages[number % len(languages)]
        web = generate_web(seed * 1000 + number, language=language)
        for question in web.questions:
            yield _item(question, f"web{web.seed}{language}")


def _item(question: WebQuestion, name: str) -> Item:
    home = f"http://{name}.test/"
    return Item(
        id=f"{name}-{question.id}",
        question=question.text,
        answer=question.answers[0],
        forms=question.answers,
        root=home,
        sites=(home,),
        gold=tuple(home + url.partition("://")[2] for url in question.gold),
        cells={"type": f"{question.hops}_hop{'s' * (question.hops > 1)}", "language": question.language},
        data={"wrong": list(question.wrong)},
    )


def shelf_of(host: str) -> Shelf:
    """Return the pages of the web at `host`, and what an engine knows of it.

    Raises:
        ConfigError: it is no generated web's.
    """
    match = HOST.fullmatch(host)
    if match is None:
        raise ConfigError(f"{host!r} is no host of a generated web")
    web = generate_web(int(match[1]), language="zh" if match[2] == "zh" else "en")
    pages = {"/": PageSpec(_inside(web.portal, web.sites))}
    for site in web.sites:
        for path, page in site.pages.items():
            moved = below(site.host, page)
            pages[f"/{site.host}{path}"] = replace(moved, html=_inside(moved.html, web.sites))
    return Shelf(pages, ["/" + document.url.partition("://")[2] for document in known(web)])


def _inside(html: bytes, sites: Sequence[WebSite]) -> bytes:
    """Turn links to other sites into paths."""
    for site in sites:
        html = html.replace(site.url.encode(), f"/{site.host}/".encode())
    return html


task = GeneratedWebs()
