"""What every domain file must bring, in both languages; a new file in the folder is checked without being named."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from webfarer.core.text import is_chinese, words
from webfarer.worlds.schema import Domain, Kind
from webfarer.worlds.world import DOMAINS, World, WorldSpec, generate

pytestmark = [
    pytest.mark.parametrize("language", ["en", "zh"]),
    pytest.mark.parametrize("domain_id", DOMAINS.ids()),
]
SEEDS = range(4)


@cache
def worlds(domain_id: str, language: Any, paraphrase: float = 0.0) -> list[World]:
    return [generate(WorldSpec(domain_id, seed, language, paraphrase=paraphrase)) for seed in SEEDS]


def kinds(domain: Domain) -> Iterator[Kind]:
    queue = [section.kind for section in domain.sections]
    while queue:
        kind = queue.pop()
        yield kind
        queue += kind.children


def content(text: str) -> set[str]:
    """The words of a clause without the names it is about."""
    for slot in ("{e}", "{p}", "{site}", "{year}", "{}"):
        text = text.replace(slot, " . ")
    return set(words(text))


def test_aliases_and_other_clauses_share_no_word_with_the_original(domain_id: str, language: Any) -> None:
    for kind in kinds(DOMAINS.load(domain_id)):
        for name in kind.names:
            assert not content(name.text.of(language)) & content(name.alias.of(language)), name
        for attribute in kind.attributes:
            assert not content(attribute.ask.of(language)) & content(attribute.other.of(language)), attribute.name
            assert "{e}" in attribute.ask.of(language)
            assert "{e}" in attribute.other.of(language)


def test_names_and_slugs_are_distinct(domain_id: str, language: Any) -> None:
    every = list(kinds(DOMAINS.load(domain_id)))
    assert len({kind.slug for kind in every}) == len(every)
    for kind in every:
        for side in ("text", "alias"):
            said = [getattr(name, side).of(language) for name in kind.names]
            assert len(set(said)) == len(said), kind.slug


def test_filler_holds_no_digit_and_is_in_the_right_language(domain_id: str, language: Any) -> None:
    domain = DOMAINS.load(domain_id)
    assert len(domain.filler) >= 20
    for text in (*domain.filler, *domain.news):
        said = text.of(language)
        assert not any(character.isdigit() for character in said)
        assert is_chinese(said.replace("{e}", "")) == (language == "zh")


def test_every_cell_is_asked_twice(domain_id: str, language: Any) -> None:
    for world in worlds(domain_id, language):
        cells = [(question.kind, question.difficulty) for question in world.questions]
        assert len(set(cells)) == 6
        assert all(cells.count(cell) == 2 for cell in cells)


def test_questions_echo_the_labels_on_the_way(domain_id: str, language: Any) -> None:
    echoed = []
    for world in worlds(domain_id, language):
        for question in world.questions:
            asked = set(words(question.text))
            echoed.append(all(asked & set(words(label)) for path in question.paths for label in path))
    assert sum(echoed) / len(echoed) >= 0.97


def test_paraphrased_labels_echo_neither_wording_of_the_question(domain_id: str, language: Any) -> None:
    pairs = [
        (before, after)
        for plain, other in zip(worlds(domain_id, language), worlds(domain_id, language, 1.0), strict=True)
        for before, after in zip(plain.questions, other.questions, strict=True)
    ]
    shared = []
    for before, after in pairs:
        asked = set(words(before.text)) | set(words(after.text))
        overlap = [asked & set(words(label)) for path in after.paths for label in path]
        if after.kind == "single_source":
            assert not any(overlap), (after.text, after.paths)
        shared += [bool(words_) for words_ in overlap]
    # the two halves of a double question were worded apart and may echo each other's labels by accident
    assert sum(shared) / len(shared) <= 0.02


def test_questions_do_not_copy_the_sentence(domain_id: str, language: Any) -> None:
    for world in worlds(domain_id, language):
        for question in world.questions:
            for gold, answer in zip(question.gold, question.answers, strict=True):
                text = HTMLParser(world.pages[gold].html).text()
                sentence = next(line for line in text.splitlines() if answer in line)
                assert question.text.rstrip("?？").lower() not in sentence.lower()


def test_pages_have_the_length_and_the_frame_of_real_ones(domain_id: str, language: Any) -> None:
    for world in worlds(domain_id, language)[:2]:
        for path, page in world.pages.items():
            if page.redirect:
                continue
            tree = HTMLParser(page.html)
            main = tree.css_first("main")
            assert main is not None
            size = len(main.text()) / 2 if language == "zh" else len(main.text().split())
            assert 60 <= size <= 400, path
            assert tree.css_first("h1") is not None
            assert tree.css_first("footer a[href='https://www.example.org/']") is not None
            assert len(tree.css(".navbar a")) >= 5
            assert path == "/" or tree.css_first(".breadcrumb") is not None


def test_sites_decay_as_real_ones_do(domain_id: str, language: Any) -> None:
    for world in worlds(domain_id, language):
        targets = {
            node.attributes.get("href") or ""
            for page in world.pages.values()
            for node in HTMLParser(page.html).css("a[href^='/']")
        }
        assert targets - set(world.pages), "dead links"
        moved = [page.redirect for page in world.pages.values() if page.redirect]
        assert moved
        assert set(moved) <= set(world.pages)
        assert [page.delay for page in world.pages.values() if page.delay] == [0.1]


def test_last_years_edition_has_the_same_attributes_with_other_values(domain_id: str, language: Any) -> None:
    for world in worlds(domain_id, language):
        old = [fact for fact in world.facts if fact.page.startswith("/archive/")]
        current = {fact.attribute for fact in world.facts} - {None}
        assert len(old) >= 4
        assert {fact.attribute for fact in old} <= current
        assert not {fact.page for fact in old} & {path for question in world.questions for path in question.gold}
