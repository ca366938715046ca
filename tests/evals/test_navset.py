"""Navigation tasks from a small site."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from site_kit import COMMON, DEEP, write_site

from webfarer.core.types import Page, Span
from webfarer.evals.navset import crawl, make_tasks, sentences
from webfarer.evals.trials import lab_web
from webfarer.worlds.server import serve_folder


@pytest.fixture
async def levels(tmp_path: Path):
    write_site(tmp_path)
    async with serve_folder(tmp_path) as site, lab_web("record") as web:
        return await crawl(web, f"{site.url}index.html")


async def test_pages_are_ordered_by_their_distance(levels):
    names = {depth: sorted(page.url.rpartition("/")[2] for page in pages) for depth, pages in levels.items()}
    assert names == {0: ["index.html"], 1: ["one.html", "two.html"], 2: ["fox.html", "owl.html"], 3: ["bat.html"]}


async def test_tasks_lead_to_deep_pages_by_sentences_of_their_own(levels):
    tasks = make_tasks(levels, 50, seed=1)
    assert {task.sentence for task in tasks} == {text for texts in DEEP.values() for text in texts}
    assert COMMON not in {task.sentence for task in tasks}
    for task in tasks:
        assert task.sentence in DEEP[task.target.rpartition("/")[2].removesuffix(".html")]
        assert task.depth == (3 if "bat" in task.target else 2)


async def test_pages_take_turns_and_the_seed_decides(levels):
    three = make_tasks(levels, 3, seed=1)
    assert len({task.target for task in three}) == 3
    assert three == make_tasks(levels, 3, seed=1)
    assert any(make_tasks(levels, 3, seed=seed) != three for seed in range(2, 9))


def as_page(markdown: str) -> Page:
    return Page("p", "http://a.test/", "t", markdown, spans=(("main", Span(0, len(markdown))),))


def test_only_prose_gives_sentences():
    text = (
        "# This heading is long enough to look like a sentence of prose.\n"
        "| This table row is long enough | to look like a sentence too. |\n"
        "```\nThis code is long enough to look like a sentence of prose.\n```\n"
        "- **This item** is a sentence of `prose` with marks in it.\n"
        "Too short. Another sentence of prose which is quite long enough to be taken, really!\n"
        "no capital begins this line, so nobody knows whether it is a whole sentence of prose.\n"
        "灯塔建于一八六一年，由两兄弟主持建造，至今仍在使用。太短了。"
    )
    assert list(sentences(as_page(text))) == [
        "This item is a sentence of prose with marks in it.",
        "Another sentence of prose which is quite long enough to be taken, really!",
        "灯塔建于一八六一年，由两兄弟主持建造，至今仍在使用。",
    ]


@given(st.text(alphabet="Ab .!?。灯塔\n`*|#-", max_size=300))
def test_sentences_are_single_lines_of_bounded_length(text):
    for sentence in sentences(as_page(text)):
        assert "\n" not in sentence
        assert sentence == sentence.strip()
        assert len(sentence.split()) <= 40
