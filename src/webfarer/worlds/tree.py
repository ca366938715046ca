"""Grows a domain's kinds into a tree of pages with facts, to the wanted size and depth.

Not text: nodes know names and values, :mod:`webfarer.worlds.render` writes them. The tree, the names and the values do
not depend on `paraphrase`, only the link labels do: worlds that differ in it alone can be compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from webfarer.worlds.schema import Attribute, Domain, Kind, Name, Section, Text
from webfarer.worlds.types import Fact, WorldSpec
from webfarer.worlds.values import Pen, Values

_ARCHIVE_SLUG = "archive"


@dataclass(slots=True, eq=False)
class Node:
    """One page of the tree.

    Attributes:
        path: where it is served.
        title: its own heading.
        label: what links to it say: the title's name, or its alias.
        parent: the page above; None for the root.
        children: pages below, in order.
        kind: what it was declared as; None for the root and the pages of the archive.
        section: the top section it belongs to; None for the root and the archive.
        entity: what its facts are about, as it stands within a sentence.
        above: the entity above that one, or "".
        facts: stated on it.
    """

    path: str
    title: str
    label: str
    parent: "Node | None" = None
    children: list["Node"] = field(default_factory=list)
    kind: Kind | None = None
    section: Section | None = None
    entity: str = ""
    above: str = ""
    facts: list[tuple[Attribute, Fact]] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """Clicks from the root along the tree."""
        return 0 if self.parent is None else self.parent.depth + 1

    def walk(self) -> Iterator["Node"]:
        """Yield this page and those below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(slots=True)
class _Slot:
    """A place where another page of a kind may be added."""

    parent: Node
    kind: Kind
    tie: float
    count: int = 0


class Grower:
    """Grows one world's tree."""

    def __init__(self, spec: WorldSpec, domain: Domain) -> None:
        self.spec, self.domain = spec, domain
        self.random = Random(f"{spec.domain}/{spec.language}/{spec.seed}/tree")
        self.year = self.random.randint(2025, 2027)
        self.site = self._say(self.random.choice(domain.sites))
        self.root = Node("/", self.site, self.site, entity=self.site)
        self._values = Values(Pen(self.random, spec.language, self.year))
        self._pools: dict[str, list[Name]] = {}
        self._slots: list[_Slot] = []
        self._number = 1000
        self.count = 1

    def grow(self, size: int) -> Node:
        """Return the root of a tree of about `size` pages."""
        archived = max(2, size // 25)
        room = size - archived - 2
        for number, section in enumerate(self.domain.sections):
            if number < 2 or self.count + self._cost(section.kind, 1) <= room:
                self._add(self.root, section.kind, section)
        while slot := self._next_slot(room - self.count):
            slot.count += 1
            self._add(slot.parent, slot.kind, slot.parent.section)
        self._add_archive(archived)
        return self.root

    def _next_slot(self, room: int) -> _Slot | None:
        """Return the slot that needs another page most: the emptiest, then the highest up."""
        fitting = [
            slot
            for slot in self._slots
            if self._pool(slot.kind) and self._cost(slot.kind, slot.parent.depth + 1) <= room
        ]
        return min(fitting, key=lambda slot: (slot.count, slot.parent.depth, slot.tie), default=None)

    def _cost(self, kind: Kind, depth: int) -> int:
        """Return how many pages adding one page of `kind` makes."""
        if depth > self.spec.depth:
            return 0
        return 1 + sum(self._cost(child, depth + 1) for child in kind.children)

    def _pool(self, kind: Kind) -> list[Name]:
        if kind.slug not in self._pools:
            self._pools[kind.slug] = self.random.sample(kind.names, len(kind.names))
        return self._pools[kind.slug]

    def _add(self, parent: Node, kind: Kind, section: Section | None) -> None:
        if parent.depth >= self.spec.depth or not self._pool(kind):
            return
        chosen = self._pool(kind).pop() if kind.is_entity else kind.names[0]
        node = self._node(parent, chosen, f"/{kind.slug}/" if parent is self.root else self._path(parent))
        node.kind, node.section = kind, section
        if kind.is_entity:
            node.entity, node.above = self._in_sentence(kind, chosen), parent.entity
        for attribute in kind.attributes:
            self._state(node, attribute, self.year)
        for child in kind.children:
            if child.is_entity and node.depth < self.spec.depth:
                self._slots.append(_Slot(node, child, self.random.random(), 1))
            self._add(node, child, section)

    def _node(self, parent: Node, name: Name, path: str) -> Node:
        label = self._say(name.alias if self._paraphrased(path) else name.text)
        node = Node(path, self._say(name.text), label, parent, entity=parent.entity, above=parent.above)
        parent.children.append(node)
        self.count += 1
        return node

    def _path(self, parent: Node) -> str:
        self._number += self.random.randint(1, 9)
        return f"/{parent.path.split('/')[1]}/{self._number}.html"

    def _paraphrased(self, what: str) -> bool:
        spec = self.spec
        return Random(f"{spec.domain}/{spec.language}/{spec.seed}/alias/{what}").random() < spec.paraphrase

    def _in_sentence(self, kind: Kind, name: Name) -> str:
        return (kind.article if self.spec.language == "en" else "") + self._say(name.text)

    def _say(self, text: Text) -> str:
        return text.of(self.spec.language).replace("{year}", str(self.year))

    def _state(self, node: Node, attribute: Attribute, year: int) -> None:
        value = self._values.draw(attribute.draw, year)
        if value is not None:  # a large world may use up, say, the days of a quarter; the page then does without
            fact = Fact(node.path, node.entity, attribute.name.of(self.spec.language), value)
            node.facts.append((attribute, fact))

    def _add_archive(self, most: int) -> None:
        """Add last year's editions of archived kinds: the same names and attributes with other values."""
        originals = [node for node in self.root.walk() if node.kind is not None and node.kind.archived][:most]
        archive = self._node(self.root, self.domain.archive, f"/{_ARCHIVE_SLUG}/")
        edition = self._old(archive, self.domain.edition.of(self.spec.language))
        if edition.depth < self.spec.depth:
            for original in originals:
                old = self._old(edition, original.title + (" ({year})" if self.spec.language == "en" else "（{year}）"))
                for attribute in _attributes(original):
                    self._state(old, attribute, self.year - 1)

    def _old(self, parent: Node, title: str) -> Node:
        title = title.replace("{year}", str(self.year - 1))
        node = Node(self._path(parent), title, title, parent, entity=title)
        parent.children.append(node)
        self.count += 1
        return node


def _attributes(node: Node) -> Iterator[Attribute]:
    """Yield the attributes of an entity: those of its own page and of its aspects' pages."""
    for attribute, _ in node.facts:
        yield attribute
    for child in node.children:
        if child.kind is not None and not child.kind.is_entity:
            yield from _attributes(child)
