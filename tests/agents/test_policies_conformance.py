"""What every policy must keep: legal moves, quotes that are on the page, an answer whatever happens, no chance."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webfarer.agents.decisions import POLICIES, Back, Click, Context, Draft, Enough, Move, Policy, Walk, claims_from
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import Link, Page, Span
from webfarer.models.metered import Metered
from webfarer.models.scripted import Scripted

QUESTION = "When was the lighthouse on the island built?"
OUTSIDE = "http://b.test/elsewhere"
TEXTS = [
    "Welcome to the island. Everything about it is said on these pages.",
    "The lighthouse on the island was built in 1861 by two brothers.",
    "| Building | Built |\n| --- | --- |\n| lighthouse | 1861 |\n| harbour | 1790 |",
    "# Harbour\n\n- The harbour holds forty boats.\n- It was built long before the lighthouse.",
    "",
    "灯塔建于1861年。岛上有四十条船。",
]
# one reply that fits every question a model-backed policy may ask
REPLY = json.dumps(
    {
        "thought": "t",
        "action": "click",
        "link": 1,
        "useful": True,
        "notes": [{"statement": "Built in 1861.", "quote": "built in 1861"}],
        "sufficient": False,
        "known": True,
        "answer": "1861",
        "used": [1],
    }
)
IDS = pytest.mark.parametrize("policy_id", POLICIES.ids())


def url(number: int) -> str:
    return f"http://a.test/p{number}.html"


def page(number: int, targets: list[int]) -> Page:
    """Return page `number`; a negative target leads out of the site."""
    links, markdown = [], TEXTS[number % len(TEXTS)]
    for place, target in enumerate(targets, 1):
        label = f"About {target} of the lighthouse"
        markdown += f"\n- {label}"
        links.append(Link(place, OUTSIDE if target < 0 else url(target), label, at=len(markdown) - len(label)))
    spans = (("main", Span(0, len(markdown))),)
    return Page(f"id{number}", url(number), f"Page {number}", markdown, tuple(links), url(number), "en", spans=spans)


def site(graph: list[list[int]]) -> dict[str, Page]:
    return {url(number): page(number, targets) for number, targets in enumerate(graph)}


SITE = site([[1, 2, 3, -1], [0, 4], [3, 5, 5], [2], [], [0, 1]])


def build(policy_id: str, seed: int = 0) -> Policy:
    kind = POLICIES.load(policy_id)
    run = Run("run", Trace.create())
    model = Metered(run, Scripted([REPLY] * 300)) if kind.needs_model else None
    policy: Policy = kind(Context(run, model, seed))
    return policy


def begin(root: Page) -> Walk:
    return Walk(
        QUESTION, pages=[root], path=[root], opened={root.url}, scope=lambda target: target.startswith("http://a.test/")
    )


def check_quotes(draft: Draft, pages: list[Page]) -> None:
    by_id = {page.id: page for page in pages}
    for claim in draft.claims:
        quote = claim.quote
        assert by_id[quote.page].markdown[quote.start : quote.start + len(quote.text)] == quote.text
    assert all(source in pages for source in draft.sources)


def check_move(move: Move, walk: Walk) -> None:
    if isinstance(move, Click):
        assert move.page in walk.pages
        assert move.link in move.page.links
        assert move.link.url in {link.url for link in walk.links(move.page)}
    elif isinstance(move, Back):
        assert len(walk.path) > 1
    else:
        assert isinstance(move, Enough)


async def go(policy: Policy, pages: dict[str, Page], steps: int = 14) -> tuple[list[str], Draft]:
    """Walk as the walker does, checking every decision; return the moves and the last answer."""
    walk = begin(pages[url(0)])
    moves: list[str] = []
    while True:
        if not moves or moves[-1].startswith("new"):
            notes = await policy.note(walk)
            check_quotes(Draft("", claims_from(notes)), [walk.page])
            walk.notes += notes
            if notes and (draft := await policy.judge(walk)) is not None:
                return moves, draft
        if len(moves) == steps:
            break
        move = await policy.choose(walk)
        check_move(move, walk)
        if isinstance(move, Enough):
            break
        moves.append(step(walk, move, pages))
    return moves, await policy.conclude(walk)


def step(walk: Walk, move: Click | Back, pages: dict[str, Page]) -> str:
    walk.steps += 1
    if isinstance(move, Back):
        walk.path.pop()
        return "back"
    if move.page in walk.path:
        del walk.path[walk.path.index(move.page) + 1 :]
    else:
        walk.path.append(move.page)
    walk.opened.add(move.link.url)
    target = pages.get(move.link.url)
    if target is None:
        return f"dead {move.link.url}"
    walk.path.append(target)
    walk.pages.append(target)
    return f"new {target.url}"


@IDS
async def test_every_move_is_legal_and_every_quote_is_on_its_page(policy_id):
    moves, draft = await go(build(policy_id), SITE)
    assert moves
    check_quotes(draft, list(SITE.values()))
    assert "1861" in draft.text


@IDS
async def test_the_same_seed_decides_alike(policy_id):
    assert await go(build(policy_id, 7), SITE) == await go(build(policy_id, 7), SITE)


@IDS
async def test_there_is_an_answer_even_when_nothing_was_read(policy_id):
    draft = await build(policy_id).conclude(Walk(QUESTION))
    assert (draft.text, draft.claims, draft.sources) == ("", (), ())


@IDS
async def test_a_page_without_text_and_links_is_no_trouble(policy_id):
    moves, draft = await go(build(policy_id), {url(0): Page("id0", url(0), "", "")})
    assert moves == []
    assert draft.claims == ()


@IDS
async def test_the_walk_is_left_as_it_was(policy_id):
    policy, walk = build(policy_id), begin(SITE[url(0)])
    before = (list(walk.pages), list(walk.path), set(walk.opened), list(walk.notes))
    await policy.note(walk)
    await policy.judge(walk)
    await policy.choose(walk)
    await policy.conclude(walk)
    assert before == (walk.pages, walk.path, walk.opened, walk.notes)


@IDS
@given(graph=st.lists(st.lists(st.integers(-1, 9), max_size=5), min_size=1, max_size=7))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_the_site_moves_are_legal(policy_id, graph):
    pages = site(graph)
    moves, draft = await go(build(policy_id), pages)
    assert len(moves) <= 14
    check_quotes(draft, list(pages.values()))


async def test_random_clicks_follow_the_seed():
    ways = {tuple((await go(build("random_click", seed), SITE, steps=3))[0]) for seed in range(12)}
    assert len(ways) > 1


async def test_breadth_first_takes_links_as_they_come():
    moves, _ = await go(build("breadth_first"), site([[3, 2], [], [1], [4], []]))
    assert moves == [f"new {url(number)}" for number in (3, 2, 4, 1)]


async def test_word_overlap_takes_the_label_that_shares_most_words_whichever_page_it_stands_on():
    labels = ["Fishing", "The island", "When the lighthouse was built"]
    root = Page("r", url(0), "", "", tuple(Link(n, url(n), label) for n, label in enumerate(labels, 1)))
    policy, walk = build("word_overlap"), begin(root)
    taken = []
    while isinstance(move := await policy.choose(walk), Click):
        taken.append(move.link.label)
        walk.opened.add(move.link.url)
    assert taken == ["When the lighthouse was built", "The island", "Fishing"]
