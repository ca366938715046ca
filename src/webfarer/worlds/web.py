"""Generated webs of several sites whose truth is known: `generate_web(seed=7)`.

Not a model of the web: it holds what makes search hard (facts spread over sites, deep pages, namesakes, outdated pages,
pages that only talk of the question) and says where each fact is. The same arguments give the same bytes in every
process. Chains of hops follow CRAWLQA (Wu et al., "WebDancer", 2025); served by :mod:`webfarer.worlds.webs_server`.
"""

import calendar
import re
from collections.abc import Sequence
from html import escape
from itertools import groupby
from random import Random

from webfarer.core.errors import ConfigError
from webfarer.worlds.prose import capital, fill
from webfarer.worlds.types import Language, WorldSpec
from webfarer.worlds.webs_pages import SiteBuilder
from webfarer.worlds.webs_plan import Planner, Record, identities
from webfarer.worlds.webs_types import PlantedFact, WebQuestion, WebSite, WorldWeb
from webfarer.worlds.webs_vocab import ABOUT, PORTAL_TITLE, Property

__all__ = ["generate_web"]

_FEWEST, _MOST = 8, 16  # so that every domain has two sites, and every site a place of its own with one other
_SMALLEST = 40
_HOPS = (1, 2, 3)
_DAY_EN = re.compile(r"(\d+) (\w+) (\d{4})")
_DAY_ZH = re.compile(r"(\d{4})年(\d+)月(\d+)日")


def generate_web(
    seed: int,
    *,
    sites: int = 8,
    language: Language = "en",
    pages_per_site: tuple[int, int] = (40, 60),
    questions_per_hop: int = 4,
) -> WorldWeb:
    """Return a web.

    Args:
        seed: draws everything.
        sites: how many, 8 to 16.
        language: of pages and questions.
        pages_per_site: smallest and largest site, met to within a few pages.
        questions_per_hop: how many questions are asked of one hop, of two, and of three.

    Raises:
        ConfigError: a number that does not work.
    """
    if not _FEWEST <= sites <= _MOST or not _SMALLEST <= pages_per_site[0] <= pages_per_site[1]:
        wanted = f"{_FEWEST} to {_MOST} sites of at least {_SMALLEST} pages"
        raise ConfigError(f"a web needs {wanted}, not {sites} of {pages_per_site}")
    if language not in ("en", "zh"):
        raise ConfigError(f"webs are written in en or zh, not {language!r}")
    random = Random(f"web/{language}/{seed}")
    members = identities(random, sites, language)
    records = Planner(random, members, language).plan()
    made = []
    for site, mine in groupby(records, key=lambda record: record.site):
        spec = WorldSpec(site.domain, seed * 100 + site.number, language, random.randint(*pages_per_site))
        made.append(SiteBuilder(site, list(mine), spec).build())
    facts = {id(record): stated for each in made for record, stated in each.facts}
    every = tuple(fact for stated in facts.values() for fact in stated)
    chains = _Chains(random, records, facts, language)
    questions = tuple(question for hops in _HOPS for question in chains.questions(hops, questions_per_hop, every))
    found = tuple(each.site for each in made)
    return WorldWeb(seed, language, found, _portal(found, random, language), every, questions)


class _Chains:
    """Draws chains of facts and words them as questions."""

    def __init__(
        self, random: Random, records: Sequence[Record], facts: dict[int, list[PlantedFact]], language: Language
    ) -> None:
        self.random, self.language = random, language
        self._facts = facts
        self._items = [record for record in records if record.item]
        self._of_site = {record.site.number: record for record in records if not record.item}

    def questions(self, hops: int, count: int, every: Sequence[PlantedFact]) -> list[WebQuestion]:
        """Return up to `count` questions of `hops` hops, each from another item to another answer."""
        found: dict[str, WebQuestion] = {}
        for start in self.random.sample(self._items, len(self._items)):
            route = self._route(start, hops)
            if len({record.site.number for record in route}) == hops and len(found) < count:
                question = self._question(f"{hops}-{len(found) + 1}", route, every)
                found.setdefault(question.answers[0], question)
        return list(found.values())

    def _route(self, start: Record, hops: int) -> list[Record]:
        """Return the records to be read, each on the site that the one before names."""
        route = [start]
        while len(route) < hops:
            route.append(self._of_site[route[-1].relation.target.number])
        return route

    def _question(self, identity: str, route: list[Record], every: Sequence[PlantedFact]) -> WebQuestion:
        number = self.random.randrange(len(route[-1].details))
        stated = [self._facts[id(record)] for record in route]
        last = stated[-1][1 + number]
        wrong = dict.fromkeys(f.value for f in every if f.attribute == last.attribute and f.value != last.value)
        return WebQuestion(
            id=identity,
            text=self._text(route, route[-1].details[number].of),
            answers=accepted(last.value),
            wrong=tuple(wrong),
            language=self.language,
            chain=(*(facts[0] for facts in stated[:-1]), last),
        )

    def _text(self, route: list[Record], asked: Property) -> str:
        start, chinese = route[0], self.language == "zh"
        subject = f"{start.site.name}的{start.item}" if chinese else f"the {start.item} of {start.site.mention}"
        for record in route[:-1]:
            subject = fill(record.relation.of.asked.of(self.language), {"x": subject})
        return capital(fill(asked.ask.of(self.language), {"x": subject})) + ("？" if chinese else "?")


def accepted(value: str) -> tuple[str, ...]:
    """Return the forms in which an answer may give `value`: as it stands, and for a day the other usual ones."""
    if found := _DAY_EN.fullmatch(value):
        day, name, year = found.groups()
        month = list(calendar.month_name).index(name)
        return value, f"{name} {day}, {year}", f"{year}-{month:02}-{int(day):02}"
    if found := _DAY_ZH.fullmatch(value):
        year, number, day = found.groups()
        return value, f"{year}-{int(number):02}-{int(day):02}"
    return (value,)


def _portal(sites: Sequence[WebSite], random: Random, language: Language) -> bytes:
    title = escape(PORTAL_TITLE.of(language))
    rows = "\n".join(
        f'<li><a href="{site.url}">{escape(site.name)}</a> <span>{escape(ABOUT[site.domain].of(language))}</span></li>'
        for site in random.sample(sites, len(sites))
    )
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><main><h1>{title}</h1>\n<ul>{rows}</ul></main></body></html>\n"
    ).encode()
