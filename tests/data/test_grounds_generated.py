"""Generated grounds: the same every time, evidence cut from the pages, ways that real links make."""

import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.data.formula import Entity, Graph, Of, Whose, answers
from webfarer.data.ground import GROUNDS, Ground, Place
from webfarer.data.grounds._generated import seed_of
from webfarer.evals.tasks.world import spec_of
from webfarer.worlds.catalogue import CatalogueSpec, generate_catalogue

PLACE = Place(load_settings(model=""))
KINDS = pytest.mark.parametrize("kind", ["catalogue", "world"])


GROUND: dict[Any, Ground] = {}


async def ground(kind: str, number: int = 0) -> Ground:
    key = kind, number
    if key not in GROUND:
        GROUND[key] = await GROUNDS.load(kind).at(replace(PLACE, number=number))
    return GROUND[key]


@KINDS
@pytest.mark.parametrize("number", [0, 1])
async def test_evidence_is_an_exact_piece_of_its_page_that_holds_the_value(kind, number):
    made = await ground(kind, number)
    assert made.language == ("en", "zh")[number]
    assert len(made.statements) > 80
    places = [(list(made.pages).index(said.evidence.url), said.evidence.start) for said in made.statements]
    assert places == sorted(places)
    for said in made.statements:
        page, evidence = made.pages[said.evidence.url], said.evidence
        assert page.markdown[evidence.start : evidence.start + len(evidence.text)] == evidence.text
        assert said.value in evidence.text
        assert "\n" not in evidence.text
        assert evidence.sha256 == page.id
        assert said.subject in page.markdown
        assert said.relation in made.relations


@KINDS
async def test_a_value_of_a_table_is_found_in_the_row_of_its_subject(kind):
    made = await ground(kind)
    rows = [said for said in made.statements if said.evidence.text.count("|") > 3]
    assert all(said.subject in said.evidence.text for said in rows)
    assert bool(rows) == (kind == "catalogue")


@KINDS
async def test_ways_are_links_that_stand_on_the_pages(kind):
    made = await ground(kind)
    assert next(iter(made.pages)) == made.root
    assert made.ways.keys() == made.pages.keys()
    assert max(map(made.depth, made.pages)) == 4
    for url, labels in list(made.ways.items())[::7]:
        reached = {made.root}
        for label in labels:
            found = {link.url for at in reached for link in made.pages[at].links if link.label == label}
            reached = {at for at in found if at in made.pages}
        assert url in reached


@KINDS
async def test_the_same_place_gives_the_same_ground_and_every_other_another(kind):
    one = await ground(kind)
    assert one == await GROUNDS.load(kind).at(PLACE)
    other = await ground(kind, 1)
    assert not one.pages.keys() & other.pages.keys()
    stated = {(said.subject, said.value) for said in one.statements}
    assert not stated & {(said.subject, said.value) for said in other.statements}
    with pytest.raises(ConfigError, match="0 or more"):
        await ground(kind, -1)


async def test_a_chain_breaks_when_any_of_its_pages_goes():
    made = await ground("catalogue")
    start = next(said for said in made.statements if said.relation == "comet.survey")
    chain = Entity(start.subject)
    for relation in ("comet.survey", "survey.instrument", "instrument.home", "observatory.operator"):
        chain = Of(relation, chain)
    asked = Of("institute.founded", chain)
    (answer,) = answers(asked, Graph(made.statements))
    (founded,) = answer
    assert answers(Whose("institute.founded", Entity(founded)), Graph(made.statements)) == answers(
        chain, Graph(made.statements)
    )
    assert answers(asked, Graph(made.without([start.evidence.url]).statements)) == frozenset()


async def test_the_ground_is_the_site_that_its_host_says():
    made = await ground("catalogue")
    site = generate_catalogue(CatalogueSpec.at(urlsplit(made.root).netloc))
    ids = {url: hashlib.sha256(site.pages[urlsplit(url).path].html).hexdigest() for url in made.pages}
    assert ids == {url: page.id for url, page in made.pages.items()}
    assert len(ids) == len(site.pages)


def test_seeds_do_not_share_sites():
    seeds = {seed_of(replace(PLACE, seed=seed, number=number)) for seed in range(3) for number in (0, 1, 999_999)}
    assert len(seeds) == 9


async def test_sites_are_not_those_that_evaluations_ask_about():
    made = await ground("world")
    assert spec_of(urlsplit(made.root).netloc).seed >= 1_000_000


async def test_nobody_is_asked_about_past_years():
    made = await ground("world")
    assert all(relation.ask.count("{x}") == 1 for relation in made.relations.values())
    assert not any("/archive/" in said.evidence.url for said in made.statements)
