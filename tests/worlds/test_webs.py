"""What holds for every generated web: same bytes, known truth, wrong distractors, chains that can be followed."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, deque
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from webfarer.core.errors import ConfigError
from webfarer.evals.scoring import normalise
from webfarer.web.extract import read_page
from webfarer.worlds.types import PageSpec
from webfarer.worlds.web import accepted, generate_web
from webfarer.worlds.webs_types import PlantedFact, WebSite, WorldWeb
from webfarer.worlds.webs_vocab import FAQ

LANGUAGES = ["en", "zh"]


@cache
def made(seed: int = 3, language: Any = "en", sites: int = 8) -> WorldWeb:
    return generate_web(seed, language=language, sites=sites)


def texts(web: WorldWeb) -> dict[str, str]:
    """Every page as an agent reads it, its words only."""
    return {url: normalise(read_page(html, url=url).markdown) for url, _, html in web.pages()}


def page_of(web: WorldWeb, fact: PlantedFact) -> LexborHTMLParser:
    return LexborHTMLParser(next(html for url, _, html in web.pages() if url == fact.url))


def clicks(site: WebSite) -> dict[str, int]:
    """Breadth-first search over every link of every page, independently of the generator's own record."""
    seen, queue = {"/": 0}, deque(["/"])
    while queue:
        path = queue.popleft()
        for node in LexborHTMLParser(site.pages[path].html).css("a[href], button[onclick], [data-url]"):
            script = node.attributes.get("onclick") or "''"
            target = node.attributes.get("href") or node.attributes.get("data-url") or script.split("'")[1]
            target = site.pages.get(target, PageSpec()).redirect or target
            if target in site.pages and target not in seen:
                seen[target] = seen[path] + 1
                queue.append(target)
    return seen


def digest(web: WorldWeb) -> str:
    return hashlib.sha256(repr(web).encode()).hexdigest()


@pytest.mark.parametrize(
    ("seed", "language", "sites"), [(1, "en", 8), pytest.param(2, "zh", 8, marks=pytest.mark.slow)]
)
def test_every_fact_stands_on_its_page_and_no_value_elsewhere(seed: int, language: Any, sites: int) -> None:
    check_truth(generate_web(seed, language=language, sites=sites))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(LANGUAGES), st.integers(8, 16))
def test_truth_holds_for_any_seed(seed: int, language: Any, sites: int) -> None:
    web = generate_web(seed, language=language, sites=sites)
    check_truth(web)
    assert len({site.host for site in web.sites}) == len({site.name for site in web.sites}) == sites


def check_truth(web: WorldWeb) -> None:
    said = texts(web)
    for fact in web.facts:
        assert normalise(fact.statement) in said[fact.url]
        assert normalise(fact.attribute) in normalise(fact.statement)
        assert normalise(fact.value) in normalise(fact.statement)
        if not fact.target:
            assert [url for url, text in said.items() if normalise(fact.value) in text] == [fact.url]


@pytest.mark.parametrize("language", LANGUAGES)
def test_chains_lead_from_site_to_site_and_end_in_the_answer(language: Any) -> None:
    web = made(language=language)
    hosts = {site.host: site for site in web.sites}
    assert Counter(question.hops for question in web.questions) == {1: 4, 2: 4, 3: 4}
    for question in web.questions:
        assert len(set(question.gold)) == len({url.split("/")[2] for url in question.gold}) == question.hops
        for fact, following in pairwise(question.chain):
            assert fact.value == hosts[fact.target].name
            assert following.url.startswith(hosts[fact.target].url)
            assert fact.value not in question.text, "further subjects are only described"
        assert all(fact.current and fact in web.facts for fact in question.chain)
        assert question.answers == accepted(question.chain[-1].value)
        said = normalise(question.text)
        assert all(normalise(value) not in said for value in (*question.answers, *question.wrong))
    assert len({question.text for question in web.questions}) == len({q.id for q in web.questions}) == 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_question_names_its_first_subject_and_one_page_only_is_about_it(language: Any) -> None:
    web = made(language=language)
    for question in web.questions:
        first = question.chain[0]
        item = first.subject.removeprefix("the ")
        site = next(site for site in web.sites if first.url.startswith(site.url))
        assert item in question.text
        assert site.name in question.text
        about = {fact.url for fact in web.facts if fact.subject == first.subject and fact.current}
        assert about == {first.url}


@pytest.mark.parametrize("language", LANGUAGES)
def test_distractors_contradict_the_truth(language: Any) -> None:
    web = made(language=language)
    for question in web.questions:
        last = question.chain[-1]
        others = [fact for fact in web.facts if fact.attribute == last.attribute and fact != last]
        assert others
        assert {fact.value for fact in others} == set(question.wrong)
        assert not {normalise(value) for value in question.answers} & {normalise(value) for value in question.wrong}


@pytest.mark.parametrize("language", LANGUAGES)
def test_outdated_pages_are_older_by_their_own_account_and_say_otherwise(language: Any) -> None:
    web = made(language=language)
    current = {(f.url.split("/")[2], f.subject, f.attribute): f for f in web.facts if f.current}
    outdated = [fact for fact in web.facts if not fact.current]
    assert {fact.url.split("/")[2] for fact in outdated} == {site.host for site in web.sites}
    for fact in outdated:
        now = current[fact.url.split("/")[2], fact.subject, fact.attribute]
        assert fact.value != now.value
        assert fact.date < now.date
    for fact in web.facts:
        tree = page_of(web, fact)
        dates = [tree.css_first("meta[property='article:modified_time']"), tree.css_first("time")]
        assert [dates[0].attributes["content"], dates[1].attributes["datetime"]] == [fact.date, fact.date]


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_site_has_a_page_of_the_questions_own_words_without_any_answer(language: Any) -> None:
    web = made(language=language)
    said = texts(web)
    values = [normalise(fact.value) for fact in web.facts if not fact.target]
    for site in web.sites:
        title = normalise(FAQ.of(language)).strip()
        pages = [text for url, text in said.items() if url.startswith(site.url) and text.count(title) > 1]
        assert pages
        assert not any(value in text for text in pages for value in values)


def test_namesakes_stand_beside_every_item() -> None:
    web = made()
    homes = {site.name for site in web.sites}
    subjects = {fact.subject.removeprefix("the ") for fact in web.facts if fact.current} - homes
    assert set(Counter(subject.split()[0] for subject in subjects).values()) == {2}
    assert len(subjects) == 4 * len(web.sites)


@pytest.mark.parametrize("language", LANGUAGES)
def test_depths_are_the_clicks_it_takes(language: Any) -> None:
    web = made(language=language)
    for site in web.sites:
        assert clicks(site) == dict(site.depths)
        assert 40 <= len(site.pages) <= 66
    planted = Counter(fact.depth for fact in web.facts if fact.current)
    assert set(planted) == {2, 3, 4}


def test_some_chains_are_linked_and_some_are_not() -> None:
    web = made(sites=16)
    named = [fact for fact in web.facts if fact.target]
    for fact in named:
        hrefs = {node.attributes["href"] for node in page_of(web, fact).css("a[href]")}
        assert (f"http://{fact.target}/" in hrefs) is fact.linked
    assert 0.3 < sum(fact.linked for fact in named) / len(named) < 0.7


def test_the_portal_links_to_every_site() -> None:
    web = made()
    links = {node.attributes["href"] for node in LexborHTMLParser(web.portal).css("a")}
    assert links == {site.url for site in web.sites}


def test_same_bytes_in_another_process_whatever_its_hash_seed() -> None:
    code = (
        "import hashlib; from webfarer.worlds.web import generate_web\n"
        "print(hashlib.sha256(repr(generate_web(3, language='zh')).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    other = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).strip()
    assert other == digest(made(language="zh")) == digest(generate_web(3, language="zh"))


def test_another_seed_is_another_web() -> None:
    one, other = made(1), made(2)
    assert {question.text for question in one.questions}.isdisjoint(question.text for question in other.questions)


@pytest.mark.parametrize(
    ("value", "forms"),
    [
        ("3 April 1890", ("3 April 1890", "April 3, 1890", "1890-04-03")),
        ("1845年8月6日", ("1845年8月6日", "1845-08-06")),
        ("REC-64185", ("REC-64185",)),
    ],
)
def test_accepted_forms(value: str, forms: tuple[str, ...]) -> None:
    assert accepted(value) == forms


@pytest.mark.parametrize("bad", [{"sites": 7}, {"sites": 17}, {"pages_per_site": (20, 30)}, {"language": "fr"}])
def test_impossible_webs_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        generate_web(1, **bad)
