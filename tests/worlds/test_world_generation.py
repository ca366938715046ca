"""What holds for every world: same bytes, known truth, depths that can be walked, names for what is asked."""

import hashlib
import os
import subprocess
import sys
from collections import deque
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from webfarer.core.errors import ConfigError, UnknownPlugin
from webfarer.worlds.world import DOMAINS, World, WorldSpec, generate

SPECS = st.builds(
    WorldSpec,
    domain=st.sampled_from(DOMAINS.ids()),
    seed=st.integers(0, 10_000),
    language=st.sampled_from(["en", "zh"]),
    size=st.sampled_from([24, 60, 110]),
    depth=st.integers(2, 4),
    paraphrase=st.sampled_from([0.0, 0.5, 1.0]),
)
CELLS = {
    ("single_source", "easy"): {2},
    ("single_source", "medium"): {3},
    ("single_source", "hard"): {4},
    ("multi_source", "easy"): {4},
    ("multi_source", "medium"): {5, 6},
    ("multi_source", "hard"): {7, 8},
}


@cache
def world(domain: str, language: Any = "en", seed: int = 3, **options: Any) -> World:
    return generate(WorldSpec(domain, seed, language, **options))


def links(html: bytes) -> list[tuple[str, str]]:
    """Read links off the page as a browser user would find them, independently of the generator's own record."""
    found = []
    for node in HTMLParser(html).css("a[href], button[onclick], [data-url]"):
        script = node.attributes.get("onclick") or ""
        target = node.attributes.get("href") or node.attributes.get("data-url") or script.split("'")[1]
        found.append((node.text().strip(), target or ""))
    return found


def depths(made: World) -> dict[str, int]:
    """Breadth-first search over every link of every page."""
    seen, queue = {"/": 0}, deque(["/"])
    while queue:
        path = queue.popleft()
        for _, target in links(made.pages[path].html):
            while target in made.pages and made.pages[target].redirect:
                target = made.pages[target].redirect
            if target in made.pages and target not in seen:
                seen[target] = seen[path] + 1
                queue.append(target)
    return seen


@pytest.mark.slow
@settings(max_examples=12)
@given(SPECS)
def test_depths_and_paths_hold_on_the_served_links(spec: WorldSpec) -> None:
    made = generate(spec)
    depth = depths(made)
    assert {path for path, page in made.pages.items() if not page.redirect} == set(depth), "every page can be reached"
    for question in made.questions:
        assert question.depths == tuple(depth[path] for path in question.gold)
        assert sum(question.depths) in CELLS[question.kind, question.difficulty]
        assert len(question.gold) == len(set(question.gold)) == (1 if question.kind == "single_source" else 2)
        for gold, labels in zip(question.gold, question.paths, strict=True):
            reached = {"/"}
            for label in labels:
                reached = {to for path in reached for text, to in links(made.pages[path].html) if text == label}
            assert gold in reached


@pytest.mark.slow
@settings(max_examples=12)
@given(SPECS)
def test_a_fact_stands_on_its_own_page_only(spec: WorldSpec) -> None:
    made = generate(spec)
    texts = {path: HTMLParser(page.html).text().lower() for path, page in made.pages.items() if page.html}
    for fact in made.facts:
        assert [path for path, text in texts.items() if fact.value.lower() in text] == [fact.page]
        assert texts[fact.page].count(fact.value.lower()) == 1
    truth = {(fact.page, fact.value) for fact in made.facts}
    for question in made.questions:
        assert set(zip(question.gold, question.answers, strict=True)) <= truth
        assert question.answer == "; ".join(question.answers)
        assert all(answer.lower() not in question.text.lower() for answer in question.answers)


@settings(max_examples=6)
@given(SPECS)
def test_same_specification_same_bytes(spec: WorldSpec) -> None:
    assert repr(generate(spec)) == repr(generate(spec))


def test_same_bytes_in_another_process_whatever_its_hash_seed() -> None:
    code = (
        "import hashlib; from webfarer.worlds.world import WorldSpec, generate\n"
        "w = generate(WorldSpec('game', 3, 'zh'))\n"
        "print(hashlib.sha256(repr((w.pages, w.questions, w.facts)).encode()).hexdigest())"
    )
    made = world("game", "zh")
    expected = hashlib.sha256(repr((made.pages, made.questions, made.facts)).encode()).hexdigest()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True).strip() == expected


def test_another_seed_is_another_site() -> None:
    one, other = world("conference", seed=1), world("conference", seed=2)
    assert {fact.value for fact in one.facts} != {fact.value for fact in other.facts}
    assert [question.text for question in one.questions] != [question.text for question in other.questions]


@pytest.mark.parametrize("size", [30, 60, 300])
def test_size_is_met(size: int) -> None:
    assert abs(len(world("education", size=size).pages) - size) <= 3


def test_depth_bounds_the_questions() -> None:
    shallow = world("conference", depth=2)
    assert {(q.kind, q.difficulty) for q in shallow.questions} == {("single_source", "easy"), ("multi_source", "easy")}


def test_larger_worlds_ask_more_and_never_the_same_twice() -> None:
    large = world("conference", size=300)
    assert len(large.questions) == 60
    assert len({question.text for question in large.questions}) == 60
    assert len({question.id for question in large.questions}) == 60


def test_paraphrase_changes_wording_only() -> None:
    plain, other = world("game", seed=5), world("game", seed=5, paraphrase=1.0)
    assert plain.facts == other.facts
    assert list(plain.pages) == list(other.pages)
    for before, after in zip(plain.questions, other.questions, strict=True):
        assert (before.id, before.answers, before.gold, before.depths) == (
            after.id,
            after.answers,
            after.gold,
            after.depths,
        )
        assert before.text != after.text
        assert before.paths != after.paths


def test_paraphrase_grows_with_its_probability() -> None:
    def changed(p: float) -> set[str]:
        plain, other = world("education", seed=1, size=200), world("education", seed=1, size=200, paraphrase=p)
        return {a.id for a, b in zip(plain.questions, other.questions, strict=True) if a.text != b.text}

    some = changed(0.5)
    assert changed(0.2) <= some <= changed(1.0), "a higher probability keeps the rewordings of a lower one"
    assert 0.25 < len(some) / len(changed(1.0)) < 0.75


@pytest.mark.parametrize("bad", [{"size": 5}, {"depth": 1}, {"depth": 5}, {"paraphrase": 1.5}, {"language": "fr"}])
def test_impossible_specifications_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        generate(WorldSpec("conference", **bad))


def test_unknown_domain_names_the_known_ones() -> None:
    with pytest.raises(UnknownPlugin, match="conference"):
        generate(WorldSpec("cooking"))
