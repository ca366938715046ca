"""Questions from a file: those that `webfarer data` makes, or any with the fields "question" and "answer".

A site that was generated is generated again and served; any other page is opened on the web as it is. Fields that an
item does not have, such as evidence, are not read. Invariant: whatever a host's name says how to make is never asked of
the web.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from webfarer.core.config import Settings
from webfarer.evals.sources import Row, checked, row_id, rows, subset
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.evals.tasks import web, world
from webfarer.evals.tasks._local import Shelf, Shelves, serve_shelves
from webfarer.worlds.catalogue import CatalogueSpec, generate_catalogue
from webfarer.worlds.catalogue_types import HOST

_OWN = ("web", "browser")  # settings made for our own server; other people's sites keep the user's


class Questions:
    """The task; it has no questions of its own."""

    card = Card(
        title="Questions from a file",
        source="webfarer.data.question",
        settings=("both", "search", "click", "closed"),
        scorers=("named", "gold_page", "citations", "actions"),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the file."""
        subset(source, self.card, ())
        return checked(rows(source, self.card), _item)

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Serve the generated sites among those of the items; the rest is the web as it is."""
        hosts = [_hosts(item) for item in items]
        shelves = {host: partial(make, host) for each in hosts for host in each if (make := _maker(host))}
        if not shelves:
            return open_web()
        if all(each and each.keys() <= shelves.keys() for each in hosts):
            return serve_shelves(shelves)
        return _beside_the_web(shelves)


@asynccontextmanager
async def _beside_the_web(shelves: Shelves) -> AsyncIterator[Changes]:
    """Serve sites beside the web as it is; a search then finds nothing but the pages of these sites."""
    async with serve_shelves(shelves) as changes:
        yield {name: value for name, value in changes.items() if name not in _OWN}


def _item(row: Row) -> Item:
    question = row.text("question")
    if not (row.find("parts") or row.find("data")):
        row.text("answer")
    values = {name: row.values[name] for name in Item.model_fields if row.values.get(name) is not None}
    return Item.model_validate({"id": row_id(row, question), **values})


def _hosts(item: Item) -> dict[str, None]:
    return dict.fromkeys(urlsplit(url).netloc for url in (item.root, *item.sites, *item.gold) if url)


def _maker(host: str) -> Callable[[str], Shelf] | None:
    """Return what makes the site at `host`; None where it is not generated."""
    known = ((world.HOST, world.shelf_of), (web.HOST, web.shelf_of), (HOST, _catalogue))
    return next((make for pattern, make in known if pattern.fullmatch(host)), None)


def _catalogue(host: str) -> Shelf:
    """Return a catalogue's pages; the engine knows all of them."""
    pages = generate_catalogue(CatalogueSpec.at(host)).pages
    return Shelf(pages, list(pages))


task = Questions()
