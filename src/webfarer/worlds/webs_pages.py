"""Writes the records of a plan into a generated website, as pages of its tree, and says what stands where.

The site around them is an ordinary world of its domain: same frame, same filler, same decay. Records are dated, in the
text and in the head; what they state stands in a table, a list or sentences, never twice on the site.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from random import Random

from webfarer.worlds.html import Html
from webfarer.worlds.prose import Writer, capital, fill
from webfarer.worlds.questions import shortest_paths
from webfarer.worlds.render import Renderer, overhead
from webfarer.worlds.schema import Domain, Text
from webfarer.worlds.tree import Grower, Node
from webfarer.worlds.types import Language, PageSpec, WorldSpec
from webfarer.worlds.webs_plan import Detail, Identity, Naming, Record
from webfarer.worlds.webs_types import PlantedFact, WebSite, address
from webfarer.worlds.webs_vocab import (
    COLLECTION,
    FAQ,
    FAQ_ANSWERS,
    FORMER,
    LEGAL,
    PARTICULARS,
    PROPERTIES,
    RECORD,
    REGISTER,
    SECTION,
)
from webfarer.worlds.world import DOMAINS

_FOLDER = "/institution/"
_FAQ_QUESTIONS = 6


@dataclass(frozen=True, slots=True)
class Made:
    """A site as written, and the facts of each of its records, in the order of its statements."""

    site: WebSite
    facts: list[tuple[Record, list[PlantedFact]]]


@dataclass(slots=True)
class _Written:
    """A record with its page, and its statements as they stand there."""

    record: Record
    node: Node
    statements: list[str] = field(default_factory=list)


class SiteBuilder:
    """Makes one site: `SiteBuilder(identity, records, spec).build()`."""

    def __init__(self, identity: Identity, records: Sequence[Record], spec: WorldSpec) -> None:
        self.identity, self.records, self.spec = identity, records, spec
        self.language: Language = spec.language
        self._random = Random(f"web/{spec.language}/{spec.seed}/{identity.host}")
        declared: Domain = DOMAINS.load(identity.domain)
        self._domain = replace(declared, sites=(Text(identity.name, identity.name),))
        self._number = 5000
        self._written: list[_Written] = []

    def build(self) -> Made:
        """Return the site with its records."""
        grower = Grower(self.spec, self._domain)
        section = self._node(grower.root, SECTION.of(self.language), _FOLDER)
        faq = self._plant(section)
        planted = sum(1 for _ in section.walk())
        grower.root.children.clear()
        grower.grow(self.spec.size - overhead(self.spec.size) - planted)
        grower.root.children.append(section)
        grower.count += planted
        renderer = Renderer(grower)
        renderer.frame.footer.pop()  # it leads out of the generated web
        renderer.render()
        for written in self._written:
            self._write_record(renderer, written)
        self._write_faq(renderer, faq)
        ways = shortest_paths(renderer.links, renderer.pages)
        depths = {path: len(way) for path, way in ways.items()}
        site = WebSite(self.identity.host, self.identity.name, self.identity.domain, renderer.pages, depths)
        return Made(site, [(each.record, list(self._facts(each, depths))) for each in self._written])

    # where pages lie

    def _plant(self, section: Node) -> Node:
        """Add a page for every record below `section`, at its depth; return the page of questions and answers."""
        shared: dict[Text, Node] = {}

        def shelf(text: Text, parent: Node = section) -> Node:
            if text not in shared:
                shared[text] = self._node(parent, text.of(self.language))
            return shared[text]

        for record in self.records:
            title = record.item or RECORD.of(self.language).format(self.identity.name)
            if record.item:
                parent = section if record.depth == 2 else shelf(COLLECTION)
                if record.depth == 4:
                    parent = self._node(parent, title)
                    title = PARTICULARS.of(self.language).format(record.item)
            elif record.depth == 2:
                parent = section
            else:
                parent = shelf(LEGAL) if record.depth == 3 else shelf(REGISTER, shelf(LEGAL))
            self._written.append(_Written(record, self._node(parent, title)))
        for record in self.records:
            if former := record.former:
                title = former.item or RECORD.of(self.language).format(self.identity.name)
                title += f" ({former.day.year})" if former.dated else ""
                self._written.append(_Written(former, self._node(shelf(FORMER), title)))
        return self._node(section, FAQ.of(self.language))

    def _node(self, parent: Node, title: str, path: str = "") -> Node:
        self._number += self._random.randint(1, 9)
        node = Node(path or f"{_FOLDER}{self._number}.html", title, title, parent, entity=title)
        parent.children.append(node)
        return node

    # what pages say

    def _writer(self, path: str) -> Writer:
        random = Random(f"web/{self.language}/{self.spec.seed}/{self.identity.host}{path}")
        slots = {"site": self.identity.name, "year": ""}
        return Writer(random, self.language, self._domain.filler, slots)

    def _write_record(self, renderer: Renderer, written: _Written) -> None:
        record, node = written.record, written.node
        writer, body = self._writer(node.path), Html()
        day = record.day.isoformat()
        body.text("h1", node.title)
        updated = writer.labelled(writer.word("updated"), f'<time datetime="{day}">{day}</time>')
        body.open(f"<p>{updated}</p>")
        body.text("p", writer.paragraph(1, 2))
        body.text("h2", writer.word("facts"))
        style = writer.random.choice(("table", "list", "prose"))
        rows = [self._row(written, stated, (writer, body), style) for stated in record.statements]
        around = {"table": ("<table>", "</table>"), "list": ("<ul>", "</ul>"), "prose": ("", "")}[style]
        body.open(around[0] + "\n".join(rows) + around[1])
        body.text("h2", writer.word("notes"))
        body.text("p", writer.paragraph())
        self._put(renderer, node, body, day)

    def _row(self, written: _Written, stated: Naming | Detail, pen: tuple[Writer, Html], style: str) -> str:
        """Return the HTML of one statement, and remember the piece that carries it."""
        writer, body = pen
        name, value = stated.of.label.of(self.language), stated.value
        shown = escape(value)
        if isinstance(stated, Naming) and stated.linked:
            shown = body.link(value, address(stated.target.host))
        if style == "table":
            written.statements.append(f"{capital(name)} {value}")
            return f"<tr><th>{escape(capital(name))}</th><td>{shown}</td></tr>"
        if style == "list":
            said = writer.labelled(name, value)
            written.statements.append(said)
            return f"<li>{escape(said).replace(escape(value), shown)}</li>"
        said = writer.statement(name, value, subject_of(written.record, self.language))
        written.statements.append(said[said.index(name) : said.index(value) + len(value)])
        return f"<p>{writer.join([escape(said).replace(escape(value), shown), escape(writer.paragraph(1, 1))])}</p>"

    def _write_faq(self, renderer: Renderer, node: Node) -> None:
        """Write a page full of the questions' own words, with none of the answers."""
        writer, body = self._writer(node.path), Html()
        body.text("h1", node.title)
        subjects = [subject_of(record, self.language) for record in self.records]
        mark = "？" if self.language == "zh" else "?"
        for _ in range(_FAQ_QUESTIONS):
            ask = writer.random.choice(PROPERTIES).ask.of(self.language)
            body.text("h3", capital(fill(ask, {"x": writer.random.choice(subjects)})) + mark)
            body.text("p", writer.say(writer.random.choice(FAQ_ANSWERS)))
        self._put(renderer, node, body)

    def _put(self, renderer: Renderer, node: Node, body: Html, day: str = "") -> None:
        above: list[tuple[str, str]] = []
        parent = node.parent
        while parent is not None:
            above.insert(0, (parent.label, parent.path))
            parent = parent.parent
        html, renderer.links[node.path] = body.page(renderer.frame, node.title, above)
        meta = f'<meta property="article:modified_time" content="{day}"></head>'.encode() if day else b"</head>"
        renderer.pages[node.path] = PageSpec(html.replace(b"</head>", meta, 1))

    def _facts(self, written: _Written, depths: dict[str, int]) -> Iterator[PlantedFact]:
        record, path = written.record, written.node.path
        current = any(record is each for each in self.records)
        for stated, statement in zip(record.statements, written.statements, strict=True):
            yield PlantedFact(
                url=address(self.identity.host, path),
                depth=depths[path],
                subject=subject_of(record, self.language),
                attribute=stated.of.label.of(self.language),
                value=stated.value,
                statement=statement,
                date=record.day.isoformat(),
                current=current,
                target=stated.target.host if isinstance(stated, Naming) else "",
                linked=isinstance(stated, Naming) and stated.linked,
            )


def subject_of(record: Record, language: Language) -> str:
    """Return what a record is about, as it stands within a sentence on its own site."""
    if not record.item:
        return record.site.mention
    return record.item if language == "zh" else f"the {record.item}"
