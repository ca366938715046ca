"""The vocabulary in which a domain is declared: texts, names, attributes, kinds of pages.

Data only; :mod:`webfarer.worlds.tree` grows pages from it and :mod:`webfarer.worlds.prose` writes them. Every text is
in English and Chinese. In texts, `[a|b]` is a choice drawn from the seed; `{e}` is the entity a page is about, `{p}`
the entity above that one, `{site}` and `{year}` speak for themselves.
"""

from dataclasses import dataclass
from itertools import product

from webfarer.worlds.types import Language
from webfarer.worlds.values import Draw


@dataclass(frozen=True, slots=True)
class Text:
    """The same thing in both languages."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """Return the wording in `language`."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Name:
    """What a page is called, and an alias for its link label that shares no content word with the name."""

    text: Text
    alias: Text


def name(row: str) -> Name:
    """Read "English | English alias | Chinese | Chinese alias"."""
    en, en_alias, zh, zh_alias = row.split(" | ")
    return Name(Text(en, zh), Text(en_alias, zh_alias))


def names(*rows: str) -> tuple[Name, ...]:
    """Read several names."""
    return tuple(name(row) for row in rows)


def compose(topics: tuple[Name, ...], *patterns: str) -> tuple[Name, ...]:
    """Combine every pattern with every topic.

    A pattern is a row as for :func:`name`, with `{}` for the topic: its text in the names, its alias in the aliases.
    """

    def filled(pattern: Name, topic: Name) -> Name:
        return Name(
            Text(pattern.text.en.format(topic.text.en), pattern.text.zh.format(topic.text.zh)),
            Text(pattern.alias.en.format(topic.alias.en), pattern.alias.zh.format(topic.alias.zh)),
        )

    return tuple(filled(pattern, topic) for pattern, topic in product(names(*patterns), topics))


def texts(block: str) -> tuple[Text, ...]:
    """Read a block of lines that alternate between English and Chinese."""
    lines = [line.strip() for line in block.strip().splitlines()]
    return tuple(Text(en, zh) for en, zh in zip(lines[::2], lines[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that has one value per entity.

    Attributes:
        name: as in a table ("Submission deadline").
        ask: question clause, lower case, without a question mark ("when is the submission deadline of the {e}").
            Together with the section's `mention` and `{e}` it should echo the labels on the way to the page.
        other: the same clause without any content word of `ask`, apart from `{e}`.
        draw: draws the value.
    """

    name: Text
    ask: Text
    other: Text
    draw: Draw


def attribute(draw: Draw, en: str, zh: str) -> Attribute:
    """Declare an attribute; in each language a row "name | clause | other clause"."""
    name_, ask, other = (Text(*pair) for pair in zip(en.split(" | "), zh.split(" | "), strict=True))
    return Attribute(name_, ask, other, draw)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of page.

    Attributes:
        slug: part of the path, and identity within the domain.
        names: a pool; each page of the kind takes another one. A kind with one name is an aspect of the entity above
            it ("Important Dates"); with several, its pages are entities of their own ("Industry Track").
        attributes: stated on the page.
        children: kinds of the pages below.
        article: what goes before a name of this kind within an English sentence ("the ").
        archived: pages of this kind return, with other values, in the archive of last year.
    """

    slug: str
    names: tuple[Name, ...]
    attributes: tuple[Attribute, ...] = ()
    children: tuple["Kind", ...] = ()
    article: str = ""
    archived: bool = False

    @property
    def is_entity(self) -> bool:
        """Whether `{e}` means a page of this kind rather than the entity above it."""
        return len(self.names) > 1


@dataclass(frozen=True, slots=True)
class Section:
    """A top section: linked from every page.

    Attributes:
        kind: its page and what lies below.
        mention: how a question refers to it ("according to the call for papers").
    """

    kind: Kind
    mention: Text


@dataclass(frozen=True, slots=True)
class Domain:
    """A kind of website.

    Attributes:
        sites: names of the site, one is drawn; `{year}` is the world's year.
        sections: in order of importance: a small world leaves out the last ones.
        archive: name of the section of past years.
        edition: name of one past year, with `{year}`.
        filler: sentences about anything; never with a digit, so that they cannot hold an answer.
        news: headlines; `{e}` is an entity of the site.
    """

    sites: tuple[Text, ...]
    sections: tuple[Section, ...]
    archive: Name
    edition: Text
    filler: tuple[Text, ...]
    news: tuple[Text, ...]
