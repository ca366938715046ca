"""Catalogues: same bytes everywhere, every fact on one page, every link leads somewhere, chains of any length."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from webfarer.core.errors import ConfigError
from webfarer.worlds.catalogue import Catalogue, CatalogueSpec, generate_catalogue

SPECS = st.builds(
    CatalogueSpec,
    seed=st.integers(0, 10**7),
    language=st.sampled_from(["en", "zh"]),
    size=st.integers(60, 150),
)
few = settings(max_examples=4, deadline=None)
made = cache(generate_catalogue)
BOTH = pytest.mark.parametrize("spec", [CatalogueSpec(3, "en"), CatalogueSpec(3, "zh")], ids=["en", "zh"])


def digest(site: Catalogue) -> str:
    whole = "".join(f"{path} {page}" for path, page in site.pages.items()) + repr((site.facts, site.ways))
    return hashlib.sha256(whole.encode()).hexdigest()


def texts(site: Catalogue) -> dict[str, str]:
    return {path: LexborHTMLParser(page.html.decode()).text(separator="\n") for path, page in site.pages.items()}


@settings(max_examples=20)
@given(SPECS)
def test_a_host_says_how_its_site_is_made(spec):
    assert CatalogueSpec.at(spec.host) == spec


@pytest.mark.parametrize("host", ["example.com", "catalogue7fr100.test", "cataloguexen100.test"])
def test_any_other_host_is_refused(host):
    with pytest.raises(ConfigError, match="no host"):
        CatalogueSpec.at(host)


@pytest.mark.parametrize("spec", [CatalogueSpec(size=20), CatalogueSpec(size=900), CatalogueSpec(-1)])
def test_what_cannot_be_made_is_refused(spec):
    with pytest.raises(ConfigError, match="60 to 200"):
        generate_catalogue(spec)


@pytest.mark.slow
def test_every_process_makes_the_same_bytes():
    program = (
        "import hashlib; from webfarer.worlds.catalogue import CatalogueSpec, generate_catalogue as g; "
        "s = g(CatalogueSpec(5, 'zh', 80)); "
        "w = ''.join(f'{p} {q}' for p, q in s.pages.items()) + repr((s.facts, s.ways)); "
        "print(hashlib.sha256(w.encode()).hexdigest())"
    )
    for salt in ("0", "7"):
        env = {**os.environ, "PYTHONHASHSEED": salt}
        there = subprocess.check_output([sys.executable, "-c", program], text=True, env=env)
        assert there.strip() == digest(generate_catalogue(CatalogueSpec(5, "zh", 80)))


def test_other_seeds_and_sizes_hardly_share_a_name():
    names = [
        {fact.subject for fact in made(spec).facts}
        for spec in (CatalogueSpec(3), CatalogueSpec(4), CatalogueSpec(3, size=101))
    ]
    assert len(names[0] & names[1]) + len(names[0] & names[2]) < 4


@few
@given(SPECS)
def test_a_fact_is_stated_on_one_page_and_its_subject_and_value_meet_nowhere_else(spec):
    site = generate_catalogue(spec)
    told = texts(site)
    assert len({(fact.subject, fact.relation) for fact in site.facts}) == len(site.facts)
    for fact in site.facts:
        assert [path for path, text in told.items() if fact.subject in text and fact.value in text] == [fact.page]


@few
@given(SPECS)
def test_size_is_exact_every_page_is_reached_and_the_deepest_lie_four_clicks_down(spec):
    site = generate_catalogue(spec)
    assert len(site.pages) == spec.size
    assert site.ways.keys() == site.pages.keys()
    assert set(map(len, site.ways.values())) == {0, 1, 2, 3, 4}
    assert {len(site.ways[fact.page]) for fact in site.facts} == {2, 3, 4}
    for page in site.pages.values():
        for node in LexborHTMLParser(page.html.decode()).css("a[href]"):
            target = node.attributes["href"]
            assert target in site.pages or target == "https://www.example.org/"


@BOTH
def test_tables_hold_what_stands_nowhere_else(spec):
    site = made(spec)
    tables = {page for page in site.pages if "/table-" in page}
    rows = Counter(fact.page for fact in site.facts if fact.page in tables)
    assert set(rows) == tables
    assert all(4 <= count / 2 <= 12 for count in rows.values())
    relations = {fact.relation for fact in site.facts if fact.page in tables}
    assert not relations & {fact.relation for fact in site.facts if fact.page not in tables}


@BOTH
def test_chains_are_long_sets_have_several_members_and_values_of_ones_own_are_unique(spec):
    site = made(spec)
    said = {(fact.subject, fact.relation): fact.value for fact in site.facts}
    for start in [fact for fact in site.facts if fact.relation == "comet.survey"]:
        chain = [start.subject]
        for step in ("comet.survey", "survey.instrument", "instrument.home", "observatory.operator"):
            chain.append(said[chain[-1], step])
        director = said[chain[-1], "institute.director"]
        assert (director, "astronomer.born") in said
        assert len({*chain, director}) == 6
    most = {
        key: max(Counter(fact.value for fact in site.facts if fact.relation == key).values()) for key in site.relations
    }
    assert all(most[key] == 1 for key, relation in site.relations.items() if not relation.those)
    assert all(most[key] > 2 for key in ("instrument.home", "instrument.mount", "comet.survey", "comet.tail"))


@BOTH
def test_values_that_name_an_entity_are_linked_as_a_rule(spec):
    site = made(spec)
    naming = [fact for fact in site.facts if site.relations[fact.relation].to]
    subjects = {fact.subject for fact in site.facts}
    assert {fact.value for fact in naming} <= subjects
    linked = sum(f'.html">{fact.value}</a>' in site.pages[fact.page].html.decode() for fact in naming)
    assert 0.5 < linked / len(naming) < 1


@BOTH
def test_every_relation_is_put_into_words(spec):
    for relation in made(spec).relations.values():
        for wording in (relation.ask, relation.of, relation.whose, relation.those or "{x}"):
            assert wording.count("{x}") == 1
            assert wording == wording.strip()
