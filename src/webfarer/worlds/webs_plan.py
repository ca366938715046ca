"""Decides what is true on a generated web: which site keeps what, who names whom, what changed, which page is how deep.

Not text and not addresses: :mod:`webfarer.worlds.webs_pages` writes the records. Every item has a namesake on the same
site with other values, every site one of nearly its name, and last years' records contradict the current ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from webfarer.worlds.types import Language
from webfarer.worlds.values import Pen, Values
from webfarer.worlds.webs_vocab import (
    ARTICLES,
    ITEMS,
    PATRONS,
    PLACES,
    PROPERTIES,
    RELATIONS,
    SITES,
    Property,
    Relation,
)
from webfarer.worlds.world import DOMAINS

_YEAR = 2026
_PATRONS_PER_SITE = 2
_PROPERTIES_PER_SUBJECT = 2
_LINKED = 0.5
_DATED_TITLES = 0.5


@dataclass(frozen=True, slots=True)
class Identity:
    """A site to be made: `mention` is its name as it stands within a sentence."""

    number: int
    domain: str
    host: str
    name: str
    mention: str


@dataclass(frozen=True, slots=True)
class Naming:
    """A statement that names another site; `linked` when the page links to it too."""

    of: Relation
    target: Identity
    linked: bool

    @property
    def value(self) -> str:
        """The site's name."""
        return self.target.name


@dataclass(frozen=True, slots=True)
class Detail:
    """A statement with a value of its own."""

    of: Property
    value: str


@dataclass(frozen=True, slots=True)
class Record:
    """A page to be written about one subject of a site: one of its items, or with `item` "" the site itself.

    Attributes:
        depth: clicks from the home page at which it is to lie, 2 to 4.
        day: the page's own date.
        former: the out-of-date record of the same subject, if the site kept one.
        dated: the title says of which year it is.
    """

    site: Identity
    item: str
    depth: int
    day: date
    relation: Naming
    details: tuple[Detail, ...]
    former: "Record | None" = None
    dated: bool = False

    @property
    def statements(self) -> tuple[Naming | Detail, ...]:
        """All that it states."""
        return (self.relation, *self.details)


def identities(random: Random, count: int, language: Language) -> list[Identity]:
    """Draw `count` sites, the domains in turn; the two sites of a domain that share a place come four apart."""
    domains = DOMAINS.ids()
    places = random.sample(PLACES, len(PLACES))
    found = []
    for number in range(count):
        round_, domain = number // len(domains), number % len(domains)
        kind = domains[domain]
        place, pattern = places[round_ // 2 * len(domains) + domain], SITES[kind][round_ % 2]
        name = pattern.of(language).format(place.of(language))
        host = pattern.en.format(place.en).lower().replace(" ", "-") + ".test"
        article = ARTICLES.get(kind, "") if language == "en" else ""
        found.append(Identity(number, kind, host, name, article + name))
    return found


class Planner:
    """Draws the records of a web."""

    def __init__(self, random: Random, sites: Sequence[Identity], language: Language) -> None:
        self.random, self.sites, self.language = random, sites, language
        self._values = Values(Pen(random, language, _YEAR))
        self._patrons = random.sample(PATRONS, len(PATRONS))

    def plan(self) -> list[Record]:
        """Return the current records of all sites: of each site itself, and of its items; former ones hang on them."""
        return [record for site in self.sites for record in self._site(site)]

    def _site(self, site: Identity) -> list[Record]:
        records = [self._record(site, "", outdated=True)]
        for _ in range(_PATRONS_PER_SITE):
            patron = self._patrons.pop()
            kinds = self.random.sample(ITEMS, 2)
            for number, kind in enumerate(kinds):
                item = kind.of(self.language).format(patron.of(self.language))
                records.append(self._record(site, item, outdated=number == 0))
        return records

    def _record(self, site: Identity, item: str, outdated: bool) -> Record:
        day = date(_YEAR, 1, 1) - timedelta(days=self.random.randrange(200))
        target = self.random.choice([other for other in self.sites if other.domain != site.domain])
        asked = self.random.sample(PROPERTIES, _PROPERTIES_PER_SUBJECT)
        record = Record(site, item, self.random.randint(2, 4), day, self._naming(target), self._details(asked))
        return replace(record, former=self._former(record)) if outdated else record

    def _former(self, record: Record) -> Record:
        """Return the record of some years ago: another site of the same domain is named, and every value differs."""
        now = record.relation.target
        twin = self.random.choice([each for each in self.sites if each.domain == now.domain and each is not now])
        day = record.day - timedelta(days=self.random.randint(700, 1500))
        details = self._details([detail.of for detail in record.details])
        dated = self.random.random() < _DATED_TITLES
        return Record(record.site, record.item, 3, day, self._naming(twin), details, dated=dated)

    def _naming(self, target: Identity) -> Naming:
        return Naming(RELATIONS[target.domain], target, self.random.random() < _LINKED)

    def _details(self, asked: Sequence[Property]) -> tuple[Detail, ...]:
        return tuple(Detail(each, self._value(each)) for each in asked)

    def _value(self, of: Property) -> str:
        value = self._values.draw(of.draw)
        assert value is not None, "the pools are many times larger than a web"
        return value
