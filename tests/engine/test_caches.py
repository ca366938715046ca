"""What holds of every cache policy: budgets, positions, pins, determinism, rows that do not touch each other.

A policy that has no line in SMALL is tested at its defaults.
"""

from functools import cache

import pytest
import torch
from driving import Driver, Tokens, run, spec

from webfarer.engine.memory import Memory
from webfarer.engine.policy import CACHES, CachePolicy, Place, parse

SMALL = {
    "adakv": "adakv:budget=12,window=4,kernel=3",
    "h2o": "h2o:budget=12",
    "keydiff": "keydiff:budget=12",
    "knorm": "knorm:budget=12,skip=1",
    "prefill_only": "prefill_only:policy=h2o,budget=12",
    "pyramidkv": "pyramidkv:budget=12,window=4,kernel=3",
    "random": "random:budget=0.5,seed=3",
    "scope": "scope:prompt=12,window=4,heavy=4,recent=4,kernel=3",
    "snapkv": "snapkv:budget=12,window=4,kernel=3",
    "streaming": "streaming:budget=12,sinks=2",
    "streaming_rotated": "streaming_rotated:budget=12,sinks=2",
    "taskkv": "taskkv:budget=12,window=4,kernel=3,sinks=1,heterogeneous=0.5",
    "tokenselect": "tokenselect:top=6,sinks=2,recent=4",
    "tova": "tova:budget=12",
    "unified": "unified:policy=tova,budget=12,every=4",
    "windowkv": "windowkv:budget=16,suffix=4,size=3,sharing=1",
}
OTHERS = [
    "knorm:budget=0.3",
    "prefill_only:policy=knorm,budget=0.4",
    "prefill_only:policy=pyramidkv,budget=40",
    "prefill_only:policy=adakv,budget=40",
    "scope:prompt=12,heavy=4,recent=4,strategy=adaptive,mode=current,prefill=h2o",
    "scope:prompt=12,heavy=4,recent=4,strategy=discontinuous,decay=0.9,prefill=knorm,group=max",
    "scope:prompt=12,heavy=4,recent=4,strategy=discontinuous,relaxed=true,prefill=adakv",
    "scope:prompt=0.5,strategy=none,prefill=pyramidkv,group=sum",
    "scope:heavy=0,recent=1,prefill=full",
    "scope:prompt=12,heavy=4,recent=4,strategy=adaptive,rate=0.4,prefill=streaming",
    "unified:policy=snapkv,budget=40,every=3",
    "unified:policy=random,budget=0.5,every=3",
    "unified:policy=pyramidkv,budget=36",
    "h2o:budget=13,group=max,normalise=true",
    "windowkv:budget=20,suffix=4,size=3,sharing=2,task=aggregation",
    "scope:prompt=0.5,window=4,heavy=4,recent=4,prefill=windowkv",
    "scope:prompt=0.6,heavy=4,recent=4,prefill=taskkv",
]
SPECS = [SMALL.get(name, name) for name in CACHES.ids()]
PROMPTS = (5, 17, 40)
NEW = 12
LAYERS = 2
VAST = 100_000
HUGE = {
    "full": "full",
    "scope": f"scope:prompt={VAST},heavy={VAST}",
    "tokenselect": f"tokenselect:top={VAST}",
}

every = [*SPECS, *(pytest.param(text, marks=pytest.mark.slow) for text in OTHERS)]
each = pytest.mark.parametrize("text", every)


@cache
def played(text: str, prompt: int, seed: int = 1, windows: tuple = (None,) * LAYERS) -> tuple[list, torch.Tensor]:
    """What one sequence holds and gives, with a memory of its own."""
    tokens = Tokens(seed, prompt + NEW, layers=LAYERS)
    return run(parse(text), tokens, prompt, spec(layers=LAYERS, windows=windows))


def rooms(policy: CachePolicy, prompt: int, layer: int) -> list[int | None]:
    """How many slots a head may hold after each step."""
    kept = policy.keep(prompt, layer, LAYERS)
    place = Place(layer, LAYERS, prompt, kept, NEW)
    return [kept] + [policy.room(t, place) for t in range(1, NEW + 1)]


@each
def test_a_policy_is_what_its_text_says(text):
    policy = parse(text)
    assert parse(policy.spec) == policy
    assert hash(parse(policy.spec)) == hash(policy)


@each
@pytest.mark.parametrize("prompt", PROMPTS)
def test_budgets_hold_after_every_step(text, prompt):
    policy, (held, _) = parse(text), played(text, prompt)
    assert len(held) == NEW + 1
    for layer in range(LAYERS):
        allowed = rooms(policy, prompt, layer)
        assert 1 <= allowed[0] <= prompt
        if policy.ragged:
            assert sum(map(len, held[0][layer])) == allowed[0] * 2
        else:
            assert [len(head) for head in held[0][layer]] == [allowed[0]] * 2
            for step, room in zip(held, allowed, strict=True):
                assert room is None or max(map(len, step[layer])) <= room


@each
@pytest.mark.parametrize("prompt", PROMPTS)
def test_kept_positions_are_unique_ascending_and_were_seen(text, prompt):
    held, _ = played(text, prompt)
    before = [[list(range(prompt))] * 2] * LAYERS
    for t, step in enumerate(held):
        for layer in range(LAYERS):
            for now, old in zip(step[layer], before[layer], strict=True):
                assert now == sorted(set(now))
                assert set(now) <= {*old, *([prompt - 1 + t] if t else [])}
        before = step


@each
@pytest.mark.parametrize("prompt", PROMPTS)
def test_pins_are_present(text, prompt):
    policy, (held, _) = parse(text), played(text, prompt)
    for t, step in enumerate(held):
        now = prompt + t
        newest = range(now - min(policy.recent, t), now)
        for layer, heads in enumerate(step):
            keep = policy.keep(prompt, layer, LAYERS)
            for head in heads:
                assert set(newest) <= set(head)
                if keep >= policy.sinks + policy.window:
                    assert set(range(min(policy.sinks, now))) <= set(head)
                if t == 0:
                    assert set(range(prompt - min(policy.window, keep), prompt)) <= set(head)


@pytest.mark.parametrize("text", [t for t in SPECS if parse(t).read is None and not parse(t).rerotates])
@pytest.mark.parametrize("prompt", [5, 40])
def test_a_step_attends_to_what_was_kept_and_to_itself(text, prompt):
    """Positions are logical: with keys at their own positions the result is plain attention over the kept ones."""
    tokens = Tokens(1, prompt + NEW, layers=LAYERS)
    held, outputs = played(text, prompt)
    for t in range(NEW):
        for layer in range(LAYERS):
            for head in range(2):
                present = [*held[t][layer][head], prompt + t]
                q = tokens.q[layer, prompt + t, 2 * head : 2 * head + 2]
                weights = (q @ tokens.k[layer, present, head].T * 8**-0.5).softmax(-1)
                expected = weights @ tokens.v[layer, present, head]
                assert torch.allclose(outputs[t + 1, layer, 2 * head : 2 * head + 2], expected, rtol=0, atol=1e-12)


@each
def test_the_same_twice(text):
    tokens = Tokens(1, 40 + NEW, layers=LAYERS)
    held, outputs = run(parse(text), tokens, 40)
    assert held == played(text, 40)[0]
    assert torch.equal(outputs, played(text, 40)[1])


@pytest.mark.parametrize("name", CACHES.ids())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_budget_that_never_fills_changes_nothing(name, dtype):
    policy, tokens = parse(HUGE.get(name, f"{name}:budget={VAST}")), Tokens(6, 40 + NEW, layers=LAYERS)
    held, outputs = run(policy, tokens, 40, spec(layers=LAYERS, dtype=dtype))
    full_held, full = run(parse("full"), tokens, 40, spec(layers=LAYERS, dtype=dtype))
    assert held == full_held
    if policy.ragged:  # two partial attentions are put together
        assert torch.allclose(outputs, full, rtol=0, atol=1e-12 if dtype == torch.float64 else 1e-5)
    else:
        assert torch.equal(outputs, full)


WINDOWS = [
    (6, None),
    pytest.param((None, 6), marks=pytest.mark.slow),
    pytest.param((None, None), marks=pytest.mark.slow),
]


@each
@pytest.mark.parametrize("windows", WINDOWS)
def test_rows_do_not_touch_each_other(text, windows):
    """Rows of different lengths; one leaves, a short one comes where a long one was. Each as if it were alone."""
    driver = Driver(parse(text), rows=3, made=spec(layers=LAYERS, windows=windows))
    sequences = [(Tokens(10 + prompt, prompt + NEW, layers=LAYERS), prompt) for prompt in PROMPTS]
    driver.admit(*sequences, limit=NEW)
    kept = {tokens.seed: [driver.kept(row)] for row, (tokens, _) in enumerate(sequences)}

    def steps(count):
        for _ in range(count):
            driver.step()
            for row, tokens in enumerate(driver.rows):
                kept[tokens.seed].append(driver.kept(row))

    steps(NEW // 2)
    driver.close(0)
    late = Tokens(99, 11 + NEW, layers=LAYERS)
    driver.admit((late, 11), limit=NEW)
    kept[99] = [driver.kept(2)]
    steps(NEW - NEW // 2)
    for tokens, prompt in [*sequences, (late, 11)]:
        held, outputs = played(text, prompt, tokens.seed, windows)
        count = len(kept[tokens.seed])
        assert count > NEW // 2
        assert kept[tokens.seed] == held[:count]
        assert torch.allclose(torch.stack(driver.outputs[tokens.seed]), outputs[:count], rtol=0, atol=1e-12)


def shuffle(memory: Memory, row: int) -> None:
    """Exchange the slots of a row that hold tokens, those of the prompt and those behind it among themselves.

    All heads alike: a policy that averages over heads needs a token's slots in line.
    """
    for slots in memory.layers:
        for head in range(slots.positions.shape[1]):
            generator = torch.Generator().manual_seed(0)
            used = (slots.positions[row, head] >= 0).nonzero()[:, 0]
            for side in (used[used < slots.split], used[used >= slots.split]):
                mixed = side[torch.randperm(len(side), generator=generator)]
                for tensor in (slots.keys, slots.values, slots.positions, slots.scores):
                    tensor[row, head, side] = tensor[row, head, mixed]


@each
def test_the_order_of_slots_means_nothing(text):
    held, outputs = played(text, 40)
    driver = Driver(parse(text), made=spec(layers=LAYERS))
    driver.admit((Tokens(1, 40 + NEW, layers=LAYERS), 40), limit=NEW)
    for t in range(NEW):
        shuffle(driver.memory, 0)
        driver.step()
        assert driver.kept() == held[t + 1]
    assert torch.allclose(torch.stack(driver.outputs[1]), outputs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("text", [p for p in every if not parse(getattr(p, "values", [p])[0]).ragged])
@pytest.mark.parametrize("windows", WINDOWS)
def test_a_second_turn(text, windows):
    policy = parse(text)
    driver = Driver(policy, rows=2, made=spec(layers=LAYERS, windows=windows))
    driver.admit((Tokens(8, 60, layers=LAYERS), 17), (Tokens(9, 60, layers=LAYERS), 30), limit=8)
    for _ in range(8):
        driver.step()
    before, untouched = driver.kept(0), driver.kept(1)
    driver.extend(0, 15)
    assert driver.memory.positions == [40, 38]
    assert driver.kept(1) == untouched
    after, free = driver.kept(0), [layer for layer in range(LAYERS) if windows[layer] is None]
    for layer in free:
        for old, new in zip(before[layer], after[layer], strict=True):
            assert set(new) <= set(old) | set(range(25, 40))
            if policy.frozen:
                assert set(old) <= set(new)
                assert len(new) == len(old) + policy.keep(15, layer, LAYERS)
            else:
                assert len(new) <= policy.keep(40, layer, LAYERS)
    for _ in range(8):
        driver.step()
        if policy.frozen:
            assert all(set(a) <= set(b) for n in free for a, b in zip(after[n], driver.kept(0)[n], strict=True))


@pytest.mark.slow
@each
def test_rows_that_come_and_go_leave_nothing_behind(text):
    """In bfloat16, until slots were used by many."""
    driver = Driver(parse(text), rows=2, made=spec(layers=LAYERS, dtype=torch.bfloat16))
    for seed in range(6):
        driver.admit((Tokens(seed, 90, layers=LAYERS), 5 + 11 * seed), limit=NEW)
        for _ in range(3):
            driver.step()
        if seed:
            driver.close(seed % 2)
    assert all(torch.isfinite(step.float()).all() for steps in driver.outputs.values() for step in steps)
    driver.close(0)
    driver.memory.check()
    assert driver.memory.active == 0


@pytest.mark.parametrize(
    "text", ["scope:heavy=2,recent=2,prefill=full", "scope:prompt=90,heavy=2,recent=2,prefill=keydiff"]
)
def test_a_long_prompt_that_comes_later_moves_nobodys_slots(text):
    """Memory grows before the slots in use, while dropped ones wait to be used again."""
    driver = Driver(parse(text), rows=2, made=spec(layers=LAYERS))
    driver.admit((Tokens(1, 5 + NEW, layers=LAYERS), 5), limit=NEW)
    for _ in range(NEW // 2):
        driver.step()
    driver.admit((Tokens(2, 100 + NEW, layers=LAYERS), 100), limit=NEW)
    for _ in range(NEW - NEW // 2):
        driver.step()
    held, outputs = played(text, 5)
    assert driver.kept(0) == held[-1]
    assert torch.allclose(torch.stack(driver.outputs[1]), outputs, rtol=0, atol=1e-12)
    held, outputs = played(text, 100, 2)
    assert driver.kept(1) == held[NEW - NEW // 2]
