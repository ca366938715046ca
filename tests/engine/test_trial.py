"""Trials: what stays is as if it had come one token at a time, what is taken back as if it had never been."""

from functools import cache

import pytest
import torch
from driving import Driver, Tokens, run, spec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_caches import OTHERS, SPECS

from webfarer.core.errors import ConfigError
from webfarer.engine.policy import parse
from webfarer.engine.trial import COMMITTED

LAYERS, NEW, MOST = 2, 24, 7
PROMPTS = (5, 17, 40)
QUICK = ("adakv", "full", "scope")
EACH = [
    pytest.param(text, marks=() if text in SPECS and text.partition(":")[0] in QUICK else pytest.mark.slow)
    for text in [*SPECS, *OTHERS]
]


@cache
def alone(policy: str, prompt: int):
    """What a sequence holds after each step, and its outputs, decoded plainly and by itself."""
    return run(parse(policy), right(prompt), prompt)


@cache
def right(prompt: int) -> Tokens:
    return Tokens(prompt, prompt + NEW, layers=LAYERS)


@cache
def wrong(prompt: int) -> Tokens:
    return Tokens(1000 + prompt, prompt + NEW + 2 * MOST, layers=LAYERS)


def started(policy: str) -> Driver:
    driver = Driver(parse(policy), rows=3, made=spec(layers=LAYERS))
    driver.admit(*((right(prompt), prompt) for prompt in PROMPTS), limit=NEW)
    return driver


def vectors(prompt: int, layer: int, start: int, good: int, bad: int):
    """The vectors of `good` tokens of the sequence and `bad` ones of another."""
    parts = right(prompt).at(layer, start, start + good, torch.float64)
    others = wrong(prompt).at(layer, start + good, start + good + bad, torch.float64)
    return [torch.cat(pair) for pair in zip(parts, others, strict=True)]


def look(driver: Driver, trial, columns: list[tuple[int, int]], done: list[int]):
    """One forward over chains that go on: for each row, its tokens from one offset to another; [layers, N, H, D]."""
    parents = [list(range(start - 1, stop - 1)) for start, stop in columns]
    attend = trial.attend(parents)
    where = [p + d + i for p, d, c in zip(PROMPTS, done, columns, strict=True) for i in range(*c)]
    assert trial.positions == where
    out = []
    for layer in range(LAYERS):
        parts = []
        for prompt, start, (first, stop), good in zip(PROMPTS, done, columns, driver.good, strict=True):
            every = vectors(prompt, layer, prompt + start, min(good, stop), max(0, stop - good))
            parts.append([part[first:stop] for part in every])
        out.append(attend(layer, *(torch.cat(column) for column in zip(*parts, strict=True))))
    return torch.stack(out)


ROUNDS = st.lists(
    st.tuples(*([st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(1, 4))] * 3), st.integers(1, 7)),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("policy", EACH)
@settings(max_examples=6)
@given(ROUNDS)
@example([((1, 0, 1), (4, 3, 2), (2, 0, 1), 7), ((4, 0, 4), (1, 2, 1), (3, 3, 2), 1), ((2, 2, 2),) * 3 + (2,)])
@pytest.mark.slow
def test_what_stays_and_what_goes(policy, rounds):
    driver, done = started(policy), [0, 0, 0]
    for *rows, width in rounds:
        driver.good = [min(good, NEW - d) for (good, _, _), d in zip(rows, done, strict=True)]
        if min(driver.good) < 1:
            return
        lengths = [good + bad for good, (_, bad, _) in zip(driver.good, rows, strict=True)]
        kept = [min(keep, good) for (_, _, keep), good in zip(rows, driver.good, strict=True)]
        trial = driver.memory.trial(MOST)
        outputs = [[] for _ in PROMPTS]
        for start in range(0, max(lengths), width):
            columns = [(min(start, length), min(start + width, length)) for length in lengths]
            out, at = look(driver, trial, columns, done), 0
            for row, (first, stop) in enumerate(columns):
                outputs[row] += [out[:, at + i] for i in range(stop - first)]
                at += stop - first
        trial.keep([list(range(count)) for count in kept])
        driver.memory.check()
        for row, prompt in enumerate(PROMPTS):
            held, expected = alone(policy, prompt)
            for i in range(kept[row]):
                assert (outputs[row][i] - expected[done[row] + i + 1]).abs().max() < 1e-12
            done[row] += kept[row]
            assert driver.memory.positions[row] == prompt + done[row]
            assert driver.kept(row) == held[done[row]]
    # scores and stacks too: what comes afterwards is as it would have been
    while max(done) < NEW:
        driver.step()
        for row, prompt in enumerate(PROMPTS):
            done[row] += 1
            held, expected = alone(policy, prompt)
            assert driver.kept(row) == held[done[row]]
            assert (driver.outputs[prompt][-1] - expected[done[row]]).abs().max() < 1e-12


@pytest.mark.parametrize("policy", EACH)
def test_a_trial_leaves_the_numbers_as_they_were(policy):
    driver = started(policy)
    for _ in range(6):
        driver.step()
    slots = driver.memory.layers
    tracks = [[repr(track) for track in plan.tracks] for plan in driver.memory.plans]
    before = [(row, *layer.present(row, 3)) for layer in slots for row in range(3)]
    driver.good = [0, 0, 0]
    trial = driver.memory.trial(MOST)
    look(driver, trial, [(0, 5), (0, 2), (0, 3)], [6, 6, 6])
    look(driver, trial, [(5, 7), (2, 2), (3, 4)], [6, 6, 6])
    trial.keep([[], [], []])
    assert [[repr(track) for track in plan.tracks] for plan in driver.memory.plans] == tracks
    after = [(row, *layer.present(row, 3)) for layer in slots for row in range(3)]
    for one, other in zip(before, after, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one[1:], other[1:], strict=True))
    driver.memory.check()


def branch(prompt: int, node: int, layer: int):
    """The vectors of a node of a tree: of a token of its own."""
    return [part[0] for part in Tokens(7000 + 50 * prompt + node, 1, layers=LAYERS).at(layer, 0, 1, torch.float64)]


@settings(max_examples=8)
@given(st.lists(st.integers(-1, 5), min_size=1, max_size=7), st.lists(st.integers(-1, 5), max_size=7), st.data())
def test_a_node_sees_what_comes_before_it_and_its_ancestors(one, other, data):
    """Every node of a tree attends as if its path were a chain; the path that stays goes on as a chain does."""
    driver = started("full")
    trees = [[min(parent, i - 1) for i, parent in enumerate(tree)] for tree in (one, other, [COMMITTED])]
    cut = data.draw(st.integers(0, 3))
    trial, outputs = driver.memory.trial(len(one) + len(other)), [[], [], []]
    parts = [(tree[:cut], tree[cut:]) for tree in trees] if cut else [(tree,) for tree in trees]
    at = [0, 0, 0]
    for forward in zip(*parts, strict=True):
        attend = trial.attend(forward) if any(forward) else None
        spans = [range(start, start + len(mine)) for start, mine in zip(at, forward, strict=True)]
        at = [span.stop for span in spans]
        if attend is None:
            continue
        nodes = [(prompt, node) for prompt, span in zip(PROMPTS, spans, strict=True) for node in span]
        out = []
        for layer in range(LAYERS):
            columns = zip(*(branch(prompt, node, layer) for prompt, node in nodes), strict=True)
            out.append(attend(layer, *(torch.stack(column) for column in columns)))
        for index, (prompt, _) in enumerate(nodes):
            outputs[PROMPTS.index(prompt)].append(torch.stack(out)[:, index])
    paths = []
    for row, (prompt, tree) in enumerate(zip(PROMPTS, trees, strict=True)):
        ends = [[]]
        for node in range(len(tree)):
            path = [node]
            while tree[path[0]] != COMMITTED:
                path.insert(0, tree[path[0]])
            assert (outputs[row][node] - chained(prompt, path)).abs().max() < 1e-12
            ends.append(path)
        paths.append(data.draw(st.sampled_from(ends)))
    trial.keep(paths)
    driver.memory.check()
    assert driver.memory.positions == [p + len(path) for p, path in zip(PROMPTS, paths, strict=True)]
    trial = driver.memory.trial(1)
    attend = trial.attend([[COMMITTED]] * 3)
    for layer in range(LAYERS):
        columns = zip(*(branch(prompt, 99, layer) for prompt in PROMPTS), strict=True)
        out = attend(layer, *(torch.stack(column) for column in columns))
        for row, (prompt, path) in enumerate(zip(PROMPTS, paths, strict=True)):
            assert (out[row] - chained(prompt, [*path, 99])[layer]).abs().max() < 1e-12


def chained(prompt: int, path: list[int]) -> torch.Tensor:
    """What the last token of a path attends to when its tokens come one at a time, [layers, H, D]."""
    driver = Driver(parse("full"), made=spec(layers=LAYERS))
    driver.admit((right(prompt), prompt), limit=NEW)
    out = []
    for node in path:
        attend = driver.memory.decode()
        out = [attend(layer, *(p[None] for p in branch(prompt, node, layer)))[0] for layer in range(LAYERS)]
    return torch.stack(out)


def test_a_tree_needs_slots_that_stay():
    driver = started("streaming:budget=6,sinks=1")
    trial = driver.memory.trial(3)
    with pytest.raises(ConfigError, match="chains"):
        trial.attend([[COMMITTED, COMMITTED], [COMMITTED], [COMMITTED]])


def test_a_trial_has_room_for_what_it_was_made_for():
    driver = started("full")
    with pytest.raises(ConfigError, match="at most 2"):
        driver.memory.trial(2).attend([[COMMITTED, 0, 1], [COMMITTED], [COMMITTED]])
