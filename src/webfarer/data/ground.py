"""A ground: pages that questions are made of, the ways there, and what they state, as statements with evidence.

Where statements come from is a ground's own affair: from what is planted (generated sites), from the grammar of pages
(tables, definitions, links) or from a chat model that reads them. Whatever the source, a statement's words stand on its
page, character by character. Invariant: the same arguments give the same ground.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol

from webfarer.core.config import Settings
from webfarer.core.registry import Seam
from webfarer.core.types import Page
from webfarer.data.question import Evidence

GROUNDS = Seam("webfarer.data.grounds", "ground", "ground")
LANGUAGES = {"en": "English", "zh": "Chinese"}
"""That grounds can be in, by what :attr:`Ground.language` calls them."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How statements of one kind are put into words, in the ground's language. `{x}` is a noun phrase.

    Attributes:
        ask: clause that asks for the value, lower case, no question mark: "when was {x} opened".
        of: noun phrase for the value: "the director of {x}"; "" where none reads well.
        whose: noun phrase for the subject, with `{x}` the value: "the observatory whose director is {x}"; "" likewise.
        those: the same in the plural, for relations that say the same of several: "the instruments of {x}"; "" for
            none.
        quotes: whether they quote the page that states the value, so that a search for the quote finds it and nobody
            needs to know what `{x}` is.
    """

    ask: str
    of: str = ""
    whose: str = ""
    those: str = ""
    quotes: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that a page states.

    Attributes:
        subject: what it is about: a name that means one thing in the ground.
        relation: key into the ground's relations.
        value: what is stated; where that is a subject of the ground, exactly its name.
        evidence: where it is stated; its text holds the value.
    """

    subject: str
    relation: str
    value: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Ground:
    """Pages and what they state.

    Attributes:
        id: of the kind of ground ("world").
        root: first page.
        language: one of `LANGUAGES`.
        pages: by address; `Page.id` is the SHA-256 of its bytes.
        ways: per page, labels of the links on the first shortest way from the root; () for the root.
        statements: in document order, page by page.
        relations: by key.
        licence: of the pages, or "".
        cells: what its questions are broken down by, such as domain.
        shown: noun phrases for names that need one in a sentence: "the page “Limits”" for "Limits".
    """

    id: str
    root: str
    language: str
    pages: Mapping[str, Page]
    ways: Mapping[str, tuple[str, ...]]
    statements: tuple[Statement, ...]
    relations: Mapping[str, Relation]
    licence: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)

    def depth(self, url: str) -> int:
        """Return how many clicks a page is away from the root."""
        return len(self.ways[url])

    def without(self, urls: Collection[str]) -> "Ground":
        """Return the ground as it would be without some pages; ways stay as they are."""
        gone = set(urls)
        return replace(
            self,
            pages={url: page for url, page in self.pages.items() if url not in gone},
            statements=tuple(each for each in self.statements if each.evidence.url not in gone),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Which ground is wanted.

    Attributes:
        number: of generated grounds, which one; 0, 1, … differ in everything.
        seed: draws generated grounds.
        root: of real ones, the first page; or "".
        pages: most pages read of a real site.
        settings: of the program.
    """

    settings: Settings
    number: int = 0
    seed: int = 0
    root: str = ""
    pages: int = 1000


class Grounds(Protocol):
    """Makes grounds. Modules of the seam define `ground`, an object of this kind."""

    endless: ClassVar[bool]
    """Whether there is another one for every number; else only number 0."""

    async def at(self, place: Place) -> Ground:
        """Return a ground.

        Raises:
            ConfigError: the place cannot be used; says why.
        """
        ...
