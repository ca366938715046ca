"""N-gram and prompt lookup against slow readings of the same rules, while rows come, write, move and go."""

from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.generation.candidate_generator import PromptLookupCandidateGenerator

from webfarer.core.errors import ConfigError
from webfarer.engine.drafters import lookup, ngram
from webfarer.engine.drafting import DRAFTERS, Ask, Draft
from webfarer.engine.sampling import SamplingParams

texts = st.lists(st.integers(0, 3), min_size=1, max_size=40)
all_widths = st.sampled_from([(), (1,), (1, 1, 1), (2, 1), (2, 2), (1, 3), (4,), (3, 2, 1)])


def ask(prompt, drawn=(), widths=()):
    return Ask(tuple(prompt), list(drawn), SamplingParams(), widths)


def make(drafter, argument=""):
    return DRAFTERS.load(drafter).make(argument, None, 4)


def one(drafter, prompt, drawn, widths):
    """What a fresh drafter gives for one row."""
    drafter.open([tuple(prompt)], [99])
    return drafter.propose([ask(prompt, drawn, widths)])[0]


def alike(one, other):
    return (one.tokens, one.parents, one.probs, one.forks) == (other.tokens, other.parents, other.probs, other.forks)


class Slow:
    """The rule of `ngram`, read from all that was ever written: texts, and the order in which the pool saw tokens."""

    def __init__(self, longest, shortest, shared):
        self.longest, self.shortest, self.shared = longest, shortest, shared
        self.pool = []  # (the tokens before, the token), newest last

    def heard(self, text, before):
        self.pool += [(tuple(text[:at]), text[at]) for at in range(before, len(text))]

    def candidates(self, text, context, width):
        found = []
        for order in range(min(self.longest, len(context)), self.shortest - 1, -1):
            gram = tuple(context[-order:])
            own = [text[at] for at in range(len(text) - 1, order - 1, -1) if tuple(text[at - order : at]) == gram]
            others = [
                token for before, token in reversed(self.pool) if len(before) >= order and before[-order:] == gram
            ]
            for token in [*own, *(others if self.shared else ())]:
                if token not in found:
                    found.append(token)
            if len(found) >= width:
                break
        return found[:width]

    def draft(self, text, widths):
        tokens, parents, level = [], [], [(-1, ())]
        for width in widths:
            below = []
            for parent, path in level:
                for token in self.candidates(text, [*text, *path], width):
                    below.append((len(tokens), (*path, token)))
                    tokens.append(token)
                    parents.append(parent)
            level = below
        return Draft(tuple(tokens), tuple(parents))


@given(
    seed=st.integers(0, 10**6),
    prompts=st.lists(texts, min_size=1, max_size=4),
    orders=st.sampled_from([(4, 2), (2, 1), (1, 1), (3, 3)]),
    shared=st.booleans(),
)
def test_ngram_gives_what_the_rule_says_while_rows_write_and_close(seed, prompts, orders, shared):
    random = Random(seed)
    drafter = make("ngram", f"longest={orders[0]},shortest={orders[1]},shared={shared}".lower())
    slow = Slow(*orders, shared)
    waiting, rows = [tuple(prompt) for prompt in prompts], []
    for _ in range(8):
        if waiting and (not rows or random.random() < 0.5):
            rows.append((waiting.pop(), []))
            drafter.open([rows[-1][0]], [99])
        widths = random.choice([(1, 1, 1), (2, 2), (3, 1), ()])
        drafts = drafter.propose([ask(*row, widths) for row in rows])
        for draft, (prompt, drawn) in zip(drafts, rows, strict=True):
            assert alike(draft, slow.draft([*prompt, *drawn], widths))
        for prompt, drawn in rows:
            before = len(prompt) + len(drawn)
            drawn += [random.randrange(4) for _ in range(random.randrange(4))]
            slow.heard([*prompt, *drawn], before)
        drafter.settle([ask(*row) for row in rows])
        if random.random() < 0.3:
            row = random.randrange(len(rows))
            drafter.close(row)
            rows[row] = rows[-1]
            rows.pop()
            if not rows and not waiting:
                return


@given(prompt=texts, drawn=texts, widths=all_widths, pieces=st.integers(1, 5))
def test_the_same_text_gives_the_same_draft_however_it_came(prompt, drawn, widths, pieces):
    whole = one(make("ngram", "shared=false"), prompt, drawn, widths)
    drafter = make("ngram", "shared=false")
    drafter.open([tuple(prompt), (1, 2, 3, 1, 2)], [99, 99])
    for end in range(0, len(drawn), pieces):
        drafter.propose([ask(prompt, drawn[:end], (1, 1)), ask((1, 2, 3, 1, 2), (), (1,))])
    other = ask((1, 2, 3, 1, 2), (), widths)
    assert alike(drafter.propose([ask(prompt, drawn, widths), other])[0], whole)


@pytest.mark.parametrize("drafter", ["ngram", "lookup"])
@given(prompt=texts, drawn=texts, widths=all_widths)
def test_a_draft_is_a_tree_no_larger_than_asked_for(drafter, prompt, drawn, widths):
    draft = one(make(drafter), prompt, drawn, widths)
    assert draft.probs is None
    level, at = [-1], 0
    for width in widths:
        below = []
        for parent in level:
            children = [node for node in range(at, len(draft.tokens)) if draft.parents[node] == parent]
            assert len({draft.tokens[node] for node in children}) == len(children) <= width
            below += children
        assert below == list(range(at, at + len(below)))
        level, at = below, at + len(below)
    assert at == len(draft.tokens)
    assert set(draft.tokens) <= {*prompt, *drawn}


def test_longer_matches_go_first_and_newer_ones_before_older():
    text = (1, 2, 3, 9, 4, 2, 3, 5, 1, 2, 3)
    assert one(make("ngram"), text, (), (1, 1)).tokens == (9, 4)
    assert one(make("ngram", "longest=2"), text, (), (1, 1)).tokens == (5, 1)
    assert one(make("ngram", "longest=2"), text, (), (2,)).tokens == (5, 9)
    assert one(make("ngram", "shortest=4"), text, (), (1,)).tokens == ()
    assert one(make("ngram"), (1, 2, 1, 2, 1, 2), (), (1,) * 5).tokens == (1, 2, 1, 2, 1)  # goes on past the end


def test_branches_draft_from_what_their_siblings_wrote():
    prompt, written = (1, 2, 3), [7, 8, 9, 7, 6]
    asks = [ask(prompt, written), ask(prompt, [7, 8], (1, 1, 1))]
    for argument, tokens in (("", (9, 7, 6)), ("shared=false", ())):
        drafter = make("ngram", argument)
        drafter.open([prompt, prompt], [9, 9])
        drafter.settle([ask(prompt, written), ask(prompt)])
        assert drafter.propose(asks)[1].tokens == tokens
        drafter.close(0)
        assert drafter.propose(asks[1:])[0].tokens == tokens  # what a branch wrote outlives it


@given(seed=st.integers(0, 10**6))
def test_an_index_remembers_no_more_than_it_should_and_forgets_the_oldest(seed):
    random = Random(seed)
    text = [random.randrange(6) for _ in range(200)]
    small, whole = (ngram.Index(ngram.Options(memory=memory)) for memory in (30, 10_000))
    for at in range(len(text)):
        for index in (small, whole):
            index.take(text[max(at - 4, 0) : at + 1], 1)
        assert len(small._after) <= 30
    assert list(small._after.items()) == [
        (gram, after[: len(small.after(gram))]) for gram, after in list(whole._after.items())[-30:]
    ]


@given(text=texts, longest=st.integers(1, 4), count=st.integers(1, 6))
def test_lookup_copies_what_transformers_copies(text, longest, count):
    theirs = PromptLookupCandidateGenerator(
        num_output_tokens=count, max_matching_ngram_size=longest, max_length=len(text) + 100
    )
    copied = theirs.get_candidates(torch.tensor([text]))[0][0, len(text) :].tolist()
    cut = len(text) // 2
    draft = one(make("lookup", f"longest={longest}"), text[:cut], text[cut:], (1,) * count)
    assert alike(draft, Draft.chain(copied))


def test_lookup_takes_the_leftmost_match_and_stops_at_the_end():
    assert lookup.following([1, 2, 3, 1, 2, 4, 1, 2], 2, 3) == [3, 1, 2]
    assert lookup.following([5, 1, 2, 1, 2], 2, 9) == [1, 2]
    assert lookup.following([1, 2, 3], 2, 9) == []
    assert make("lookup").propose([ask((1, 1, 1), (), ())])[0].tokens == ()


@pytest.mark.parametrize(
    ("drafter", "argument", "message"),
    [
        ("ngram", "longest=x", "known, with their defaults: longest=4, shortest=2, shared=true"),
        ("ngram", "shared=2", "cannot read 'shared=2'"),
        ("ngram", "longest", "cannot read 'longest'"),
        ("ngram", "length=3", "cannot read 'length=3'"),
        ("ngram", "shortest=0", "1 <= shortest"),
        ("ngram", "longest=1", "1 <= shortest"),
        ("ngram", "memory=0", "memory"),
        ("lookup", "longest=0", "at least 1"),
        ("lookup", "shortest=2", "known, with their defaults: longest=2"),
    ],
)
def test_settings_that_cannot_work_are_refused(drafter, argument, message):
    with pytest.raises(ConfigError, match=message):
        make(drafter, argument)


def test_settings_may_have_spaces_and_capitals():
    assert one(make("ngram", " longest=2 , shared=FALSE,"), (1, 2, 3, 1, 2), (), (1,)).tokens == (3,)
