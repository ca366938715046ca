"""Generated websites and webs as tasks: their addresses, their pages, and the engine that finds them."""

import json
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.agents.runs import Options, walk
from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError, FetchError
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.evals.scoring import normalise
from webfarer.evals.task import TASKS, Source
from webfarer.evals.tasks._local import Shelf, serve_shelves
from webfarer.evals.tasks.world import host_of, spec_of
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.search import Search
from webfarer.worlds.types import PageSpec, WorldSpec
from webfarer.worlds.world import DOMAINS, generate

specs = st.builds(
    WorldSpec,
    domain=st.sampled_from(DOMAINS.ids()),
    seed=st.integers(0, 10**6),
    language=st.sampled_from(("en", "zh")),
    size=st.integers(20, 900),
    paraphrase=st.sampled_from((0.0, 0.25, 0.5, 1.0)),
)


@given(specs)
def test_a_host_says_how_its_site_is_made(spec):
    assert spec_of(host_of(spec)) == spec


@pytest.mark.parametrize("host", ["example.com", "education3en60.test", "education3fr60p0.test", "3en60p0.test"])
def test_any_other_host_is_refused(host):
    with pytest.raises(ConfigError):
        spec_of(host)


async def opened(venue, urls):
    """Open pages in the venue; return their URLs as written, and their texts."""
    settings = load_settings(model="", **venue)
    with Archive() as archive:
        async with Web(settings, archive) as web:
            pages = [await web.open(Run("r", Trace.create()), url) for url in urls]
            return [(page.url, page.markdown) for page in pages]


async def found(venue, text, sites=()):
    settings = load_settings(model="", **venue)
    async with Search(settings) as search:
        hits = await search.find(Run("r", Trace.create()), text, sites=list(sites))
    return [hit.url for hit in hits]


async def test_the_answer_stands_on_the_gold_pages_and_cells_take_turns():
    task = TASKS.load("world")
    items = await task.items(Source(seed=3, size=12))
    assert {(item.cells["language"], item.cells["domain"]) for item in items} == {
        ("en", "conference"),
        ("zh", "conference"),
    }
    assert len({(item.cells["type"], item.cells["difficulty"]) for item in items[:6]}) == 6
    async with task.venue(items, load_settings()) as venue:
        for item in items[::3]:
            pages = await opened(venue, item.gold)
            assert [url for url, _ in pages] == list(item.gold)
            for part, (_, text) in zip(item.parts, pages, strict=True):
                assert normalise(part) in normalise(text)


async def test_what_a_page_says_does_not_depend_on_where_it_is_served():
    spec = WorldSpec("game", 5, "en")
    world = generate(spec)
    items = await TASKS.load("world").items(Source(seed=0, size=1))
    shown = items[0].model_copy(update={"root": f"http://{host_of(spec)}/"})
    async with TASKS.load("world").venue([shown], load_settings()) as venue:
        settings = load_settings(model="", **venue)
        with Archive() as archive:
            async with Web(settings, archive) as web:
                for path in list(world.pages)[:40:4]:
                    page = await web.open(Run("r", Trace.create()), f"{shown.root}{path[1:]}")
                    body = archive.record(page.id).body
                    assert body == world.pages[path].html
                    assert all(link.url.startswith(shown.root) or "example.org" in link.url for link in page.links)


async def test_a_redirect_stays_on_its_site():
    shelves = {
        "a.test": lambda: Shelf({"/old": PageSpec(redirect="/new"), "/new": PageSpec(b"<p>Hello there</p>")}, ())
    }
    async with serve_shelves(shelves) as venue:
        ((url, text),) = await opened(venue, ["http://a.test/old"])
        assert url == "http://a.test/new"
        assert "Hello there" in text
        with pytest.raises(FetchError):
            await opened(venue, ["http://a.test/missing"])


async def test_few_sites_are_in_memory_and_each_is_made_when_it_is_asked_for():
    made = []

    def shelf(name):
        made.append(name)
        return Shelf({"/": PageSpec(f"<p>This is the page of {name}.</p>".encode())}, ["/"])

    shelves = {f"s{number}.test": (lambda number=number: shelf(number)) for number in range(40)}
    async with serve_shelves(shelves) as venue:
        assert made == []
        await opened(venue, ["http://s7.test/", "http://s7.test/"])
        assert made == [7]
        await opened(venue, [f"http://s{number}.test/" for number in range(40)])
        await opened(venue, ["http://s7.test/"])
        assert made.count(7) == 2


def pages_about(name: str) -> dict[str, PageSpec]:
    texts = [f"The lighthouse of {name} is {number} metres high and was painted white." for number in (31, 47)]
    return {f"/{at}.html": PageSpec(f"<main><p>{text}</p></main>".encode()) for at, text in enumerate(texts)}


async def test_a_search_keeps_to_a_site_and_does_not_depend_on_the_others():
    shelves = {f"{name}.test": (lambda name=name: Shelf(pages_about(name), pages_about(name))) for name in "abc"}
    query = "lighthouse 47 metres"
    async with serve_shelves(shelves) as venue:
        kept = await found(venue, query, ["http://b.test/"])
        assert kept[0] == "http://b.test/1.html"
        assert {urlsplit(url).netloc for url in kept} == {"b.test"}
        assert {urlsplit(url).netloc for url in await found(venue, query)} == {"a.test", "b.test", "c.test"}
        assert {urlsplit(url).netloc for url in await found(venue, query, ["http://a.test/", "http://c.test/"])} == {
            "a.test",
            "c.test",
        }
    async with serve_shelves({"b.test": shelves["b.test"]}) as venue:
        assert await found(venue, query, ["http://b.test/"]) == kept


async def test_the_lexical_walker_finds_what_is_planted():
    task = TASKS.load("world")
    items = await task.items(Source(seed=3, size=2))
    async with task.venue(items, load_settings()) as venue:
        settings = load_settings(model="", budget=Budget(steps=15), **venue)
        with Archive() as archive:
            async with Web(settings, archive) as web:
                options = Options(settings=settings, web=web, record=False)
                answer = await walk(items[0].root, items[0].question, options=options)
    assert normalise(items[0].answer) in normalise(answer.text)


@pytest.mark.slow
async def test_a_web_of_sites_is_one_place_and_its_chains_can_be_read():
    task = TASKS.load("web")
    items = await task.items(Source(seed=3, size=12))
    assert [item.cells["type"] for item in items[::4]] == ["1_hop", "2_hops", "3_hops"]
    last = items[-1]
    assert last.answer not in last.data["wrong"]
    async with task.venue(items, load_settings()) as venue:
        ((_, portal), *chain) = await opened(venue, [last.root, *last.gold])
        assert normalise(last.answer) in normalise(chain[-1][1])
        assert [url for url, _ in chain] == list(last.gold)
        hosts = {url.removeprefix(last.root).partition("/")[0] for url in last.gold}
        assert len(hosts) == 3
        assert not any(host in portal for host in hosts)  # links are not text
        assert all(url.startswith(last.root) for url in await found(venue, last.question, last.sites))
    assert json.dumps(last.model_dump(mode="json"))
