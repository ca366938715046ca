"""What a generated catalogue is: a site about entities that refer to each other, and all that is true there.

Not how one is made (:mod:`webfarer.worlds.catalogue`). A catalogue is a value: the same specification gives the same
bytes in every process. Invariant: a fact is stated on one page, and no other page holds both its subject and its value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from webfarer.core.errors import ConfigError
from webfarer.worlds.types import Language, PageSpec

HOST = re.compile(r"catalogue(\d+)(en|zh)(\d+)\.test")


@dataclass(frozen=True, slots=True)
class CatalogueSpec:
    """What to generate: `seed` draws everything, `size` is the number of pages."""

    seed: int = 0
    language: Language = "en"
    size: int = 100

    @property
    def host(self) -> str:
        """Where it is served; one word, so that no part of it is taken for a word of a question."""
        return f"catalogue{self.seed}{self.language}{self.size}.test"

    @classmethod
    def at(cls, host: str) -> "CatalogueSpec":
        """Return what the site at `host` is generated from.

        Raises:
            ConfigError: it is no generated catalogue's.
        """
        match = HOST.fullmatch(host)
        if match is None:
            raise ConfigError(f"{host!r} is no host of a generated catalogue")
        return cls(int(match[1]), "zh" if match[2] == "zh" else "en", int(match[3]))


@dataclass(frozen=True, slots=True)
class CatalogueFact:
    """One thing that is stated on one page; `value` is another entity's name, or a value of `subject` itself."""

    page: str
    subject: str
    relation: str
    value: str


@dataclass(frozen=True, slots=True)
class CatalogueRelation:
    """What facts of one kind say, and how it is put into words; `{x}` is a noun phrase.

    Attributes:
        to: kind of entity that it names; "" for a plain value.
        ask: clause that asks for the value, lower case, without a question mark.
        of: noun phrase for the value.
        whose: noun phrase for the one subject that has the value.
        those: noun phrase for all subjects that have it; "" where every subject has a value of its own.
    """

    to: str
    ask: str
    of: str
    whose: str
    those: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """A website: its pages by path ("/" is the root), what is true there, and the ways to each page.

    Attributes:
        facts: page by page.
        relations: by key, "kind.name".
        ways: per page, labels of the links on the first shortest way from the root.
    """

    spec: CatalogueSpec
    pages: Mapping[str, PageSpec]
    facts: tuple[CatalogueFact, ...]
    relations: Mapping[str, CatalogueRelation]
    ways: Mapping[str, tuple[str, ...]]
