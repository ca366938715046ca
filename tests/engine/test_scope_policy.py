"""SCOPE's numbers and its two pools: the paper's schedules to the slot, and what the released code got wrong."""

from itertools import pairwise

import pytest
import torch
from driving import Driver, Tokens, run

from webfarer.core.errors import ConfigError
from webfarer.engine.plans import Track, advance, peak
from webfarer.engine.policy import Place, parse

T = 4096
ADAPTIVE = {
    256: {256: 256, 271: 257, 512: 273, 1024: 307, 2048: 375, 3072: 443, 4095: 511, 4096: 512},
    768: {256: 256, 271: 259, 512: 307, 1024: 409, 2048: 614, 3072: 819, 4095: 1023, 4096: 1024},
}


def scope(strategy: str, heavy: int = 256, more: str = ""):
    return parse(f"scope:heavy={heavy},strategy={strategy}" + (f",{more}" if more else ""))


def sizes(policy, limit: int, kept: int = 100) -> list[int]:
    """How many generated tokens are held at rest, after every step."""
    track, held = Track(Place(0, 1, kept, kept, limit), kept), []
    for _ in range(limit):
        advance(policy, track)
        held.append(track.held - kept)
    return held


@pytest.mark.parametrize("heavy", ADAPTIVE)
def test_the_adaptive_pool_has_the_papers_size(heavy):
    held = [0, *sizes(scope("adaptive", heavy), T)]
    assert {t: held[t] for t in ADAPTIVE[heavy]} == ADAPTIVE[heavy]
    assert max(held) == 256 + heavy
    assert all(a <= b for a, b in pairwise(held))


def test_the_adaptive_pool_is_not_the_released_codes():
    """There the budget is b2 + t // delta: 529 of 512, and 1075 of 1024."""
    assert [256 + T // ((T - 256) // heavy) for heavy in (256, 768)] == [529, 1075]
    assert [max(sizes(scope(s, heavy), T)) for s in ("adaptive", "discontinuous") for heavy in (256, 768)] == [
        512,
        1024,
    ] * 2


def test_two_budgets_differ():
    """The released code runs 512 and 1024 with the same schedule."""
    assert sizes(scope("adaptive", 256), T) != sizes(scope("adaptive", 768), T)
    assert sizes(scope("discontinuous", 256), T) != sizes(scope("discontinuous", 768), T)


@pytest.mark.parametrize(("heavy", "highest"), [(256, 525), (768, 1027)])
def test_discontinuous_chooses_as_often_as_the_paper_says(heavy, highest):
    relaxed = scope("discontinuous", heavy, "relaxed=true")
    assert sum(relaxed.room(t, Place(0, 1, 9, 9, T)) is not None for t in range(1, T + 1)) == heavy
    held = sizes(relaxed, T)
    assert (max(held), held[-1]) == (highest, 256 + heavy)
    strict = sizes(scope("discontinuous", heavy), T)
    assert max(strict) == strict[-1] == 256 + heavy


def test_mean_pools():
    """What the growing pool saves against sliding, on the mean over an output."""
    for heavy, growing, sliding in ((256, 368, 480), (768, 608, 896)):
        assert round(sum(sizes(scope("adaptive", heavy), T)) / T) == growing
        assert round(sum(sizes(scope("slide", heavy), T)) / T) == sliding


def test_memory_is_reserved_for_the_pool_and_one_more():
    for strategy in ("slide", "adaptive", "discontinuous"):
        grown, waiting = peak(scope(strategy), Place(0, 1, 100, 100, T), 100, 0)
        assert grown <= 512 + 1
        assert waiting <= 15


@pytest.mark.parametrize("more", ["", "rate=0.1"])
def test_without_a_length_the_pool_grows_by_rate_or_by_doubling(more):
    policy = scope("adaptive", 64, f"recent=32,{more}")
    granted = [policy.granted(t, None) for t in range(33, 6000)]
    assert all(0 <= b - a <= 1 for a, b in pairwise(granted))
    if more:
        assert granted[9] == 1
        assert granted[-1] == 64
    else:
        assert [policy.granted(32 * 2**n, None) for n in range(1, 8)] == [32, 48, 56, 60, 62, 63, 63]
    often = scope("discontinuous", 64, f"recent=32,{more}")
    chosen = sum(often.selects(t, None) for t in range(33, 6000))
    assert chosen == granted[-1]


@pytest.mark.parametrize("limit", [1, 7, 8, 9, 20])
@pytest.mark.parametrize("heavy", [0, 1, 4, 40])
@pytest.mark.parametrize("strategy", ["slide", "adaptive", "discontinuous", "discontinuous,relaxed=true"])
def test_the_pool_never_passes_its_bound(strategy, heavy, limit):
    """Also where the output is shorter than the recent part, the pool larger than the output, or there is no b1."""
    policy = scope(strategy, heavy, "recent=8")
    held = sizes(policy, limit)
    slack = max(1, (limit - 8) // max(1, heavy)) - 1 if "relaxed" in strategy else 0
    for t, count in enumerate(held, 1):
        assert min(t, 8) <= count <= min(t, 8 + heavy + slack)
        if strategy == "adaptive" and t > 8:
            assert count <= 8 + (t - 8) * heavy // (limit - 8)


@pytest.mark.parametrize("strategy", ["slide", "adaptive", "discontinuous", "none"])
def test_the_prompts_tokens_never_change(strategy):
    policy = parse(f"scope:prompt=12,window=4,heavy=4,recent=4,strategy={strategy}")
    held, _ = run(policy, Tokens(1, 70), 40)
    for layer in range(3):
        for head in range(2):
            prompts = [[p for p in step[layer][head] if p < 40] for step in held]
            assert all(p == prompts[0] for p in prompts)
            assert len(prompts[0]) == 12
            assert prompts[0][-4:] == [36, 37, 38, 39]


def test_a_short_prompt_freezes_no_generated_token():
    """The released code takes the first M slots for the prompt, however short it was."""
    held, _ = run(parse("scope:prompt=20,window=4,heavy=2,recent=2"), Tokens(2, 40), 5)
    for layer in held[-1]:
        for head in layer:
            assert head[:5] == [0, 1, 2, 3, 4]
            assert len(head) == 5 + 4
            assert head[-2:] == [38, 39]


@pytest.mark.parametrize("mode", ["accumulate", "current"])
def test_a_pool_as_large_as_the_output_is_no_pool(mode):
    tokens = Tokens(3, 60)
    slide = run(parse(f"scope:prompt=12,window=4,heavy=16,recent=4,mode={mode}"), tokens, 40)
    everything = run(parse(f"scope:prompt=12,window=4,strategy=none,mode={mode}"), tokens, 40)
    assert slide[0] == everything[0]
    assert torch.equal(slide[1], everything[1])


@pytest.mark.slow
def test_modes_and_decay_choose_differently():
    chosen = []
    for more in ("mode=accumulate", "mode=current", "decay=0.5", "group=max"):
        chosen.append(run(parse(f"scope:prompt=12,heavy=4,recent=4,{more}"), Tokens(4, 80), 40)[0][-1])
    assert all(chosen[i] != chosen[j] for i in range(4) for j in range(i))
    forgets = run(parse("scope:prompt=12,heavy=4,recent=4,decay=0"), Tokens(4, 80), 40)[0][-1]
    assert forgets == chosen[1]


def test_equal_scores_drop_the_oldest():
    """Keys of zeros: every query attends to all alike."""
    tokens = Tokens(5, 60)
    tokens.k.zero_()
    held, _ = run(parse("scope:prompt=12,window=4,heavy=4,recent=4,mode=current"), tokens, 40)
    assert held[-1] == [[[*range(28, 40), *range(52, 60)]] * 2] * 3


def test_a_second_turn_is_a_prompt_of_its_own():
    driver = Driver(parse("scope:prompt=6,window=2,heavy=2,recent=2,kernel=1"))
    driver.admit((Tokens(6, 200), 20), limit=30)
    for _ in range(10):
        driver.step()
    first = driver.kept()
    driver.extend(0, 25)
    second = driver.kept()
    for _ in range(30):
        driver.step()
    for layer in range(3):
        for head in range(2):
            assert set(first[layer][head]) <= set(second[layer][head])
            assert len(second[layer][head]) == 6 + 4 + 6
            assert {53, 54} <= set(second[layer][head])
            last = driver.kept()[layer][head]
            assert set(second[layer][head]) <= set(last)
            assert len(last) == 16 + 4
    assert driver.memory.stats(0).stored == 3 * 2 * 20


@pytest.mark.parametrize("inner", ["snapkv", "h2o", "knorm", "keydiff", "random", "tova", "streaming", "full"])
def test_the_prompt_is_any_policys(inner):
    tokens = Tokens(7, 60)
    held, _ = run(parse(f"scope:prompt=12,window=4,prefill={inner},heavy=4,recent=4"), tokens, 40)
    least = 40 if inner == "full" else 12
    assert all(len(head) == (least if layer == 2 else len(head)) for layer in range(3) for head in held[0][layer])
    assert len(held[-1][2][0]) == least + 8


@pytest.mark.parametrize(
    "text",
    [
        "scope:recent=0",
        "scope:heavy=-1",
        "scope:prompt=8,window=8",
        "scope:prompt=0",
        "scope:prompt=1.5",
        "scope:decay=2",
        "scope:rate=0",
        "scope:prefill=nothing",
        "scope:prefill=scope",
        "scope:prefill=tokenselect",
        "scope:prefill=streaming_rotated",
        "scope:strategy=fast",
        "scope:kernel=4",
        "h2o:budget=1",
        "streaming:budget=4",
        "tova:budget=0",
        "knorm:skip=-1",
        "prefill_only:policy=full",
        "prefill_only:policy=unified",
        "unified:policy=adakv",
        "unified:policy=snapkv,budget=33,every=2",
        "unified:every=0",
    ],
)
def test_what_cannot_work_is_refused(text):
    with pytest.raises(ConfigError):
        parse(text)
