"""A ground made of a website: a small one in files, and real documentation."""

from dataclasses import replace
from pathlib import Path

import pytest

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.core.types import Link, Page
from webfarer.data.ground import GROUNDS, Ground, Place
from webfarer.data.grounds.site import licence_of, ways_from
from webfarer.evals.benches.nav import _FIRST_PAGES
from webfarer.evals.trials import lab_settings
from webfarer.worlds.server import serve_folder

SITES = Path(__file__).parents[2] / ".cache/sites"
FOOTER = "<footer>This page is licensed under the Lamp License Version 2.</footer>"
PAGES = {
    "index": ('<a href="one.html">First</a> <a href="two.html">Second</a> <a href="gone.html">Gone</a>', "Index"),
    "one": ('The lamp of the harbour burns for 90 days. See the <a href="deep.html">keeper</a>.', "Harbour"),
    "two": ('<a href="deep.html">Keepers</a> <a href="index.html">Back</a>', "Second"),
    "deep": ("The keeper was sent to the island on 2011-05-03 by his family.", "Keeper"),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return lab_settings("record").model_copy(update={"home": tmp_path / "home"})


@pytest.fixture
async def root(tmp_path: Path):
    for name, (body, title) in PAGES.items():
        html = f"<!doctype html><html lang=en><title>{title}</title><main><h1>{title}</h1><p>{body}</p></main>{FOOTER}"
        (tmp_path / f"{name}.html").write_text(html)
    async with serve_folder(tmp_path) as site:
        yield f"{site.url}index.html"


async def at(place: Place) -> Ground:
    return await GROUNDS.load("site").at(place)


async def test_a_site_becomes_a_ground(root: str, settings: Settings):
    ground = await at(Place(settings, root=root))
    assert (ground.root, ground.language, ground.licence) == (root, "en", "Lamp License Version 2")
    assert {url.rpartition("/")[2]: way for url, way in ground.ways.items()} == {
        "index.html": (),
        "one.html": ("First",),
        "two.html": ("Second",),
        "deep.html": ("First", "keeper"),
    }
    assert list(ground.pages) == list(ground.ways)
    assert {each.value for each in ground.statements} == {"90 days", "2011-05-03"}
    for each in ground.statements:
        page = ground.pages[each.evidence.url]
        assert page.markdown[each.evidence.start :].startswith(each.evidence.text)
        assert each.evidence.sha256 == page.id
        assert len(page.id) == 64
        assert ground.shown[each.subject] == f"the page “{each.subject}”"
    assert await at(Place(settings, root=root)) == ground


async def test_no_more_pages_are_read_than_wanted(root: str, settings: Settings):
    assert len((await at(Place(settings, root=root, pages=2))).pages) == 2


async def test_a_place_that_cannot_be_used_says_why(root: str, settings: Settings):
    for address, why in (("", "--root"), ("ftp://a.test", "no address"), (f"{root}.gone", "cannot be read")):
        with pytest.raises(ConfigError, match=why):
            await at(Place(settings, root=address))


def test_ways_are_the_first_shortest_ones():
    def page(name: str, *targets: str) -> Page:
        links = tuple(Link(n, target, f"{name}>{target}") for n, target in enumerate(targets, 1))
        return Page("", name, name, "", links)

    pages = {
        each.url: each
        for each in (page("a", "b", "c"), page("b", "d"), page("c", "b", "d", "x"), page("d"), page("e", "a"))
    }
    assert ways_from("a", pages) == {"a": (), "b": ("a>b",), "c": ("a>c",), "d": ("a>b", "b>d")}


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("Text.\nThis page is licensed under the PSF License Version 2.\nMore.", "PSF License Version 2"),
        ("The documentation of this site is licensed under CC BY-SA 4.0. Thanks.", "CC BY-SA 4.0"),
        ("本站内容采用 CC BY 4.0 许可协议。", "CC BY 4.0 许可协议"),
        ("How to find out what a package is licensed under", ""),
    ],
)
def test_licences_are_taken_from_plain_words(text: str, licence: str):
    assert licence_of([replace(Page("", "u", "t", text))]) == licence


@pytest.mark.slow
@pytest.mark.sites
@pytest.mark.parametrize(("name", "pages", "least", "kinds"), [("git-doc", 120, 500, 4), ("sqlite3-doc", 120, 200, 7)])
async def test_real_documentation_is_above_its_floors(
    name: str, pages: int, least: int, kinds: int, settings: Settings
):
    first = SITES / name / _FIRST_PAGES[name]
    async with serve_folder(first.parent, root=SITES / name) as site:
        ground = await at(Place(settings, root=f"{site.url}{first.name}", pages=pages))
    assert len(ground.statements) >= least
    assert len({each.relation.partition(":")[0] for each in ground.statements}) >= kinds
    assert all(each.value in each.evidence.text for each in ground.statements)
    assert len({each.evidence.url for each in ground.statements}) >= len(ground.pages) / 4


@pytest.mark.parametrize(("language", "text"), [("de", "Die Lampe brennt noch. "), ("fr", "La lampe brille encore. ")])
async def test_a_site_in_another_language_is_refused(language: str, text: str, settings: Settings, tmp_path: Path):
    (tmp_path / "index.html").write_text(
        f"<!doctype html><html lang={language}><title>L</title><main><p>{text * 20}</p>"
    )
    async with serve_folder(tmp_path) as site:
        with pytest.raises(ConfigError, match=f"in '{language}'; questions can be made of English and Chinese"):
            await at(Place(settings, root=f"{site.url}index.html"))
