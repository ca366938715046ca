"""Turns a tree of facts into the pages of a website: content, news, the pages nobody reads, and the usual decay.

Facts are stated once, in a table, a list or a sentence. Around them stands what makes real sites hard: filler,
namesakes, last year's pages, dead links, moved pages and a slow one. The only source of chance is the seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from random import Random

from webfarer.worlds.html import Frame, Html, Link
from webfarer.worlds.prose import DEAD_LINKS, Writer, capital
from webfarer.worlds.tree import Grower, Node
from webfarer.worlds.types import PageSpec

EXTERNAL = "https://www.example.org/"
SLOW_SECONDS = 0.1
_NEWS_PER_PAGE = 4
_LEAST_NEWS = 6
_STATIC = ("about", "contact", "privacy")


def overhead(size: int) -> int:
    """Return how many pages of a site of `size` pages are to lie outside the tree."""
    return len(_STATIC) + max(8, size // 8)


@dataclass(frozen=True, slots=True)
class _Item:
    """A news item about a page of the tree."""

    path: str
    title: str
    published: str
    about: Node


class Renderer:
    """Renders one world; :attr:`pages` and :attr:`links` are complete after :meth:`render`."""

    def __init__(self, grower: Grower) -> None:
        self.spec, self.domain, self.root, self._grown = grower.spec, grower.domain, grower.root, grower.count
        self.site, self.year = grower.site, grower.year
        self.random = Random(f"{self.spec.domain}/{self.spec.language}/{self.spec.seed}/render")
        self.pages: dict[str, PageSpec] = {}
        self.links: dict[str, list[Link]] = {}
        words = self._writer("/")
        self._home = (words.word("home"), "/")
        self.frame = Frame(
            self.spec.language,
            self.site,
            nav=[self._home, *((node.label, node.path) for node in self.root.children), (words.word("news"), "/news/")],
            footer=[*((words.word(key), f"/{key}.html") for key in _STATIC), (words.word("partner"), EXTERNAL)],
            plain=self.random.random() < 0.5,
        )

    def render(self) -> None:
        """Render every page."""
        items = self._news()
        for node in self.root.walk():
            self._node(node, items)
        for start in range(0, len(items), _NEWS_PER_PAGE):
            self._news_list(items, start)
        for item in items:
            self._news_item(item)
        for key in _STATIC:
            self._static(key)
        slow = self.random.choice(self.root.children).path
        self.pages[slow] = PageSpec(self.pages[slow].html, delay=SLOW_SECONDS)

    def _writer(self, path: str) -> Writer:
        random = Random(f"{self.spec.domain}/{self.spec.language}/{self.spec.seed}/page{path}")
        return Writer(random, self.spec.language, self.domain.filler, {"site": self.site, "year": str(self.year)})

    def _put(self, path: str, title: str, body: Html, crumbs: list[Link], aside: Html | None = None) -> None:
        html, self.links[path] = body.page(self.frame, title, crumbs, aside)
        self.pages[path] = PageSpec(html)

    # pages of the tree

    def _node(self, node: Node, items: list[_Item]) -> None:
        writer, body = self._writer(node.path), Html()
        title = _heading(node, self.spec.language)
        body.text("h1", title)
        if node.parent is not None:
            body.text("p", writer.labelled(writer.word("updated"), self._day(writer.random)))
        body.text("p", writer.join([writer.intro(_topic(node, self.spec.language)), writer.paragraph(1, 3)]))
        blocks = [self._facts, self._children]
        if writer.random.random() < 0.3:
            blocks.reverse()
        for block in blocks:
            block(node, writer, body)
        if node.parent is None:
            self._latest(items, writer, body)
        body.text("h2", writer.word("notes"))
        for _ in range(2):
            body.text("p", writer.paragraph())
        crumbs = [] if node.parent is None else [self._home, *_ancestors(node)]
        self._put(node.path, title, body, crumbs, self._aside(node, writer))

    def _facts(self, node: Node, writer: Writer, body: Html) -> None:
        if not node.facts:
            return
        rows = [(attribute.name.of(self.spec.language), fact.value) for attribute, fact in node.facts]
        writer.random.shuffle(rows)
        style = writer.random.choice(("table", "list", "prose", "prose"))
        body.text("h2", writer.word("facts"))
        if style == "table":
            cells = (f"<tr><th>{escape(capital(n))}</th><td>{escape(v)}</td></tr>" for n, v in rows)
            body.open(f"<table>{''.join(cells)}</table>")
            body.text("p", writer.paragraph(1, 2))
        elif style == "list":
            body.open(f"<ul>{''.join(f'<li>{escape(writer.labelled(n, v))}</li>' for n, v in rows)}</ul>")
            body.text("p", writer.paragraph(1, 2))
        else:
            for n, v in rows:
                sentences = [writer.statement(n, v, node.entity), writer.paragraph(1, 1)]
                if writer.random.random() < 0.5:
                    sentences.reverse()
                body.text("p", writer.join(sentences))

    def _children(self, node: Node, writer: Writer, body: Html) -> None:
        if not node.children:
            return
        body.text("h2", writer.word("inside"))
        style = writer.random.choice(("list", "list", "table", "buttons", "tiles"))
        rows = []
        for child in node.children:
            label, path, blurb = child.label, child.path, escape(writer.blurb())
            if style == "list":
                rows.append(f"<li>{body.link(label, path)} <span>{blurb}</span></li>")
            elif style == "table":
                title, more = body.link(label, path), body.link(writer.word("details"), path)
                rows.append(f"<tr><td>{title}</td><td>{blurb}</td><td>{more}</td></tr>")
            elif style == "buttons":
                rows.append(f"<div class='card'>{body.button(label, path)}<p>{blurb}</p></div>")
            else:
                rows.append(f"<div class='card'>{body.tile(label, path)}<p>{blurb}</p></div>")
        around = {"list": ("<ul>", "</ul>"), "table": ("<table>", "</table>")}.get(style, ("<div>", "</div>"))
        body.open(around[0] + "\n".join(rows) + around[1])

    def _aside(self, node: Node, writer: Writer) -> Html:
        """Return links to sibling pages, now and then a dead one."""
        aside = Html()
        siblings = [other for other in node.parent.children if other is not node] if node.parent else []
        chosen = writer.random.sample(siblings, min(3, len(siblings))) if node.depth > 1 else []
        rows = [f"<li>{aside.link(other.label, other.path)}</li>" for other in chosen]
        if node.depth <= 1 or writer.random.random() < 0.1:
            number = writer.random.randrange(len(DEAD_LINKS))
            rows.append(f"<li>{aside.link(DEAD_LINKS[number].of(self.spec.language), f'/media/{number}.html')}</li>")
        if rows:
            aside.text("h2", writer.word("see_also"))
            aside.open(f"<ul>{''.join(rows)}</ul>")
        return aside

    def _day(self, random: Random) -> str:
        return (date(self.year, 1, 1) - timedelta(days=random.randrange(200))).isoformat()

    # news and the pages nobody reads

    def _news(self) -> list[_Item]:
        """Return the news, newest first."""
        entities = [node for node in self.root.walk() if node.depth == 2 and node.kind is not None]
        day, number, items = date(self.year, 1, 20), 9000, []
        left = self.spec.size - self._grown - len(_STATIC)
        for _ in range(max(_LEAST_NEWS, left * _NEWS_PER_PAGE // (_NEWS_PER_PAGE + 1))):
            day -= timedelta(days=self.random.randint(2, 11))
            number -= self.random.randint(1, 4)
            node, path = self.random.choice(entities), f"/news/{number}.html"
            title = capital(self._writer(path).say(self.random.choice(self.domain.news), e=node.entity))
            items.append(_Item(path, title, day.isoformat(), node))
        return items

    def _entries(self, items: Sequence[_Item], body: Html) -> None:
        rows = "\n".join(f"<li><time>{item.published}</time> {body.link(item.title, item.path)}</li>" for item in items)
        body.open(f"<ul class='posts'>{rows}</ul>")

    def _latest(self, items: list[_Item], writer: Writer, body: Html) -> None:
        body.text("h2", writer.word("latest"))
        self._entries(items[:3], body)
        body.open(f"<p>{body.link(writer.word('more'), '/news/')}</p>")

    def _news_list(self, items: list[_Item], start: int) -> None:
        number = start // _NEWS_PER_PAGE + 1
        writer, body = self._writer(_news_path(number)), Html()
        title = writer.word("news") + ("" if number == 1 else f" ({number})")
        body.text("h1", title)
        body.text("p", writer.paragraph())
        self._entries(items[start : start + _NEWS_PER_PAGE], body)
        steps = []
        if number > 1:
            steps.append(body.link(writer.word("previous"), _news_path(number - 1)))
        if start + _NEWS_PER_PAGE < len(items):
            steps.append(body.link(writer.word("next"), _news_path(number + 1)))
        body.open(f"<p class='pager'>{' '.join(steps)}</p>")
        body.text("p", writer.paragraph())
        body.text("p", writer.paragraph())
        self._put(_news_path(number), title, body, [self._home])

    def _news_item(self, item: _Item) -> None:
        writer, body = self._writer(item.path), Html()
        body.text("h1", item.title)
        body.text("p", writer.labelled(writer.word("published"), item.published))
        for _ in range(3):
            body.text("p", writer.paragraph(2, 3))
        body.open(f"<p>{writer.labelled(writer.word('see_also'), body.link(item.about.label, item.about.path))}</p>")
        self._put(item.path, item.title, body, [self._home, (writer.word("news"), "/news/")])

    def _static(self, key: str) -> None:
        writer, body = self._writer(f"/{key}"), Html()
        body.text("h1", writer.word(key))
        for _ in range(3):
            body.text("p", writer.paragraph(3, 4))
        if key == "about":
            moved = self.random.choice(self.root.children).path
            old = f"/old{moved}index.html"
            self.pages[old] = PageSpec(redirect=moved)
            body.open(f"<p>{writer.labelled(writer.word('old_address'), body.link(writer.word('old_link'), old))}</p>")
        self._put(f"/{key}.html", writer.word(key), body, [self._home])


def _news_path(number: int) -> str:
    return "/news/" if number == 1 else f"/news/list-{number}.html"


def _ancestors(node: Node) -> list[Link]:
    above = []
    parent = node.parent
    while parent is not None and parent.parent is not None:
        above.append((parent.label, parent.path))
        parent = parent.parent
    return above[::-1]


def _is_aspect(node: Node) -> bool:
    return node.kind is not None and not node.kind.is_entity and node.depth > 1


def _heading(node: Node, language: str) -> str:
    """Return the page's own heading; an aspect's page names the entity too."""
    if not _is_aspect(node):
        return node.title
    owner = node
    while _is_aspect(owner) and owner.parent is not None:
        owner = owner.parent
    return f"{owner.title}{node.title}" if language == "zh" else f"{owner.title}: {node.title}"


def _topic(node: Node, language: str) -> str:
    """Return what the page is about, as it stands within a sentence."""
    if not _is_aspect(node):
        return node.title if node.depth == 1 else node.entity
    return f"{node.entity}的{node.title}" if language == "zh" else f"the {node.title.lower()} of {node.entity}"
