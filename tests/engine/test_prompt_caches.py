"""Policies that choose slots of the prompt, against loops in float64: which positions stay, and how many.

The loops share nothing with the engine but a dense softmax. What holds of every policy is in `test_caches`.
"""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from driving import Driver, Tokens, spec
from hypothesis import example, given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.engine.attention import Heads
from webfarer.engine.choosing import choose, select
from webfarer.engine.policy import CachePolicy, parse
from webfarer.engine.view import View

KV = 2


def kept(policy: CachePolicy, tokens: Tokens) -> list[list[list[int]]]:
    """Positions that stay of a prompt, by layer and head."""
    driver = Driver(policy, made=spec(layers=tokens.layers))
    driver.admit((tokens, tokens.count), limit=1)
    return driver.kept()


def column_sums(tokens: Tokens, layer: int, last: int) -> list[list[list[float]]]:
    """Attention each key received from the last queries, by KV head and query head of it."""
    q, k = tokens.q[layer].unflatten(1, (KV, -1)), tokens.k[layer]
    logits = torch.einsum("ihgd,jhd->hgij", q, k) * spec().scale
    future = torch.ones(logits.shape[2:]).triu(1).bool()
    return logits.masked_fill(future, -torch.inf).softmax(-1)[:, :, -last:].sum(2).tolist()


def by_group(parts: list[list[float]], group: str) -> list[float]:
    """Put query heads together."""
    how = {"mean": lambda x: sum(x) / len(x), "max": max, "sum": sum}[group]
    return [how(column) for column in zip(*parts, strict=True)]


def pooled(scores: list[float], kernel: int, pooling: str) -> list[float]:
    """Pool over neighbours that exist."""
    out = []
    for j in range(len(scores)):
        near = scores[max(0, j - kernel // 2) : j + kernel // 2 + 1]
        out.append(max(near) if pooling == "max" else sum(near) / len(near))
    return out


def best(scores: list[float], count: int) -> list[int]:
    """The positions of the highest scores; of equals the newer."""
    return sorted(range(len(scores)), key=lambda j: (-scores[j], -j))[:count]


@dataclass
class Observation:
    """Settings of SnapKV's score."""

    window: int
    kernel: int
    pooling: str
    group: str

    @property
    def settings(self) -> str:
        """As a policy's text has them."""
        return f"window={self.window},kernel={self.kernel},pooling={self.pooling},group={self.group}"

    def scores(self, tokens: Tokens, layer: int) -> list[list[float]]:
        """By KV head, of every token before the window."""
        sums = column_sums(tokens, layer, self.window)
        before = max(0, tokens.count - self.window)
        return [pooled(by_group(s, self.group)[:before], self.kernel, self.pooling) for s in sums]


def snapkv(tokens: Tokens, layer: int, budget: int, how: Observation) -> list[list[int]]:
    """What SnapKV keeps."""
    prompt = tokens.count
    if budget >= prompt:
        return [list(range(prompt))] * KV
    window = list(range(max(0, prompt - min(how.window, budget)), prompt))
    return [sorted(best(s, budget - len(window)) + window) for s in how.scores(tokens, layer)]


observations = st.builds(
    Observation,
    window=st.integers(1, 9),
    kernel=st.sampled_from([1, 3, 5, 7, 11]),
    pooling=st.sampled_from(["max", "avg"]),
    group=st.sampled_from(["mean", "max", "sum"]),
)


@given(prompt=st.integers(1, 24), spare=st.integers(1, 16), how=observations, seed=st.integers(0, 9))
@example(prompt=12, spare=1, how=Observation(9, 11, "max", "mean"), seed=0)  # the kernel is wider than what is pooled
@example(prompt=40, spare=39, how=Observation(1, 7, "avg", "mean"), seed=0)
def test_snapkv_is_its_loop(prompt, spare, how, seed):
    tokens, budget = Tokens(seed, prompt, layers=2), how.window + spare
    expected = [snapkv(tokens, layer, budget, how) for layer in range(2)]
    assert kept(parse(f"snapkv:budget={budget},{how.settings}"), tokens) == expected


@given(prompt=st.integers(1, 6000), budget=st.integers(33, 5000), layers=st.integers(1, 80), beta=st.integers(1, 40))
@example(prompt=100, budget=99, layers=7, beta=20)  # shorter than the first layers' budgets
@example(prompt=4000, budget=2048, layers=32, beta=20)
@example(prompt=10_000, budget=2048, layers=32, beta=20)
def test_pyramid_budgets_fall_and_add_up(prompt, budget, layers, beta):
    policy = parse(f"pyramidkv:budget={budget},beta={beta}")
    each = [policy.keep(prompt, layer, layers) for layer in range(layers)]
    assert sum(each) == layers * min(budget, prompt)
    assert each == sorted(each, reverse=True)
    assert all(min(prompt, policy.window) <= n <= prompt for n in each)
    falls = {one - two for one, two in itertools.pairwise(each)}
    assert max(falls, default=0) - min(falls, default=0) <= 1 or layers < 3  # equal steps, up to rounding


@given(prompt=st.integers(1, 500), share=st.floats(0.001, 0.999), layers=st.integers(1, 40))
def test_pyramid_shares_of_the_prompt_add_up(prompt, share, layers):
    policy = parse(f"pyramidkv:budget={share}")
    each = [policy.keep(prompt, layer, layers) for layer in range(layers)]
    assert sum(each) == layers * max(1, math.floor(share * prompt + 1e-9))


def test_pyramid_budgets_of_a_known_model():
    """Cap 2048, window 8, 32 layers: from 3978 + 8 down to 102 + 8, the mean exactly the cap."""
    policy = parse("pyramidkv:budget=2048,window=8")
    each = [policy.keep(10_000, layer, 32) for layer in range(32)]
    assert (each[0], each[-1], sum(each)) == (3986, 110, 32 * 2048)


@given(prompt=st.integers(1, 24), spare=st.integers(1, 16), how=observations, seed=st.integers(0, 9))
def test_pyramidkv_is_its_loop(prompt, spare, how, seed):
    tokens, mean = Tokens(seed, prompt), min(prompt, how.window + spare)
    window = min(how.window, mean)
    middle = mean - window  # of three layers, and exact
    high = min(2 * middle - middle // 3, prompt - window)
    budgets = [window + n for n in (high, middle, 2 * middle - high)]
    expected = [snapkv(tokens, layer, budget, how) for layer, budget in enumerate(budgets)]
    assert kept(parse(f"pyramidkv:budget={how.window + spare},beta=3,{how.settings}"), tokens) == expected


def test_pyramidkv_is_not_snapkv_and_its_layers_differ():
    tokens = Tokens(0, 60, layers=4)
    pyramid = kept(parse("pyramidkv:budget=24,window=8"), tokens)
    assert len({len(layer[0]) for layer in pyramid}) == 4
    assert pyramid != kept(parse("snapkv:budget=24,window=8"), tokens)


def windowkv(tokens: Tokens, source: int, keep: int, how: tuple[str, int, int]) -> list[int]:
    """What WindowKV keeps; `how` is task, suffix and tokens of a window."""
    prompt, (task, suffix, width) = tokens.count, how
    whole = max(0, prompt - suffix) // width * width
    if keep >= prompt or keep <= prompt - whole:
        return list(range(prompt - keep, prompt))
    sums = [s for head in column_sums(tokens, source, suffix) for s in head]
    mean = by_group(sums, "mean")
    scores = []
    for start in range(0, whole, width):
        each = sorted(mean[start : start + width], reverse=True)
        each = each[: max(1, width // 2)] if task == "localization" else each
        scores.append(sum(each) / len(each))
    chosen = best(scores, (keep - (prompt - whole)) // width)
    return sorted(t for w in chosen for t in range(w * width, (w + 1) * width)) + list(range(whole, prompt))


@given(
    prompt=st.integers(1, 60),
    spare=st.integers(1, 30),
    task=st.sampled_from(["localization", "aggregation"]),
    suffix=st.integers(1, 9),
    width=st.integers(1, 8),
    seed=st.integers(0, 9),
)
def test_windowkv_is_its_loop(prompt, spare, task, suffix, width, seed):
    tokens = Tokens(seed, prompt)
    policy = parse(f"windowkv:budget={suffix + spare},task={task},suffix={suffix},size={width},sharing=2,beta=3")
    expected = [
        [windowkv(tokens, layer // 2 * 2, policy.keep(prompt, layer, 3), (task, suffix, width))] * KV
        for layer in range(3)
    ]
    assert kept(policy, tokens) == expected


@given(
    prompt=st.integers(1, 9000),
    budget=st.integers(33, 4096),
    layers=st.integers(1, 80),
    sharing=st.integers(1, 14),
    width=st.integers(1, 16),
)
@example(prompt=9000, budget=2048, layers=28, sharing=8, width=8)  # the last group is smaller
def test_windowkv_budgets_fall_and_stay_below_the_cap(prompt, budget, layers, sharing, width):
    policy = parse(f"windowkv:budget={budget},sharing={sharing},size={width}")
    mean = min(prompt, budget)
    each = [policy.keep(prompt, layer, layers) for layer in range(layers)]
    shares = [policy.share(mean, prompt, layer, layers) for layer in range(layers)]
    assert sum(each) <= layers * mean
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) > layers * (mean - 1)  # rounding loses less than a slot a layer,
    assert all(share - width < n <= share for share, n in zip(shares, each, strict=True))  # whole windows less than one
    for layer in range(layers):
        source = policy.source(layer, layers)
        assert source <= layer
        assert policy.keep(prompt, source, layers) == each[layer]
        assert policy.profile(source, layers) == policy.profile(layer, layers)


def test_windowkv_budgets_of_a_known_model():
    policy = parse("windowkv:budget=2048")
    shares = [policy.share(2048, 10_000, layer, 32) for layer in (0, 8, 16, 31)]
    assert shares == [2925, 2340, 1755, 1170]


def adakv(scores: list[list[float]], size: tuple[int, int, int], floor: int) -> list[list[int]]:
    """What AdaKV keeps: `size` is prompt, mean budget and window."""
    prompt, budget, window = size
    ranked = [[*range(prompt - window, prompt)][::-1] + best(s, len(s)) for s in scores]
    sure = max(window, floor)
    chosen = [r[:sure] for r in ranked]
    rest = [(-scores[h][j], h, -j) for h, r in enumerate(ranked) for j in r[sure:]]
    for _, h, j in sorted(rest)[: (budget - sure) * len(scores)]:
        chosen[h].append(-j)
    return [sorted(c) for c in chosen]


@given(
    prompt=st.integers(2, 40),
    spare=st.integers(1, 30),
    alpha=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    window=st.integers(1, 9),
    seed=st.integers(0, 9),
)
def test_adakv_is_its_loop_and_keeps_exactly_its_total(prompt, spare, alpha, window, seed):
    tokens, budget = Tokens(seed, prompt, layers=2), window + spare
    policy = parse(f"adakv:budget={budget},alpha={alpha},window={window},kernel=3")
    for layer, got in enumerate(kept(policy, tokens)):
        assert sum(map(len, got)) == KV * min(budget, prompt)
        if budget < prompt:
            scores = Observation(window, 3, "max", "mean").scores(tokens, layer)
            assert got == adakv(scores, (prompt, budget, window), int(alpha * budget))


def test_adakv_gives_a_head_what_the_others_do_not_need():
    """A head that looks at one place leaves its slots to one that looks everywhere; neither is padded."""
    tokens, budget = Tokens(3, 400, layers=1, sharp=0.3), 40
    tokens.q[:, :, :2], tokens.k[:, :, 0] = 0, 0  # the first KV head looks everywhere,
    tokens.q[:, :, 2:], tokens.k[:, :, 1] = 4, 0  # the other at the first token
    tokens.k[:, 0, 1] = 4
    driver = Driver(parse(f"adakv:budget={budget},window=4,kernel=1"), made=spec(layers=1))
    driver.admit((tokens, 400), limit=1)
    wide, narrow = driver.kept()[0]
    assert (len(wide), len(narrow)) == (2 * budget - 8, 8)  # alpha = 0.2
    assert 0 in narrow
    assert len(driver.memory.ragged[0].owner[0]) == 2 * budget
    stats = driver.memory.stats(0)
    assert (stats.stored, stats.bytes) == (2 * budget, 2 * budget * driver.spec.slot_bytes)

    uniform = Driver(parse(f"snapkv:budget={len(wide)},window=4,kernel=1"), made=spec(layers=1))
    uniform.admit((tokens, 400), limit=1)
    assert uniform.kept()[0][0] == wide  # what it takes to serve the first head as well
    assert uniform.memory.stats(0).stored == 2 * len(wide) == 1.8 * stats.stored
    assert driver.memory.bytes < uniform.memory.bytes


def test_adakv_takes_any_score_but_not_another_division():
    tokens = Tokens(0, 30)
    norms = kept(parse("adakv:budget=10,window=2,scorer=knorm"), tokens)
    assert norms != kept(parse("adakv:budget=10,window=2"), tokens)
    assert all(sum(map(len, layer)) == 20 for layer in norms)
    with pytest.raises(ConfigError, match="taskkv divides slots"):
        parse("adakv:scorer=taskkv")


def view_of(heads: int, prompt: int, seed: int = 0) -> View:
    """A prompt with many heads."""
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(heads, n, prompt, 8, dtype=torch.float64, generator=generator) for n in (2, 1, 1))
    positions = torch.arange(prompt, dtype=torch.int32).expand(heads, prompt)
    return View.of_prompt((0, 1), q, (k[:, 0], v[:, 0], positions), Heads(0.35))


@given(
    heads=st.integers(1, 9),
    prompt=st.integers(2, 60),
    spare=st.integers(1, 40),
    part=st.floats(0, 0.99),
    seed=st.integers(0, 9),
)
def test_taskkv_heads_keep_everything_or_ends_and_middle(heads, prompt, spare, part, seed):
    policy = parse(f"taskkv:budget={5 + spare},window=3,sinks=2,kernel=1,heterogeneous={part}")
    keep, view = policy.keep(prompt, 0, 1), view_of(heads, prompt, seed)
    stays = choose(policy, view, keep)
    counts = stays.sum(-1)
    assert int(counts.sum()) == heads * keep
    if keep == prompt:
        return
    assert stays[:, :2].all()
    assert stays[:, -3:].all()
    ranked = counts[policy.distances(view).argsort(descending=True)].tolist()
    assert ranked == sorted(ranked, reverse=True)  # the further away, the more
    whole = ranked.count(prompt)
    others = ranked[whole:]
    assert max(others) - min(others) <= 1
    one_more = (whole + 1) * prompt + (heads - whole - 1) * min(keep, 5)
    assert whole >= math.ceil(part * heads) or one_more > heads * keep


def test_taskkv_distance_is_that_of_the_outputs():
    view, policy = view_of(4, 20), parse("taskkv:window=6")
    logits = torch.einsum("hgqd,hpd->hgqp", view.queries[:, :, -6:], view.keys[0]) * 0.35
    logits = logits.masked_fill(torch.ones(6, 20).triu(15).bool(), -torch.inf)
    outputs = torch.einsum("hgqp,hpd->hgd", logits.softmax(-1), view.values[0]) / 6
    centre = outputs.flatten(0, 1).mean(0)
    expected = [max(float((o - centre).norm()) for o in head) for head in outputs]
    assert policy.distances(view).tolist() == pytest.approx(expected, abs=1e-12)


def votes(view: View, row: int, middle: range) -> list[float]:
    """The votes of every query head for the slots of `middle`, added up."""
    sums = [0.0] * len(middle)
    for head, g in itertools.product(range(view.keys.shape[1]), range(view.query.shape[2])):
        logits = [float(view.query[row, head, g] @ view.keys[row, head, j]) * view.heads.scale for j in middle]
        weights = [math.exp(x - max(logits)) for x in logits]
        sums = [a + w / sum(weights) for a, w in zip(sums, weights, strict=True)]
    return sums


@given(count=st.integers(8, 16), sinks=st.integers(0, 3), recent=st.integers(1, 4), seed=st.integers(0, 9))
def test_tokenselect_reads_the_ends_and_what_heads_vote_for(count, sinks, recent, seed):
    generator = torch.Generator().manual_seed(seed)
    keys = torch.randn(2, KV, 16, 8, dtype=torch.float64, generator=generator)
    query = 3 * torch.randn(2, KV, 2, 8, dtype=torch.float64, generator=generator)
    positions = torch.arange(16).repeat(2, KV, 1)
    positions[1, :, count:] = -1  # the second row is shorter
    now = torch.tensor([16, count])[:, None, None]
    view = View(0, 1, now, query, Heads(0.5), (keys, keys, positions), slice(0, 16))
    policy = parse(f"tokenselect:top=2,sinks={sinks},recent={recent}")
    for row, length in enumerate((16, count)):
        middle = range(sinks, length - recent)
        pins = [*range(sinks), *range(length - recent, length)]
        top = [middle[j] for j in best(votes(view, row, middle), 2)]
        got = select(policy, view)[row].tolist()
        read = [sorted(j for j in head if positions[row, 0, j] >= 0) for head in got]
        assert read == [sorted({*pins, *top})] * KV


def test_tokenselect_stores_everything_and_reads_a_part():
    tokens = Tokens(0, 60, layers=1)
    driver = Driver(parse("tokenselect:top=5,sinks=2,recent=3"), made=spec(layers=1))
    driver.admit((tokens, 50), limit=10)
    for _ in range(10):
        driver.step()
    stats = driver.memory.stats(0)
    assert (stats.stored, stats.read, stats.evicted) == (60 * KV, 10 * 10 * KV, 0)  # ten slots in each of ten steps


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("snapkv:budget=32", "budget"),
        ("snapkv:budget=1.0", "budget"),
        ("snapkv:kernel=4", "odd"),
        ("snapkv:window=0", "window"),
        ("pyramidkv:beta=0", "beta"),
        ("windowkv:size=0", "size"),
        ("windowkv:sharing=15", "beta must be at least sharing"),
        ("windowkv:suffix=0,budget=0", "suffix"),
        ("windowkv:budget=16", "budget"),
        ("adakv:alpha=1.5", "alpha"),
        ("adakv:budget=8", "budget"),
        ("taskkv:heterogeneous=1", "heterogeneous"),
        ("taskkv:budget=36,sinks=4", "budget"),
        ("tokenselect:recent=0", "recent"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(text, message):
    with pytest.raises(ConfigError, match=message):
        parse(text)
