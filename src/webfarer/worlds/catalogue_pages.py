"""Writes the entities of a catalogue as pages: registers, tables, an entity's own page, and particulars below it.

A table holds two properties of a kind, which stand nowhere else; the rest stands on the entity's own page, as a table,
a list or prose, or one page further down. What a value names is linked as a rule, not always. The only source of chance
is the seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from random import Random

from webfarer.worlds.catalogue_plan import Entity
from webfarer.worlds.catalogue_types import CatalogueFact, CatalogueSpec
from webfarer.worlds.catalogue_vocab import (
    FILLER,
    KINDS,
    PART,
    PARTICULARS,
    REGISTER,
    SITE,
    TABLE,
    Kind,
    Property,
    stem,
)
from webfarer.worlds.html import Frame, Html, Link
from webfarer.worlds.prose import Writer, capital
from webfarer.worlds.render import EXTERNAL
from webfarer.worlds.types import PageSpec
from webfarer.worlds.values import Pen

_LISTED_DIRECTLY = 5  # entities of a kind that its section's own page lists
_PER_LIST, _PER_TABLE = 10, 12
_LINKED = 0.75
_AROUND = {"table": ("<table>", "</table>"), "list": ("<ul>", "</ul>"), "prose": ("", "")}


def pages_for(wanted: Mapping[str, int]) -> int:
    """Return how many pages a catalogue has besides particulars."""
    below = sum(number + len(_lists(number)) + len(_chunks(number, _PER_TABLE)) for number in wanted.values())
    return 2 + len(wanted) + below


def _lists(number: int) -> list[slice]:
    return [] if number <= _LISTED_DIRECTLY else _chunks(number, _PER_LIST)


def _chunks(number: int, most: int) -> list[slice]:
    """Cut `number` things into as few parts of nearly equal size as there may be."""
    parts = -(-number // most)
    return [slice(number * part // parts, number * (part + 1) // parts) for part in range(parts)]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A page under construction."""

    path: str
    title: str
    writer: Writer
    body: Html

    def heading(self, word: str) -> None:
        """Add a heading that every website uses."""
        self.body.text("h2", self.writer.word(word))

    def paragraphs(self, count: int) -> None:
        """Add paragraphs that state nothing."""
        for _ in range(count):
            self.body.text("p", self.writer.paragraph(1, 3))

    def list_links(self, links: Sequence[Link]) -> None:
        """Add a list of links."""
        self.body.open("<ul>" + "\n".join(f"<li>{self.body.link(*link)}</li>" for link in links) + "</ul>")


class SiteWriter:
    """Writes one catalogue; :attr:`pages`, :attr:`links` and :attr:`facts` are complete after :meth:`write`."""

    def __init__(self, spec: CatalogueSpec, entities: Mapping[str, Sequence[Entity]], particulars: int) -> None:
        self.pages: dict[str, PageSpec] = {}
        self.links: dict[str, list[Link]] = {}
        self.facts: list[CatalogueFact] = []
        self._spec, self._language, self._entities = spec, spec.language, entities
        self._random = Random(f"{spec.host}/pages")
        self._number = 1000
        self._path = {each: self._next(kind) for kind in KINDS for each in entities[kind.slug]}
        listed = [each for members in entities.values() if _lists(len(members)) for each in members]
        deep = self._random.sample(listed, min(particulars, len(listed)))
        self._below = {each: self._next(each.kind) for each in deep}
        self._columns = {kind.slug: self._two(kind) for kind in KINDS}
        words = self._writer("/")
        self._home = (words.word("home"), "/")
        self._frame = Frame(
            self._language,
            SITE.of(self._language).format(stem(Pen(self._random, self._language, 0))),
            nav=[self._home, *map(self._section_link, KINDS)],
            footer=[(words.word("about"), "/about.html"), (words.word("partner"), EXTERNAL)],
            plain=self._random.random() < 0.5,
        )

    def write(self) -> None:
        """Write every page."""
        home = self._sheet("/", self._frame.site)
        home.paragraphs(1)
        home.heading("inside")
        home.list_links([self._section_link(kind) for kind in KINDS])
        home.heading("notes")
        home.paragraphs(2)
        self._put(home, [])
        for kind in KINDS:
            self._section(kind)
            for entity in self._entities[kind.slug]:
                self._entity(entity)
        about = self._sheet("/about.html", self._writer("/").word("about"))
        about.paragraphs(3)
        self._put(about, [self._home])

    # addresses and words

    def _next(self, kind: Kind) -> str:
        self._number += self._random.randint(1, 9)
        return f"/{kind.slug}/{self._number}.html"

    def _plural(self, kind: Kind) -> str:
        return capital(kind.plural.of(self._language))

    def _section_link(self, kind: Kind) -> Link:
        return self._plural(kind), f"/{kind.slug}/"

    def _label(self, prop: Property) -> str:
        return prop.words.of(self._language).partition(" | ")[0]

    def _two(self, kind: Kind) -> tuple[Property, Property]:
        """Return the properties that stand in the kind's table: one that entities share, and another."""
        shared = self._random.choice([prop for prop in kind.properties if prop.shared])
        return shared, self._random.choice([prop for prop in kind.properties if not prop.shared])

    def _writer(self, path: str) -> Writer:
        return Writer(Random(f"{self._spec.host}{path}"), self._language, FILLER, {})

    def _sheet(self, path: str, title: str) -> _Sheet:
        sheet = _Sheet(path, title, self._writer(path), Html())
        sheet.body.text("h1", title)
        return sheet

    def _put(self, sheet: _Sheet, crumbs: list[Link]) -> None:
        html, self.links[sheet.path] = sheet.body.page(self._frame, sheet.title, crumbs)
        self.pages[sheet.path] = PageSpec(html)

    # registers

    def _section(self, kind: Kind) -> None:
        members = self._entities[kind.slug]
        sheet = self._sheet(f"/{kind.slug}/", self._plural(kind))
        sheet.body.text("p", sheet.writer.intro(kind.plural.of(self._language)))
        sheet.heading("inside")
        lists = _lists(len(members))
        sheet.list_links(self._series(kind, "register", lists) if lists else self._links(members))
        sheet.list_links(self._series(kind, "table", _chunks(len(members), _PER_TABLE)))
        sheet.heading("notes")
        sheet.paragraphs(2)
        self._put(sheet, [self._home])

    def _links(self, members: Sequence[Entity]) -> list[Link]:
        return [(each.name, self._path[each]) for each in members]

    def _series(self, kind: Kind, name: str, parts: Sequence[slice]) -> list[Link]:
        """Write the lists or the tables of a kind; return the links to them."""
        if name == "table":
            between = "、" if self._language == "zh" else ", "
            whole = TABLE.of(self._language).format(
                self._plural(kind), between.join(map(self._label, self._columns[kind.slug]))
            )
        else:
            whole = REGISTER.of(self._language).format(kind.plural.of(self._language))
        links = []
        for number, part in enumerate(parts, 1):
            title = whole + (PART.of(self._language).format(number) if len(parts) > 1 else "")
            sheet, members = self._sheet(f"/{kind.slug}/{name}-{number}.html", title), self._entities[kind.slug][part]
            sheet.paragraphs(1)
            if name == "table":
                self._table(sheet, kind, members)
            else:
                sheet.list_links(self._links(members))
            sheet.paragraphs(1)
            self._put(sheet, [self._home, self._section_link(kind)])
            links.append((title, sheet.path))
        return links

    def _table(self, sheet: _Sheet, kind: Kind, members: Sequence[Entity]) -> None:
        columns = self._columns[kind.slug]
        names = (self._plural(kind), *(capital(self._label(prop)) for prop in columns))
        rows = ["".join(f"<th>{escape(name)}</th>" for name in names)]
        for each in members:
            cells = [
                sheet.body.link(each.name, self._path[each]),
                *(self._shown(sheet, each, prop) for prop in columns),
            ]
            rows.append("".join(f"<td>{cell}</td>" for cell in cells))
        sheet.body.open("<table>" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "</table>")

    # entities

    def _entity(self, entity: Entity) -> None:
        """Write an entity's page, and its particulars where it has any: values of its own, but for the last fact."""
        rest = [prop for prop in entity.kind.properties if prop not in self._columns[entity.kind.slug]]
        crumbs, here, more = [self._home, self._section_link(entity.kind)], (entity.name, self._path[entity]), []
        if entity in self._below:
            below = [prop for prop in rest if prop.draw][-2:]
            rest = [prop for prop in rest if prop not in below] or [below.pop(0)]
            more = [(PARTICULARS.of(self._language).format(entity.name), self._below[entity])]
            self._put(self._stated(more[0], entity, below), [*crumbs, here])
        sheet = self._stated(here, entity, rest)
        if more:
            sheet.heading("see_also")
            sheet.list_links(more)
        self._put(sheet, crumbs)

    def _stated(self, page: Link, entity: Entity, props: list[Property]) -> _Sheet:
        """Return a page that states something of an entity."""
        title, path = page
        sheet = self._sheet(path, title)
        writer = sheet.writer
        sheet.body.text("p", writer.join([writer.intro(entity.name), writer.paragraph(1, 1)]))
        sheet.heading("facts")
        style = writer.random.choice(tuple(_AROUND))
        writer.random.shuffle(props)
        sheet.body.open("\n".join(self._row(sheet, entity, prop, style) for prop in props).join(_AROUND[style]))
        sheet.paragraphs(1)
        return sheet

    def _row(self, sheet: _Sheet, entity: Entity, prop: Property, style: str) -> str:
        """Return the HTML of one statement."""
        label, value, writer = self._label(prop), escape(entity.said[prop.slug]), sheet.writer
        shown = self._shown(sheet, entity, prop)
        if style == "table":
            return f"<tr><th>{escape(capital(label))}</th><td>{shown}</td></tr>"
        if style == "list":
            return f"<li>{escape(writer.labelled(label, entity.said[prop.slug])).replace(value, shown)}</li>"
        said = escape(writer.statement(label, entity.said[prop.slug], entity.name)).replace(value, shown)
        return f"<p>{writer.join([said, escape(writer.paragraph(1, 1))])}</p>"

    def _shown(self, sheet: _Sheet, entity: Entity, prop: Property) -> str:
        """Return a value as HTML, linked or not, and remember that it is stated here."""
        value, named = entity.said[prop.slug], entity.named.get(prop.slug)
        self.facts.append(CatalogueFact(sheet.path, entity.name, f"{entity.kind.slug}.{prop.slug}", value))
        if named is not None and sheet.writer.random.random() < _LINKED:
            return sheet.body.link(value, self._path[named])
        return escape(value)
