"""Policies against naive loops: the same tokens kept after every step, and the same attention read."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from driving import Driver, Tokens, run, spec
from hypothesis import given
from naive import H2O, TOVA, ByKeys, Scope, Streaming, best, differences, norms, replay

from webfarer.engine.plans import Plan, Track
from webfarer.engine.policy import Place, parse
from webfarer.engine.slots import Slots

SEEDS = st.integers(0, 10_000)
PROMPTS = st.integers(1, 24)
STEPS = st.integers(0, 20)


def agree(policy, rule, tokens, prompt, turn=(0, 0)):
    held, outputs = run(policy, tokens, prompt, turn=turn)
    for layer in range(tokens.layers):
        expected, numbers = replay(tokens, prompt, rule(), layer, turn)
        assert [step[layer] for step in held] == expected
        np.testing.assert_allclose(outputs[:, layer].numpy(), numbers, rtol=1e-9, atol=1e-12)


@given(SEEDS, PROMPTS, STEPS, st.integers(2, 30), st.booleans())
def test_h2o(seed, prompt, steps, budget, normalise):
    policy = parse(f"h2o:budget={budget},normalise={normalise}")
    agree(policy, lambda: H2O(budget, normalise), Tokens(seed, prompt + steps, layers=1), prompt)


@given(
    SEEDS,
    PROMPTS,
    STEPS,
    st.tuples(st.integers(3, 30), st.integers(1, 2), st.sampled_from([1, 3, 7])),
    st.tuples(st.integers(0, 8), st.integers(1, 8)),
    st.sampled_from(["slide", "adaptive", "discontinuous", "discontinuous,relaxed=true", "none"]),
    st.sampled_from(["accumulate", "current"]),
)
def test_scope(seed, prompt, steps, ahead, pool, strategy, mode):
    size, window, kernel = ahead
    policy = parse(
        f"scope:prompt={size},window={window},kernel={kernel},heavy={pool[0]},recent={pool[1]},"
        f"strategy={strategy},mode={mode}"
    )
    agree(policy, lambda: Scope(policy, steps), Tokens(seed, prompt + steps, layers=1), prompt)


@given(SEEDS, PROMPTS, STEPS, st.integers(1, 30))
def test_tova(seed, prompt, steps, budget):
    agree(parse(f"tova:budget={budget}"), lambda: TOVA(budget), Tokens(seed, prompt + steps, layers=1), prompt)


@given(SEEDS, PROMPTS, STEPS, st.integers(2, 30), st.sampled_from([("knorm:skip=0", norms), ("keydiff:", differences)]))
def test_scores_of_keys(seed, prompt, steps, budget, kind):
    """Two slots at least: two keys are equally far from their mean, and rounding decides."""
    tokens = Tokens(seed, prompt + steps, layers=1)
    policy = parse(f"{kind[0]},budget={budget}".replace(":,", ":"))
    agree(policy, lambda: ByKeys(tokens.k[0].numpy(), budget, kind[1]), tokens, prompt)


@given(SEEDS, PROMPTS, STEPS, st.integers(1, 30), st.integers(0, 5))
def test_streaming(seed, prompt, steps, budget, sinks):
    sinks = min(sinks, budget - 1)
    policy = parse(f"streaming:budget={budget},sinks={sinks}")
    agree(policy, lambda: Streaming(budget, sinks), Tokens(seed, prompt + steps, layers=1), prompt)


@pytest.mark.slow
@given(SEEDS, PROMPTS, st.tuples(st.integers(0, 6), st.integers(1, 12), st.integers(0, 8)), st.integers(2, 30))
def test_a_second_turn_in_the_middle(seed, prompt, then, budget):
    """Several tokens at once, over what the first turn left; they are dropped only when all were read."""
    tokens, turn = Tokens(seed, prompt + sum(then), layers=1), (prompt + then[0], then[1])
    agree(parse(f"h2o:budget={budget}"), lambda: H2O(budget), tokens, prompt, turn)
    agree(parse(f"tova:budget={budget}"), lambda: TOVA(budget), tokens, prompt, turn)
    policy = parse(f"streaming:budget={budget},sinks={budget // 3}")
    agree(policy, lambda: Streaming(budget, budget // 3), tokens, prompt, turn)


@pytest.mark.parametrize("text", ["tova:budget=9", "keydiff:budget=9", "unified:policy=tova,budget=9"])
def test_equal_scores_drop_the_oldest(text):
    """Keys that are all alike."""
    tokens = Tokens(1, 40, layers=1)
    tokens.k.fill_(1.0)
    held, _ = run(parse(text), tokens, 20)
    assert all(step == [[list(range(11 + t, 20 + t))] * 2] for t, step in enumerate(held))


def test_h2o_scores_are_the_causal_column_sums():
    """No query looks ahead: the last key got attention from the last query only."""
    tokens, prompt = Tokens(2, 300, layers=1), 300
    driver = Driver(parse("h2o:budget=1000"), made=spec(layers=1))
    driver.admit((tokens, prompt), limit=1)
    positions, scores = driver.memory.layers[0].present(0, prompt)[2:]
    logits = torch.einsum("qhgd,khd->hgqk", tokens.q[0].view(prompt, 2, 2, 8), tokens.k[0]) * 8**-0.5
    future = torch.ones(prompt, prompt, dtype=torch.bool).triu(1)
    weights = logits.masked_fill(future, -torch.inf).softmax(-1).mean(1)
    assert torch.equal(positions, torch.arange(prompt).expand(2, -1))
    assert torch.allclose(scores, weights.sum(1), rtol=0, atol=1e-12)
    assert torch.allclose(scores[:, -1], weights[:, -1, -1], rtol=0, atol=1e-15)


def drawn(position, t, head):
    """A score without pattern, one of four; numbers or tensors."""
    return ((position * 7919 + head * 613) ^ (t * 104_729)) % 509 % 4


def stream(steps: int, policy, *, rows: int = 2) -> None:
    """Scores with many ties, others for every slot, head and step, against sets."""
    made, heads = spec(dim=2, layers=1), torch.arange(2)[:, None]
    slots, plan = Slots(made, rows), Plan(policy, [0])
    shelf = slots.shelves[0]
    plan.tracks = [Track(Place(0, 1, row, row, steps), row) for row in range(rows)]
    slots.reserve(rows, 40, 20)
    for row in range(rows):
        empty = torch.zeros(2, row, 2, dtype=torch.float64)
        shelf.fill(row, (empty, empty, torch.arange(row).expand(2, -1), empty[..., 0]))
    sets = [[set(range(row)) for _ in range(2)] for row in range(rows)]
    vectors = torch.zeros(rows, 2, 2, dtype=torch.float64)
    for t in range(1, steps + 1):
        step = plan.step(slots.split, made.device)
        shelf.append(step.places, vectors, vectors)
        if step.drops:
            scores = drawn(slots.positions[..., step.pool : step.hi].long(), t, heads).double()
            slots.drop(step, scores)
        for row in range(rows):
            now, room = row + t, policy.room(t, plan.tracks[row].place)
            for head in range(2):
                mine = sets[row][head]
                mine.add(now - 1)
                if room is not None and len(mine) > room:
                    pinned = {p for p in mine if p < policy.sinks or p >= now - policy.recent}
                    worth = {p: drawn(p, t, head) for p in mine}
                    mine.intersection_update(pinned | best(mine - pinned, worth, room - len(pinned)))
                held = shelf.positions[row, head]
                assert set(held[held >= 0].tolist()) == mine


POLICIES = ["streaming:budget=9,sinks=2", "h2o:budget=7", "unified:policy=streaming,budget=20,every=5"]


@pytest.mark.parametrize("text", POLICIES)
def test_a_stream_of_random_scores(text):
    stream(150, parse(text))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("text", POLICIES[1:])
def test_ten_thousand_random_scores(text):
    stream(10_000, parse(text))
