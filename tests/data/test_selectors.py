"""Selectors: each keeps its invariant, and is as good as its source says."""

import math
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.data.near import Near, shingles
from webfarer.data.row import Called, Row, Turn
from webfarer.data.selector import SELECTORS, Pool
from webfarer.data.selectors._vectors import Similar, substance, vectors
from webfarer.data.selectors.ideal import cascades, graph, greedy

WORDS = "mirror dome survey lens filter orbit tower coast river valley archive curator".split()
ROUNDING = 1e-9


def row(number=0, written="", question="what is it", read="", **values):
    messages = (
        Turn(role="user", content=question),
        Turn(role="tool", content=read),
        Turn(role="assistant", content=written, weight=1),
    )
    return Row(
        **{"id": f"r{number}", "question": f"q{number}", "text": question, "kind": "act", "reward": 1.0}
        | {"messages": messages}
        | values
    )


def rows(seed, size, length=6):
    draw = Random(seed)
    return [row(n, " ".join(draw.choices(WORDS, k=length)), cells={"type": draw.choice("ab")}) for n in range(size)]


async def select(name, pool_rows, count, **values):
    return list(await SELECTORS.load(name).select(Pool(pool_rows, **values), count))


MACHINES = [name for name in SELECTORS.ids() if name != "critiq"]


@pytest.mark.parametrize("name", MACHINES)
async def test_selection_is_repeated_by_the_same_seed_never_twice_a_row_and_a_prefix_of_a_longer_one(name):
    pool = rows(3, 25)
    picked = await select(name, pool, 10, seed=5)
    assert len(set(picked)) == 10
    assert set(picked) <= set(range(25))
    assert picked == await select(name, list(pool), 10, seed=5)
    assert (await select(name, pool, 20, seed=5))[:10] == picked
    assert await select(name, pool, 0) == []
    assert await select(name, [], 5) == []
    assert await select(name, [row(written="…"), row(1, "…", "")], 5) in ([0, 1], [1, 0], [0], [1])


def test_a_row_is_compared_by_what_the_model_wrote():
    call = Called(id="1", name="visit", arguments={"url": "https://a.test/"})
    turns = (
        Turn(role="user", content="asked"),
        Turn(role="assistant", content="old", weight=0),
        Turn(role="tool", content="page"),
        Turn(role="assistant", content="said", reasoning="thought", tool_calls=(call,), weight=1),
    )
    assert substance(row(messages=turns)) == 'what is it\nthought\nsaid\nvisit {"url": "https://a.test/"}'


SENTENCES = st.lists(st.lists(st.sampled_from(WORDS[:5]), min_size=1, max_size=9).map(" ".join), max_size=12)


@settings(max_examples=30)
@given(SENTENCES, st.sampled_from([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]))
def test_near_duplicates_are_exactly_those_that_every_pair_compared_would_find(texts, least):
    near, kept = Near(least), []
    for text in texts:
        mine = shingles(text)
        alike = [n for n, other in enumerate(kept) if len(mine & other) >= least * len(mine | other) - ROUNDING]
        assert near.add(text) == (alike[0] if alike else None)
        if not alike:
            kept.append(mine)


def test_shingles_of_chinese_and_of_nothing():
    assert len(shingles("天文台的主任是谁，何时开放")) > 1
    assert shingles("") == shingles(" ")
    assert shingles("what is it") != shingles("who are they")  # stop words only


async def test_the_best_rewarded_then_the_shortest_of_near_duplicates_stays():
    text = " ".join(f"word{n}" for n in range(60))
    pool = [row(0, text + " end", reward=0.0), row(1, text + " and more"), row(2, text), row(3, "something else")]
    assert sorted(await select("deduplicate", pool, 9)) == [2, 3]
    near = [row(n, f"the dome of tower {n} was opened", f"when was tower {n} opened") for n in range(5)]
    assert len(await select("deduplicate", near, 9)) == 5, "rows of one template are no duplicates"


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), max_size=30), st.integers(0, 30))
async def test_no_cell_has_two_rows_fewer_unless_it_has_no_more(cells, count):
    pool = [row(n, cells={"type": one, "language": other}) for n, (one, other) in enumerate(cells)]
    picked = await select("balance", pool, count)
    assert len(picked) == min(count, len(cells))
    had = {cell: [n for n, each in enumerate(cells) if each == cell] for cell in cells}
    got = {cell: len(set(numbers) & set(picked)) for cell, numbers in had.items()}
    for cell, numbers in had.items():
        assert got[cell] == len(numbers) or got[cell] >= max(got.values()) - 1


async def test_the_questions_of_a_cell_take_turns():
    pool = [row(n, question=f"about {n // 5}").model_copy(update={"question": f"q{n // 5}"}) for n in range(20)]
    assert {pool[n].question for n in await select("balance", pool, 4)} == {"q0", "q1", "q2", "q3"}


def _radius(pool, picked):
    similar = Similar(vectors(pool))
    cosines = [similar.to(at) for at in picked]
    closest = [max([cosine.get(n, 0.0) for cosine in cosines]) for n in range(len(pool)) if n not in picked]
    return max((math.sqrt(max(0.0, 2 - 2 * cosine)) for cosine in closest), default=0.0)  # the chord, a metric


@settings(max_examples=10)
@given(st.integers(0, 10_000))
async def test_no_row_is_twice_as_far_as_the_best_selection_would_leave_it(seed):
    pool = rows(seed, 9, 4)
    best = min(_radius(pool, picked) for picked in combinations(range(9), 3))
    assert _radius(pool, await select("diversity", pool, 3, seed=seed)) <= 2 * best + ROUNDING


async def test_diversity_takes_one_of_each_topic_first():
    pool = [row(n, " ".join([WORDS[n % 6]] * 3 + [f"only{n}"]), "") for n in range(30)]
    assert {n % 6 for n in await select("diversity", pool, 6)} == set(range(6))


def _influence(drawn, picked):
    total = 0
    for edges in drawn:
        found, ends = set(picked), list(picked)
        while ends:
            fresh = set(edges[ends.pop()]) - found
            found |= fresh
            ends += fresh
        total += len(found)
    return total


@settings(max_examples=12)
@given(st.integers(0, 10_000))
def test_ideal_reaches_its_share_of_the_best_influence(seed):
    drawn = cascades(graph(vectors(rows(seed, 10, 3))), Random(seed))[:8]
    best = max(_influence(drawn, picked) for picked in combinations(range(10), 3))
    picked = greedy(drawn, 3)
    assert _influence(drawn, picked) >= (1 - 1 / math.e) * best
    gains = [_influence(drawn, picked[: n + 1]) - _influence(drawn, picked[:n]) for n in range(3)]
    for n in range(3):  # lazy or not, each one has the largest gain at its turn
        others = [_influence(drawn, [*picked[:n], other]) - _influence(drawn, picked[:n]) for other in range(10)]
        assert gains[n] == max(others)


def test_ideal_is_near_the_best_on_cascades_it_has_not_seen():
    shares = []
    for seed in range(4):
        draw = Random(seed)
        edges = [[(draw.randrange(12), 0.5), (draw.randrange(12), 0.3)] for _ in range(12)]
        unseen = cascades(edges, Random(1000 + seed))[:60]
        best = max(_influence(unseen, picked) for picked in combinations(range(12), 2))
        shares.append(_influence(unseen, greedy(cascades(edges, draw), 2)) / best)
    assert sum(shares) / len(shares) > 0.9
    assert min(shares) > 1 - 1 / math.e


async def test_ideal_beats_lots_where_topics_are_of_unequal_size():
    sizes = [30, 15, 10, 8, 5]
    topics = [n for n, size in enumerate(sizes) for _ in range(size)]
    pool = [row(n, f"{WORDS[t]} {WORDS[t]} {WORDS[5 + n % 7]} only{n}", "") for n, t in enumerate(topics)]
    unseen = cascades(graph(vectors(pool)), Random(7))
    ours = _influence(unseen, await select("ideal", pool, 6))
    lots = [_influence(unseen, Random(seed).sample(range(len(pool)), 6)) for seed in range(10)]
    assert ours > 1.1 * sum(lots) / len(lots)


def test_every_row_points_to_its_nearest_with_chances_that_add_up_to_one():
    edges = graph(vectors([*rows(1, 30), row(99, "zebra", "")]))
    assert all(len(each) == 10 and sum(chance for _, chance in each) == pytest.approx(1) for each in edges[:30])
    assert edges[30] == []  # nothing is like it
    assert all(n not in [to for to, _ in each] for n, each in enumerate(edges))
