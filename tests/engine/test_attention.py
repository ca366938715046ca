"""The attention kernels against a dense softmax in float64: windows, soft-caps, pasts, merging, heads of any length."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from webfarer.engine.attention import Heads, head_attention, merge, prompt_attention, received, slot_logits
from webfarer.engine.choosing import rotate, rotate_to_ranks
from webfarer.engine.prefixes import attend_prefix
from webfarer.engine.spec import Rotary

KV, GROUPS, DIM = 2, 3, 8
ROTARY = Rotary(10_000.0 ** (-torch.arange(0, DIM, 2, dtype=torch.float64) / DIM), DIM)
LAYERS = [
    Heads(0.35),
    Heads(0.35, window=5),
    Heads(0.35, window=300),
    Heads(0.35, softcap=1.5),
    Heads(0.35, softcap=1.5, window=7),
]


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    """Random numbers, always the same."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed + sum(shape)))


def dense(q: torch.Tensor, k: torch.Tensor, heads: Heads) -> torch.Tensor:
    """Weights of the last queries, position by position: [H, G, Q, P]."""
    past = k.shape[1] - q.shape[2]
    logits = torch.einsum("hgqd,hpd->hgqp", q, k) * heads.scale
    if heads.softcap is not None:
        logits = heads.softcap * torch.tanh(logits / heads.softcap)
    for i in range(q.shape[2]):
        for j in range(k.shape[1]):
            if j > past + i or (heads.window is not None and past + i - j >= heads.window):
                logits[:, :, i, j] = -torch.inf
    return torch.softmax(logits, -1)


@pytest.mark.parametrize("heads", LAYERS, ids=str)
@pytest.mark.parametrize(("count", "length"), [(1, 1), (9, 9), (1, 12), (4, 11)])
def test_prompt_attention_and_received_equal_the_dense_softmax(heads, count, length):
    q, k, v = noise(KV, GROUPS, count, DIM), noise(KV, length, DIM, seed=1), noise(KV, length, DIM, seed=2)
    weights = dense(q, k, heads)
    expected = torch.einsum("hgqp,hpd->hgqd", weights, v)
    assert (prompt_attention(q, k, v, heads) - expected).abs().max() < 1e-14
    sums = received(q, k, heads, lambda a: a.sum(1))
    assert (sums - weights.sum((1, 2))).abs().max() < 1e-14


@pytest.mark.parametrize("heads", LAYERS, ids=str)
@pytest.mark.parametrize("count", [90, 50])
def test_blocks_of_queries_change_nothing(heads, count, monkeypatch):
    q, k, v = noise(KV, GROUPS, count, DIM), noise(KV, 90, DIM, seed=1), noise(KV, 90, DIM, seed=2)
    whole = received(q, k, heads, lambda a: a.mean(1)), prompt_attention(q, k, v, heads)
    monkeypatch.setattr("webfarer.engine.attention.BLOCK", 32)
    blocks = received(q, k, heads, lambda a: a.mean(1)), prompt_attention(q, k, v, heads)
    assert (blocks[0] - whole[0]).abs().max() < 5e-15
    assert (blocks[1] - whole[1]).abs().max() < 5e-15


def test_received_is_the_causal_column_sum():
    """Of a softmax over keys that were still to come the last would have got more than one query's attention."""
    q, k = noise(KV, 1, 40, DIM), noise(KV, 40, DIM, seed=1)
    sums = received(q, k, Heads(1.0), lambda a: a[:, 0])
    last = torch.softmax(q[:, :, -1] @ k.transpose(1, 2), -1)[:, 0]
    assert (sums[:, -1] - last[:, -1]).abs().max() < 2e-15
    assert (sums - dense(q, k, Heads(1.0)).sum((1, 2))).abs().max() < 2e-15
    assert (sums.sum(-1) - 40).abs().max() < 1e-13


def test_half_precision_scores_are_summed_in_single():
    q, k = noise(KV, GROUPS, 30, DIM).bfloat16(), noise(KV, 30, DIM, seed=1).bfloat16()
    sums = received(q, k, Heads(0.35), lambda a: a.mean(1))
    exact = received(q.double(), k.double(), Heads(0.35), lambda a: a.mean(1))
    assert sums.dtype == torch.float32
    assert (sums - exact).abs().max() < 1e-5


def _partial(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    logits = q @ k.T
    return torch.softmax(logits, -1) @ v, torch.logsumexp(logits, -1)


def test_merging_33_and_17_keys_is_the_attention_over_50():
    q, k, v = noise(6, DIM), noise(50, DIM, seed=1), noise(50, DIM, seed=2)
    out, lse = merge(_partial(q, k[:33], v[:33]), _partial(q, k[33:], v[33:]))
    whole = _partial(q, k, v)
    assert (out - whole[0]).abs().max() < 1e-15
    assert (lse - whole[1]).abs().max() < 2e-15


def test_merging_ignores_empty_parts():
    one = noise(4, DIM), noise(4, seed=1)
    empty = torch.zeros(4, DIM, dtype=torch.float64), torch.full((4,), -torch.inf, dtype=torch.float64)
    for pair in [(one, empty), (empty, one)]:
        out, lse = merge(*pair)
        assert torch.equal(out, one[0])
        assert torch.equal(lse, one[1])
    out, lse = merge(empty, empty)
    assert torch.equal(out, empty[0])
    assert torch.equal(lse, empty[1])


@pytest.mark.parametrize("heads", [Heads(0.35), Heads(0.35, softcap=1.5)], ids=str)
@given(lengths=st.tuples(*[st.integers(0, 9)] * KV), padding=st.integers(0, 3), seed=st.integers(0, 99))
def test_heads_of_different_lengths_equal_one_softmax_each(heads, lengths, padding, seed):
    owners = [h for h, n in enumerate(lengths) for _ in range(n)] + [-1] * padding
    shuffle = torch.randperm(len(owners), generator=torch.Generator().manual_seed(seed))
    owner = torch.tensor(owners, dtype=torch.int32)[shuffle][None]
    q = noise(1, KV, GROUPS, DIM, seed=seed)
    k, v = noise(1, len(owners), DIM, seed=1), noise(1, len(owners), DIM, seed=2)
    out, lse = head_attention(q, k, v, owner, heads)
    for h, length in enumerate(lengths):
        mine = owner[0] == h
        if not length:
            assert (lse[0, h] == -torch.inf).all()
            assert (out[0, h] == 0).all()
            continue
        logits = slot_logits(
            q[:, h : h + 1], k[:, None, mine], k.new_zeros(1, 1, 1, length), heads.scale, heads.softcap
        )
        assert (out[0, h] - torch.softmax(logits[0], -1) @ v[0, mine]).abs().max() < 1e-14
        assert (lse[0, h] - torch.logsumexp(logits[0], -1)).abs().max() < 1e-14


@pytest.mark.parametrize("heads", [Heads(0.35), Heads(0.35, softcap=1.5)], ids=str)
@pytest.mark.parametrize("rows", [1, 5])
def test_a_shared_prefix_equals_one_copy_for_each_row(heads, rows):
    q, k, v = noise(rows, KV, GROUPS, DIM), noise(KV, 11, DIM, seed=1), noise(KV, 11, DIM, seed=2)
    out, lse = attend_prefix(q, k, v, heads)
    copies = k.expand(rows, KV, 11, DIM), v.expand(rows, KV, 11, DIM)
    logits = slot_logits(q, copies[0], k.new_zeros(rows, KV, 1, 11), heads.scale, heads.softcap)
    logits = logits.view(rows, KV, GROUPS, 11)
    assert (out - torch.softmax(logits, -1) @ copies[1]).abs().max() < 1e-15
    assert (lse - torch.logsumexp(logits, -1)).abs().max() < 1e-15


def test_empty_slots_receive_nothing():
    q, k, v = noise(2, KV, GROUPS, DIM), noise(2, KV, 6, DIM, seed=1), noise(2, KV, 6, DIM, seed=2)
    bias = torch.zeros(2, KV, 1, 6, dtype=torch.float64)
    bias[..., 4:] = -torch.inf
    heads = Heads(0.35, softcap=2.0)
    weights = torch.softmax(slot_logits(q, k, bias, heads.scale, heads.softcap), -1)
    assert (weights[..., 4:] == 0).all()
    out = torch.bmm(weights, v.flatten(0, 1)).view(q.shape)
    for row in range(2):
        short = dense(q[row][:, :, None], k[row, :, :4], heads)
        assert (out[row] - (short @ v[row, :, None, :4])[:, :, 0]).abs().max() < 1e-15


def test_rotations_add_up():
    x = noise(50, DIM)
    shift = torch.full((50,), 17)
    twice = rotate(rotate(x, shift, ROTARY), shift - 22, ROTARY)
    assert (twice - rotate(x, shift - 5, ROTARY)).abs().max() < 1e-15


@given(dims=st.sampled_from([2, 4, 8]), shift=st.integers(-900, 900))
def test_rotation_keeps_what_is_not_rotated_and_every_length(dims, shift):
    rotary = Rotary(ROTARY.inv_freq[: dims // 2], dims, scaling=1.3)
    x = noise(20, DIM)
    moved = rotate(x, torch.full((20,), shift), rotary)
    assert torch.equal(moved[:, dims:], x[:, dims:])
    assert (moved.norm(dim=-1) - x.norm(dim=-1)).abs().max() < 1e-14


def test_half_precision_keys_rotate_in_single():
    x = noise(20, DIM).bfloat16()
    moved = rotate(x, torch.full((20,), 100_001), Rotary(ROTARY.inv_freq.float(), DIM))
    exact = rotate(x.double(), torch.full((20,), 100_001), ROTARY)
    assert moved.dtype == torch.bfloat16
    assert (moved.double() - exact).abs().max() < 0.02


def test_rerotated_slots_equal_a_forward_over_the_kept_tokens_at_positions_from_zero():
    """StreamingLLM's positions, one layer: sinks and the recent, read as if nothing had ever stood between them."""
    length, kept = 40, [0, 1, 2, 3, 33, 34, 35, 36, 37, 38, 39]
    raw_q, raw_k, v = noise(KV, GROUPS, DIM), noise(KV, length, DIM, seed=1), noise(KV, length, DIM, seed=2)
    keys = rotate(raw_k, torch.arange(length).expand(KV, length), ROTARY)
    query = rotate(raw_q, torch.full((KV, GROUPS), length - 1), ROTARY)

    order = torch.randperm(len(kept), generator=torch.Generator().manual_seed(0))  # slots stand in any order
    index = torch.tensor(kept)[order]
    hole = torch.full((1, KV, 1), -1)  # and some are empty
    positions = torch.cat([index.expand(1, KV, -1), hole], -1)
    slots = torch.cat([keys[None, :, index], torch.zeros(1, KV, 1, DIM, dtype=torch.float64)], 2)
    now, held = torch.tensor([[[length]]]), torch.tensor([[[len(kept)]]])
    moved = rotate_to_ranks(slots, positions, now, held, ROTARY)[0, :, :-1]
    got = torch.softmax(query @ moved.transpose(1, 2), -1) @ v[:, index]

    fresh_k = rotate(raw_k[:, kept], torch.arange(len(kept)).expand(KV, -1), ROTARY)
    fresh_q = rotate(raw_q, torch.full((KV, GROUPS), len(kept) - 1), ROTARY)
    expected = torch.softmax(fresh_q @ fresh_k.transpose(1, 2), -1) @ v[:, kept]
    assert (got - expected).abs().max() < 1e-14
