"""Speculative decoding changes nothing but the time: exact output distributions, taken from the real code.

All that can happen is added up, by `enumerating`.
"""

from collections import Counter
from itertools import product
from random import Random

import pytest
import torch
from enumerating import joint, outcomes, plain, siblings, table, trees
from hypothesis import given
from hypothesis import strategies as st

from webfarer.engine.accepting import accept, candidates, follow
from webfarer.engine.drafting import Draft
from webfarer.engine.sampler import pick

P = (0.5, 0.3, 0.1, 0.1)
Q = (0.1, 0.2, 0.3, 0.4)
seeds = st.integers(0, 10**6)
replacements = pytest.mark.parametrize("replacement", [False, True])


def by_the_book(p, q, drawn_with, verified_with):
    """What two siblings give when they are judged by the formulas alone, 0 / 0 read as 1."""
    found = torch.zeros_like(p)
    for chance, ids in siblings(q, 2, drawn_with):
        left, drawn = p, q
        for token in ids:
            odds = min(1.0, float(left[token] / drawn[token])) if drawn[token] else 1.0
            found[token] += chance * odds
            chance *= 1 - odds
            left = (left - drawn).clamp(min=0)
            left = left / left.sum()
            if not verified_with:
                drawn = drawn.index_fill(0, torch.tensor([token]), 0.0)
                drawn = drawn / drawn.sum()
        found += chance * left
    return found.tolist()


def ours(p, q, drawn_with, verified_with):
    """What they give when `accept` judges them."""
    return joint(lambda prefix: p, trees(lambda prefix: q, (2,), drawn_with), 1, len(p), verified_with).tolist()


@pytest.mark.parametrize(
    ("drawn_with", "verified_with", "book", "real"),
    [
        (False, False, P, P),
        (True, True, P, P),
        (False, True, (0.442857142857, 0.357142857143, 0.1, 0.1), (0.442857142857, 0.357142857143, 0.1, 0.1)),
        # `accept` passes over the twin of a sibling it has rejected, which mends this mixture
        (True, False, (0.356, 0.264, 0.16, 0.22), P),
    ],
)
def test_siblings_must_be_judged_as_they_were_drawn(drawn_with, verified_with, book, real):
    p, q = torch.tensor(P, dtype=torch.float64), torch.tensor(Q, dtype=torch.float64)
    assert by_the_book(p, q, drawn_with, verified_with) == pytest.approx(book, abs=1e-12)
    assert ours(p, q, drawn_with, verified_with) == pytest.approx(real, abs=1e-12)


@replacements
def test_the_likeliest_tokens_must_not_pass_for_drawn_ones(replacement):
    p, q = torch.tensor([P, P, P], dtype=torch.float64), torch.tensor([Q], dtype=torch.float64)
    chosen = {"tokens": (3, 2), "parents": (-1, -1)}

    def first(draft):
        found = Counter()
        for chance, accepted in outcomes(p, draft, replacement):
            found[accepted.tokens(draft)[0]] += chance
        return [found[token] for token in range(4)]

    assert first(Draft(**chosen, probs=q, forks=(0, 0))) == pytest.approx([0.75, 0, 0, 0.25], abs=1e-12)
    assert first(Draft(**chosen)) == pytest.approx(P, abs=1e-12)


def error(shape, seed, drawn_with, verified_with):
    """How far the distribution of the first tokens is from the model's own, for random tables p and q."""
    vocab, widths, horizon = shape
    p, q = table(seed, vocab), table(seed + 1, vocab)
    found = joint(p, trees(q, widths, drawn_with), horizon, vocab, verified_with)
    return float((found - plain(p, horizon, vocab)).abs().max())


shapes = st.sampled_from([(8, (1,), 1), (3, (1, 1), 2), (4, (2,), 1), (3, (3,), 1), (3, (2,), 2), (2, (2, 1), 2)])


@replacements
@given(seed=seeds, shape=shapes)
def test_chains_and_trees_give_the_models_own_distribution(replacement, seed, shape):
    assert error(shape, seed, replacement, replacement) < 1e-12


@pytest.mark.slow
@replacements
@pytest.mark.parametrize(
    "shape", [(3, (2, 1), 3), (3, (1, 2), 3), (3, (2, 2), 3), (3, (1, 1, 1), 3), (5, (3,), 2), (4, (1, 1), 3)]
)
def test_larger_ones_too(replacement, shape):
    for seed in range(4):
        assert error(shape, seed, replacement, replacement) < 1e-12


@pytest.mark.slow
@given(seed=seeds, shape=st.sampled_from([(3, (3,), 1), (4, (2,), 1)]))
def test_siblings_drawn_again_may_be_judged_as_if_they_could_not(seed, shape):
    assert error(shape, seed, True, False) < 1e-12


named = st.sampled_from([(), (0, 1, 2), (2, 2), (1, 0, 0), (0,)])


@replacements
@given(seed=seeds, first=named, second=named)
def test_candidates_that_are_named_and_not_drawn_give_it_too(replacement, seed, first, second):
    p = table(seed, 3)
    below = second if first else ()
    prefixes = [(token,) for token in first] + [(first[0], token) for token in below]
    draft = Draft((*first, *below), (-1,) * len(first) + (0,) * len(below))
    found = joint(p, [(1.0, draft, prefixes)], 3, 3, replacement)
    assert float((found - plain(p, 3, 3)).abs().max()) < 1e-12


@replacements
@given(seed=seeds)
def test_tokens_the_drafter_cannot_have_drawn_count_as_named(replacement, seed):
    p, q = table(seed, 4), table(seed + 1, 4)(())
    impossible = (q == 0).nonzero()[:, 0].tolist()
    draft = Draft((*impossible, *impossible), (-1,) * 2 * len(impossible), q[None], (0,) * 2 * len(impossible))
    found = joint(p, [(1.0, draft, [(token,) for token in draft.tokens])], 1, 4, replacement)
    assert float((found - p(())).abs().max()) < 1e-12


@replacements
@given(seed=seeds, vocab=st.integers(2, 9), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_greedy_rows_give_greedy_decoding(replacement, seed, vocab, dtype):
    random = Random(seed)
    parents = [random.randrange(-1, node) for node in range(random.randrange(7))]
    draft = Draft(
        tuple(random.randrange(vocab) for _ in parents),
        tuple(parents),
        torch.stack([table(seed, vocab)(node).to(dtype) for node in range(-1, 8)]) if random.random() < 0.6 else None,
        tuple(parent + 1 for parent in parents),
    )
    best = [random.randrange(vocab) for _ in range(len(parents) + 1)]
    target = torch.nn.functional.one_hot(torch.tensor(best), vocab).to(dtype)
    accepted = accept(target, draft, Random(seed), replacement=replacement)
    at = -1
    for node in accepted.path:
        assert parents[node] == at
        assert draft.tokens[node] == best[at + 1]
        at = node
    assert accepted.token == best[at + 1]
    assert not [n for n, parent in enumerate(parents) if parent == at and draft.tokens[n] == accepted.token]


@replacements
def test_a_draft_from_the_models_own_distribution_stands_whatever_the_rounding(replacement):
    for seed in range(50):
        probs = torch.rand(3, 11, generator=torch.Generator().manual_seed(seed)).softmax(dim=-1)
        drawn = [int(pick(probs[i][None], torch.tensor([Random(seed + i).random()]))[0]) for i in range(2)]
        accepted = accept(probs, Draft.chain(drawn, probs[:2]), Random(seed), replacement=replacement)
        assert accepted.path == (0, 1)


def test_what_rounding_rejects_is_drawn_from_the_models_distribution():
    class One:
        def random(self):
            return 1.0  # no stream gives it; the product of a stream's number and a share may round to the share

    probs = torch.tensor([[0.25, 0.75], [0.5, 0.5]])
    accepted = accept(probs, Draft.chain([1], probs[:1]), One(), replacement=False)
    assert accepted.path == ()
    assert accepted.token == 1


def test_nothing_drafted_is_plain_drawing():
    probs = torch.tensor([[0.2, 0.3, 0.5]])
    for seed in range(20):
        chance = torch.tensor([Random(seed).random()], dtype=torch.float64)
        assert accept(probs, Draft(), Random(seed), replacement=False).tokens(Draft()) == (int(pick(probs, chance)[0]),)


@pytest.mark.slow
def test_a_hundred_thousand_draws_have_the_models_distribution():
    p, q = table(1, 4), torch.tensor([Q], dtype=torch.float64)
    target = torch.stack([p((token,)) for token in range(4)])
    random, count, found = Random(7), 100_000, Counter()
    chances = torch.rand(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    drawn = candidates(q.expand(count, -1), chances, replacement=False)
    for ids in drawn.tolist():
        draft = Draft(tuple(ids), (-1, -1), q, (0, 0))
        tokens = accept(torch.stack([p(()), *target[ids]]), draft, random, replacement=False).tokens(draft)
        found[tokens] += 1
    squares, cells = 0.0, 0
    for token, after in product(range(4), range(4)):
        whole = sum(n for tokens, n in found.items() if tokens[0] == token and len(tokens) == 2)
        share = float(target[token][after])
        if whole and share:
            squares += (found[token, after] - whole * share) ** 2 / (whole * share)
            cells += 1
    for token, share in enumerate(p(()).tolist()):
        seen = sum(n for tokens, n in found.items() if tokens[0] == token)
        squares += (seen - count * share) ** 2 / (count * share) if share else seen
        cells += share > 0
    # mean of a chi-square is its degrees of freedom, its variance twice that; five standard deviations
    assert squares < cells + 5 * (2 * cells) ** 0.5


@replacements
def test_candidates_are_drawn_from_the_distribution(replacement):
    # the midpoints of so fine a grid hit every id exactly as often as its share
    first, second = 10, 504 if not replacement else 10
    grid = [((i + 0.5) / first, (j + 0.5) / second) for i in range(first) for j in range(second)]
    probs = torch.tensor([Q], dtype=torch.float64).expand(len(grid), -1)
    drawn = candidates(probs, torch.tensor(grid, dtype=torch.float64), replacement=replacement)
    found = Counter(tuple(ids) for ids in drawn.tolist())
    expected = {ids: chance for chance, ids in siblings(torch.tensor(Q, dtype=torch.float64), 2, replacement)}
    assert set(found) == set(expected)
    for ids, chance in expected.items():
        assert found[ids] / len(grid) == pytest.approx(chance, abs=1e-12)


@given(seed=seeds, k=st.integers(0, 7), rows=st.integers(1, 3))
def test_candidates_without_replacement_are_all_there_are(seed, k, rows):
    probs = torch.stack([table(seed + row, 5)(()) for row in range(rows)])
    chances = torch.rand(rows, k, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    for row, ids in zip(probs, candidates(probs, chances, replacement=False).tolist(), strict=True):
        possible = int((row > 0).sum())
        drawn, missing = ids[:possible], ids[possible:]
        assert len(set(drawn)) == len(drawn)
        assert all(row[token] > 0 for token in drawn)
        assert missing == [-1] * len(missing)
    again = candidates(probs, chances, replacement=True)
    assert bool((probs.gather(1, again) > 0).all())


@given(seed=seeds, vocab=st.integers(1, 4))
def test_following_gives_plain_decodings_text(seed, vocab):
    random = Random(seed)
    parents = [random.randrange(-1, node) for node in range(random.randrange(9))]
    prefixes = {-1: ()}
    for node, parent in enumerate(parents):
        prefixes[node] = (*prefixes[parent], random.randrange(vocab))
    draft = Draft(tuple(prefixes[node][-1] for node in range(len(parents))), tuple(parents))

    def drawn(prefix):
        return Random(f"{seed}:{prefix}").randrange(vocab)

    accepted = follow(draft, [drawn(prefixes[node]) for node in range(-1, len(parents))])
    text, at = (), -1
    for node in accepted.path:
        assert parents[node] == at
        assert draft.tokens[node] == drawn(text)
        text, at = prefixes[node], node
    assert accepted.token == drawn(text)
    assert (at, accepted.token) not in zip(draft.parents, draft.tokens, strict=True)
    assert accepted.tokens(draft) == (*text, accepted.token)
