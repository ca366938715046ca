"""Warping against transformers' processors; drawing against exact distributions and against changing company."""

from collections import Counter
from random import Random
from unittest import mock

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from webfarer.core.errors import ConfigError
from webfarer.engine import sampler
from webfarer.engine.sampler import Row, pick, sample, seen_mask, warp
from webfarer.engine.sampling import SamplingParams

VOCAB = 37

params_of = st.builds(
    SamplingParams,
    temperature=st.sampled_from([0.0, 0.3, 1.0, 1.7]),
    top_p=st.sampled_from([1.0, 0.9, 0.5, 0.0]),
    top_k=st.sampled_from([0, 1, 5, 200]),
    min_p=st.sampled_from([0.0, 0.05, 1.0]),
    repetition_penalty=st.sampled_from([1.0, 1.3, 0.7]),
    seed=st.integers(0, 10**6),
    logprobs=st.sampled_from([None, 0, 3]),
)


def logits_of(seed, rows=1, dtype=torch.float64):
    return 3 * torch.randn(rows, VOCAB, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def row_of(params, history=(), banned=()):
    seen = seen_mask(history, VOCAB, torch.device("cpu")) if params.repetition_penalty != 1 else None
    return Row(params, Random(str(params.seed)), seen, banned)


def transformers_probs(logits, params, history):
    steps = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(params.repetition_penalty)])
    steps.append(TemperatureLogitsWarper(params.temperature))
    if params.top_k:
        steps.append(TopKLogitsWarper(params.top_k))
    if params.top_p < 1:
        steps.append(TopPLogitsWarper(params.top_p))
    if params.min_p:
        steps.append(MinPLogitsWarper(params.min_p))
    return steps(torch.tensor([history]), logits[None].clone())[0].softmax(dim=-1)


fews = st.sampled_from([2, 8, 1024])
"""How many ids are looked at first; what comes out must not depend on it."""


@given(
    params_of.filter(lambda p: not p.greedy),
    st.integers(0, 99),
    st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=6),
    fews,
)
def test_warping_is_that_of_transformers(params, seed, history, few):
    logits = logits_of(seed)[0]
    before = logits.clone()
    with mock.patch.object(sampler, "_FEW", few):
        ours = warp(logits[None], [row_of(params, history)])[0]
    theirs = transformers_probs(logits, params, history)
    assert torch.equal(ours > 0, theirs > 0)
    assert (ours - theirs).abs().max() < 1e-12
    assert torch.equal(logits, before), "warp is pure"


@pytest.mark.parametrize("cut", [{"top_k": 2}, {"top_p": 0.7}], ids=str)
def test_equals_at_the_edge_all_stay(cut):
    probs = warp(torch.tensor([[1.0, 2.0, 1.0, 0.0]]), [row_of(SamplingParams(temperature=1, **cut))])[0]
    assert (probs > 0).tolist() == [True, True, True, False]


def test_greedy_takes_the_lowest_of_equals_and_puts_all_mass_there():
    logits = torch.tensor([[0.0, 5.0, 5.0, 1.0], [7.0, 7.0, 7.0, 7.0]])
    rows = [row_of(SamplingParams()), row_of(SamplingParams(temperature=1e-9))]
    assert [d.id for d in sample(logits, rows)] == [1, 0]
    assert warp(logits, rows).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]


def test_a_penalty_changes_the_greedy_choice():
    logits = torch.tensor([3.0, 2.9, -1.0])
    row = Row(SamplingParams(repetition_penalty=2.0), Random(), seen_mask([0], 3, logits.device))
    assert warp(logits[None], [row])[0].argmax() == 1
    assert sample(logits[None], [row])[0].id == 1


@given(st.lists(params_of, min_size=1, max_size=5), st.integers(0, 99), fews, st.data())
def test_a_row_draws_the_same_in_any_company(several, seed, few, data):
    logits = logits_of(seed, len(several), torch.float32)
    histories = [data.draw(st.lists(st.integers(0, VOCAB - 1), max_size=6)) for _ in several]
    alone = [sample(logits[i : i + 1], [row_of(p, histories[i])])[0] for i, p in enumerate(several)]
    order = data.draw(st.permutations(range(len(several))))
    with mock.patch.object(sampler, "_FEW", few):
        together = sample(logits[list(order)], [row_of(several[i], histories[i]) for i in order])
    assert together == [alone[i] for i in order]


@given(params_of.filter(lambda p: not p.greedy), st.integers(0, 99))
def test_only_what_warping_left_is_drawn(params, seed):
    logits = logits_of(seed)
    row = row_of(params, [1, 2, 3])
    allowed = warp(logits, [row])[0] > 0
    assert all(allowed[one.id] for one in sample(logits.expand(20, -1), [row] * 20))


def test_picking_inverts_the_distribution_function():
    probs = torch.tensor([[0.0, 0.25, 0.0, 0.5, 0.25, 0.0]])
    chances = [0.0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2**-53]
    assert pick(probs.expand(6, -1), torch.tensor(chances, dtype=torch.float64)).tolist() == [1, 1, 3, 3, 4, 4]


def test_draws_follow_the_distribution():
    logits, count = logits_of(4), 8000
    params = SamplingParams(temperature=1.3, top_p=0.8, seed=1)
    row, expected = row_of(params), warp(logits, [row_of(params)])[0]
    drawn = Counter(one.id for one in sample(logits.expand(count, -1), [row] * count))
    kept = (expected > 0).nonzero()[:, 0].tolist()
    squares = sum((drawn[i] - count * float(expected[i])) ** 2 / (count * float(expected[i])) for i in kept)
    assert sum(drawn[i] for i in kept) == count
    assert squares < 3 * len(kept), "chi-square far above its mean, the degrees of freedom"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None])
def test_rows_that_are_no_numbers_give_no_token_and_leave_others_alone(bad):
    logits = logits_of(0, 3, torch.float32)
    params = [SamplingParams(seed=1, temperature=t, logprobs=2) for t in (1.0, 1.0, 0.0)]
    expected = sample(logits, [row_of(p) for p in params])
    if bad is None:
        logits[1] = float("-inf")
    else:
        logits[1, 5] = bad
    got = sample(logits, [row_of(p) for p in params])
    assert got[1].id is None
    assert [got[0], got[2]] == [expected[0], expected[2]]
    assert sample(logits, [row_of(SamplingParams())] * 3)[1].id is None, "the greedy path looks too"


def test_masked_parts_of_the_vocabulary_are_fine():
    logits = logits_of(0)
    logits[0, 10:] = float("-inf")
    assert sample(logits, [row_of(SamplingParams(temperature=5.0, seed=2))])[0].id < 10


def test_banned_ids_are_not_drawn():
    logits = torch.tensor([[1.0, 9.0, 8.0], [1.0, 9.0, 8.0]])
    rows = [row_of(SamplingParams(), banned={1}), row_of(SamplingParams())]
    assert [d.id for d in sample(logits, rows)] == [2, 1]


def test_logprobs_are_those_before_warping_best_first():
    logits = logits_of(3)
    params = SamplingParams(temperature=2.0, top_k=1, seed=0, logprobs=4)
    drawn = sample(logits, [row_of(params)])[0]
    plain = logits[0].log_softmax(dim=-1)
    values, ids = plain.sort(descending=True)
    assert drawn.logprob == pytest.approx(float(plain[drawn.id]), abs=1e-12)
    assert [i for i, _ in drawn.top] == ids[:4].tolist()
    assert [v for _, v in drawn.top] == pytest.approx(values[:4].tolist())
    silent = sample(logits, [row_of(SamplingParams(logprobs=0))])[0]
    assert silent.logprob is not None
    assert silent.top == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": 0},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_p": 1.5},
        {"top_k": -1},
        {"min_p": 2.0},
        {"repetition_penalty": 0.0},
        {"stop": ("a", "")},
        {"logprobs": 21},
        {"min_tokens": 300},
    ],
    ids=str,
)
def test_parameters_that_cannot_work_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SamplingParams(**wrong)
