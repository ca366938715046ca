"""What begins alike is read once, and everyone still says what they say alone."""

import pytest
import torch
from batching import engine_of, solo
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.engine import intake
from webfarer.engine.known import GRAIN, Known, common
from webfarer.engine.policy import parse
from webfarer.engine.prefixes import Prefix
from webfarer.engine.sampling import Completion, Request, SamplingParams

SYSTEM = [5 + i % 90 for i in range(50)]
GREEDY = SamplingParams(max_tokens=10, ignore_eos=True)


def prefix(tokens):
    held = torch.zeros(2, len(tokens), 4)
    return Prefix(tuple(tokens), [held], [held], [held[..., 0]])


@given(st.lists(st.integers(0, 2), max_size=40), st.lists(st.integers(0, 2), max_size=40))
def test_common_counts_the_leading_tokens_that_are_the_same(one, other):
    count = common(tuple(one), tuple(other))
    assert one[:count] == other[:count]
    assert count == min(len(one), len(other)) or one[count] != other[count]


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=60), max_size=6), st.integers(0, 40_000))
@settings(max_examples=50)
def test_what_is_found_is_a_true_prefix_that_leaves_something_to_read(prompts, limit):
    known = Known(limit)
    for tokens in prompts:
        found = known.find(tuple(tokens), None)
        if found is not None:
            size = len(found.tokens)
            assert tuple(tokens[:size]) == found.tokens
            assert GRAIN <= size < len(tokens)
            assert found.keys[0].shape[1] == size
        known.add(prefix(tokens), None)
        assert known.bytes <= limit
        assert known.find(tuple(tokens), "another adapter") is None


def test_the_least_recently_used_goes_first_and_a_longer_one_takes_the_place_of_its_beginning():
    size = prefix(range(32)).bytes
    known = Known(2 * size)
    known.add(prefix(range(32)), None)
    known.add(prefix(range(100, 132)), None)
    assert known.find((*range(32), 1), None)
    known.add(prefix(range(200, 232)), None)
    assert known.find((*range(100, 132), 1), None) is None
    assert known.find((*range(32), 1), None)
    known.add(prefix(range(48)), None)
    assert known.bytes == prefix(range(48)).bytes


@pytest.mark.parametrize("shared", [0, 128])
@pytest.mark.parametrize("cache", ["full", "scope:prompt=64,window=8,heavy=4,recent=8"])
def test_prompts_that_begin_alike_say_what_they_say_alone(cache, shared, monkeypatch):
    monkeypatch.setattr(intake, "SHARED", shared)
    engine = engine_of(parse(cache), rows=3)
    prompts = [SYSTEM + [100 + i] * (i + 1) for i in range(6)]
    got = engine.generate(prompts, GREEDY)
    assert [c.ids for c in got] == [solo(p, GREEDY, policy=parse(cache), prefixes=0).ids for p in prompts]
    cached = [c.finished.usage.cached_tokens for c in got]
    assert cached[:3] == [0, 0, 0], "the first three are read in one forward"
    assert cached[3:] == [48, 48, 48]
    assert engine.stats().prompt_tokens == sum(map(len, prompts)) - sum(cached)
    engine.check_integrity()


def test_a_conversation_goes_on_from_what_was_said():
    engine = engine_of(rows=2)
    first = engine.generate([SYSTEM], GREEDY)[0]
    said = SYSTEM + first.ids + [7, 8, 9]
    second = engine.generate([said], GREEDY)[0]
    assert second.finished.usage.cached_tokens == (len(SYSTEM) + 9) // GRAIN * GRAIN
    assert second.ids == solo(said, GREEDY, prefixes=0).ids


@pytest.mark.parametrize("cache", ["full", "scope:prompt=20,window=8,heavy=4,recent=8", "h2o:budget=24"])
def test_several_answers_to_one_prompt_read_it_once_where_rows_can_share(cache):
    engine = engine_of(parse(cache), rows=4, prefixes=0)
    params = [SamplingParams(max_tokens=12, temperature=1.0, seed=seed, ignore_eos=True) for seed in range(4)]
    listeners = []
    for each in params:
        listeners.append(Completion())
        engine.submit(Request(tuple(SYSTEM), each), listeners[-1])
    shared = cache != "h2o:budget=24"
    engine.step()
    engine.check_integrity()
    assert engine.stats().prompt_tokens == len(SYSTEM) * (1 if shared else 4)
    while engine.step():
        engine.check_integrity()
    alone = [solo(SYSTEM, each, policy=parse(cache), prefixes=0).ids for each in params]
    assert [one.ids for one in listeners] == alone
    assert len({tuple(ids) for ids in alone}) > 1


def test_a_finished_engine_holds_no_rows():
    engine = engine_of(rows=2, prefixes=0)
    engine.generate([SYSTEM, [*SYSTEM, 1]], GREEDY)
    assert engine._batch.memory.active == 0
    engine.check_integrity()


def test_rows_that_share_see_nothing_of_who_had_them_before(monkeypatch):
    """A row that holds its prompt in a prefix alone was never cleared: its old tenant's slots came to life again."""
    monkeypatch.setattr(intake, "SHARED", 0)
    engine = engine_of(rows=4, prefixes=0)
    long, short = SamplingParams(max_tokens=60, ignore_eos=True), SamplingParams(max_tokens=2, ignore_eos=True)
    listeners = [Completion() for _ in range(6)]
    for index, (tokens, params) in enumerate([(SYSTEM[:9], long), (SYSTEM, short), (SYSTEM[:40], short)]):
        engine.submit(Request(tuple(tokens), params), listeners[index])
    for _ in range(4):
        engine.step()
    for index in range(3, 6):
        engine.submit(Request(tuple(SYSTEM[5:30]), GREEDY), listeners[index])
    while engine.step():
        engine.check_integrity()
    alone = solo(SYSTEM[5:30], GREEDY, prefixes=0).ids
    assert [one.ids for one in listeners[3:]] == [alone] * 3
    assert listeners[0].ids == solo(SYSTEM[:9], long, prefixes=0).ids


def test_a_prompt_too_large_to_keep_leaves_the_others():
    known = Known(prefix(range(40)).bytes)
    known.add(prefix(range(32)), None)
    known.add(prefix(range(200)), None)
    assert known.covers(tuple(range(32)), None)
