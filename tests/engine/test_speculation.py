"""Speculative decoding: whatever drafts, however much, the text is that of plain decoding."""

import math
from collections import Counter
from dataclasses import fields
from functools import cache
from random import Random

import batching
import pytest
import tiny
import torch
from batching import EOS, engine_of, run, submit
from guessing import GREEDY, PARAMS, POLICIES, PROMPTS, Made, Oracle, check, drafters, engine_with, other, plain
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.engine import intake
from webfarer.engine.assembly import decoder_of
from webfarer.engine.drafters import model as model_drafter
from webfarer.engine.drafting import DRAFTERS, Ask, Draft
from webfarer.engine.engine import Engine, Limits
from webfarer.engine.lengths import Costs
from webfarer.engine.loading import Loaded
from webfarer.engine.policy import parse
from webfarer.engine.sampling import SamplingParams
from webfarer.engine.speculation import Speculate


@pytest.mark.parametrize("k", [3, *(pytest.param(k, marks=pytest.mark.slow) for k in (0, 1, 2, 4, 5, 6))])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["ngram", "lookup", "self", "self scope", "perfect", "model"])
def test_the_text_is_plain_decodings(name, policy, k):
    engine = check(Speculate(k=k), policy, drafters()[name], PARAMS)
    stats = engine.stats()
    assert (stats.drafted > 0) == (k > 0)
    if name == "perfect" and policy == "full" and k:
        assert stats.accepted / stats.drafted > 0.8


@pytest.mark.parametrize("widths", [(2, 1, 1), (3, 2), (1, 4), (2, 2, 2)])
@pytest.mark.parametrize("name", ["ngram", "perfect", "model"])
@pytest.mark.slow
def test_trees_too(name, widths):
    check(Speculate(widths=widths), "full", drafters()[name], PARAMS)
    check(Speculate(widths=widths), "adakv:budget=12,window=4", drafters()[name], GREEDY)


@pytest.mark.parametrize("rows", [2, *(pytest.param(rows, marks=pytest.mark.slow) for rows in (1, 3))])
def test_few_rows_that_come_and_go(rows):
    for name in ("ngram", "model", "self"):
        check(Speculate(k=3), POLICIES[1], drafters()[name], PARAMS, rows=rows)


@settings(max_examples=12)
@given(st.sets(st.integers(0, 23)), st.integers(0, 6), st.sampled_from(POLICIES), st.booleans())
@example(set(), 6, POLICIES[0], True)
@example(set(range(24)), 6, POLICIES[1], True)
@example({1, 4, 5}, 4, POLICIES[2], False)
def test_right_and_wrong_guesses(wrong, k, policy, greedy):
    params = tuple(PARAMS) if not greedy else GREEDY
    texts = dict(zip(map(tuple, PROMPTS[:3]), (ids for ids, _ in plain(policy, params)), strict=False))
    check(Speculate(k=k), policy, Oracle(texts, wrong), params)


def test_an_end_inside_a_draft_ends_the_sequence():
    """The oracle knows text beyond the end token: what stands behind it must not come out."""
    free = SamplingParams(max_tokens=20, ignore_eos=True)
    text = engine_of(rows=1).generate([PROMPTS[0]], free)[0].ids
    for at in (0, 1, 2, 5):
        end = SamplingParams(max_tokens=20, ignore_eos=True, stop_tokens=(text[at],))
        engine = engine_with(Speculate(k=6), drafter=Oracle({tuple(PROMPTS[0]): text}), rows=1)
        _, heard = submit(engine, PROMPTS[0], end)
        run(engine)
        assert heard.ids == text[: text.index(text[at]) + 1]
        assert heard.finished.reason == "stop"


@pytest.mark.slow
def test_a_chooser_that_measures_changes_nothing():
    cheap = Costs(((1, 1.0), (64, 1.1)), ((1, 0.01),))
    dear = Costs(((1, 1.0), (64, 64.0)), ((1, 1.0),))
    for costs in (cheap, dear, None):
        engine = check(Speculate(costs=costs), "full", drafters()["model"], PARAMS)
    rounds = {}
    for name, costs in (("cheap", cheap), ("dear", dear)):
        engine = check(Speculate(costs=costs), "full", drafters()["perfect"], GREEDY)
        rounds[name] = engine.stats().rounds
    assert rounds["cheap"] < rounds["dear"]


class Failing(Oracle):
    def propose(self, asks):
        if sum(len(ask.drawn) for ask in asks) > 12:
            raise RuntimeError("no idea")
        return [Draft.chain([1, 2])] * len(asks)


def test_a_drafter_that_fails_costs_nobody_an_answer():
    engine = engine_with(Speculate(k=2), drafter=Failing(), rows=4)
    heard = [submit(engine, prompt, one)[1] for prompt, one in zip(PROMPTS, PARAMS, strict=True)]
    run(engine)
    assert [(c.ids, c.finished.reason) for c in heard] == plain("full", tuple(PARAMS))
    assert "no idea" in engine._batch.counts.gave_up


@pytest.mark.parametrize("how", [Speculate(k=2), Speculate(k=2, rule="ratio"), Speculate(widths=(2, 1))])
@pytest.mark.parametrize("policy", POLICIES[:2])
def test_a_guess_that_is_no_number_to_the_model_does_not_stand(how, policy):
    if how.widths and policy != "full":
        return
    made = tiny.llama(dtype=torch.float64, layers=2)
    made.model.embed_tokens.weight.data[1] = float("nan")
    decoder = decoder_of(made, name="spoiled")
    loaded = Loaded(decoder, tiny.tokenizer(), decoder.spec, made.config, (EOS,))
    texts = {tuple(prompt): [1] * 30 for prompt in PROMPTS}
    found = []
    for drafts in (False, True):
        engine = Engine(loaded, parse(policy), Limits(rows=4))
        if drafts:
            engine.arrange(Made(**{f.name: getattr(how, f.name) for f in fields(how)}, made=Oracle(texts)))
        heard = [submit(engine, prompt, one)[1] for prompt, one in zip(PROMPTS, PARAMS, strict=True)]
        run(engine)
        found.append([(c.ids, c.finished.reason) for c in heard])
        assert engine.stats().gave_up is None
    if how.rule == "same":
        assert found[0] == found[1]
    assert {reason for _, reason in found[1]} <= {"stop", "length"}
    assert engine.stats().accepted == 0


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("widths", [(1, 1, 1), (2, 1), (3, 2)])
@pytest.mark.slow
def test_the_rule_of_ratios_is_greedy_where_the_model_is(widths, replacement):
    how = Speculate(widths=widths, rule="ratio", replacement=replacement)
    for name in ("ngram", "model", "perfect"):
        check(how, "full", drafters()[name], GREEDY)


def test_sampled_text_by_ratios_depends_on_its_own_seed_only():
    params = [SamplingParams(max_tokens=15, temperature=0.9, top_k=20, seed=seed) for seed in (1, 2, 3, 4)]
    how = Speculate(k=3, rule="ratio")
    texts = []
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        engine = engine_with(how, drafter=drafters()["model"], rows=4 if order[0] == 0 else 2)
        heard = {i: submit(engine, PROMPTS[i], params[i])[1] for i in order}
        run(engine)
        assert engine.stats().accepted > 0
        texts.append([heard[i].ids for i in range(4)])
    assert texts[0] == texts[1]


def test_log_probabilities_are_the_models():
    for rule in ("same", "ratio"):
        engine = engine_with(Speculate(k=4, rule=rule), drafter=drafters()["perfect"], rows=1)
        _, heard = submit(engine, PROMPTS[0], SamplingParams(max_tokens=8, logprobs=2))
        run(engine)
        whole = engine.logprobs([*PROMPTS[0], *heard.ids])[len(PROMPTS[0]) - 1 :]
        assert [t.logprob for t in heard.tokens] == pytest.approx(whole, abs=1e-9)
        assert all(len(t.top) == 2 for t in heard.tokens)


@pytest.mark.parametrize("how", [{"k": 17}, {"k": -1}, {"widths": (0,)}, {"widths": (9, 9)}, {"k": 2, "widths": (1,)}])
def test_shapes_that_cannot_work_are_refused(how):
    with pytest.raises(ConfigError):
        Speculate(**how)


def test_a_row_that_drafts_late_reads_its_text_as_a_prompt():
    text = engine_of(rows=1).generate([PROMPTS[0]], SamplingParams(max_tokens=150, ignore_eos=True))[0].ids
    for name in ("perfect", "model", "self"):
        late, fresh = drafters()[name], drafters()[name]
        late.open([tuple(PROMPTS[0]), tuple(PROMPTS[1])], [200, 200])
        asks = [Ask(tuple(PROMPTS[0]), text[:count], GREEDY[0], (1, 1)) for count in (3, 150)]
        other_row = Ask(tuple(PROMPTS[1]), [4], GREEDY[0])
        late.propose([asks[0], other_row])
        late.settle([asks[0], other_row])
        sizes = []
        late.memory.trial = lambda most, trial=late.memory.trial, sizes=sizes: sizes.append(most) or trial(most)
        fresh.open([(*PROMPTS[0], *text[:149])], [200])
        expected = fresh.propose([Ask((*PROMPTS[0], *text[:149]), text[149:150], GREEDY[0], (1, 1))])
        assert late.propose([asks[1], other_row])[0].tokens == expected[0].tokens
        assert sizes == [2], "one token to read, one to draft from"
        late.close(0)
        late.close(0)
        assert late.memory.active == 0


def test_the_last_token_is_read_again_even_where_it_was_guessed():
    drafter = drafters()["perfect"]
    drafter.open([tuple(PROMPTS[0])], [20])
    ask = Ask(tuple(PROMPTS[0]), [5], GREEDY[0], (1, 1))
    guessed = drafter.propose([ask])[0].tokens
    after = Ask(tuple(PROMPTS[0]), [5, guessed[0]], GREEDY[0], (1,))
    drafter.settle([after])
    assert drafter.propose([after])[0].tokens == guessed[1:]


def test_guesses_behind_an_end_do_not_count():
    free = SamplingParams(max_tokens=20, ignore_eos=True)
    text = engine_of(rows=1).generate([PROMPTS[0]], free)[0].ids
    engine = engine_with(Speculate(k=6), drafter=Oracle({tuple(PROMPTS[0]): text}), rows=1)
    _, heard = submit(engine, PROMPTS[0], SamplingParams(max_tokens=20, ignore_eos=True, stop_tokens=(text[1],)))
    run(engine)
    assert heard.finished.usage.accepted < heard.finished.usage.completion_tokens


def test_a_smaller_table_of_the_same_words_drafts_all_the_same(tmp_path):
    tiny.save(tiny.llama(dtype=torch.float64, layers=1, vocab_size=280), tmp_path)
    prompts = [*PROMPTS[:2], [290, 5]]
    expected = [c.ids for c in engine_of(rows=3).generate(prompts, SamplingParams(max_tokens=8, ignore_eos=True))]
    for rule in ("same", "ratio"):
        engine = engine_of(rows=3)
        engine.arrange(Speculate(str(tmp_path), k=3, rule=rule))
        params = SamplingParams(max_tokens=8, ignore_eos=True)
        assert [c.ids for c in engine.generate(prompts, params)] == expected
        engine.generate(prompts, SamplingParams(max_tokens=8, ignore_eos=True, temperature=1.0, seed=1))
        assert engine.stats().gave_up is None
        assert engine.stats().drafted > 0


def test_trees_need_a_cache_that_keeps():
    with pytest.raises(ConfigError, match="not trees"):
        engine_of(parse(POLICIES[1])).arrange(Speculate(widths=(2, 1)))
    with pytest.raises(ConfigError, match="not a tree"):
        engine_of().arrange(Speculate("self", widths=(2, 1)))


def test_a_draft_model_of_another_vocabulary_is_refused(tmp_path):
    tiny.save(tiny.llama(dtype=torch.float32, vocab_size=310), tmp_path)
    with pytest.raises(ConfigError, match="vocabular"):
        engine_of().arrange(Speculate(str(tmp_path)))
    with pytest.raises(ConfigError, match="no folder"):
        engine_of().arrange(Speculate("nowhere"))


@pytest.mark.parametrize("family", ["gemma2", "qwen3", "mistral", "phi3"])
@pytest.mark.slow
def test_every_family_checks_drafts(family):
    made = tiny.FAMILIES[family](dtype=torch.float64)
    decoder = decoder_of(made, name=family)
    model = Loaded(decoder, tiny.tokenizer(), decoder.spec, made.config, (EOS,))
    params = SamplingParams(max_tokens=20)
    expected = [c.ids for c in Engine(model, parse("full"), Limits(rows=4)).generate(PROMPTS, params)]
    for k in (1, 5):
        engine = Engine(model, parse("full"), Limits(rows=4))
        engine.arrange(Speculate("self:streaming:budget=5,sinks=1", k=k))
        assert [c.ids for c in engine.generate(PROMPTS, params)] == expected
        assert engine.stats().accepted > 0
        engine.check_integrity()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.slow
def test_in_single_precision_too(dtype):
    made = tiny.llama(dtype=dtype, layers=2)
    decoder = decoder_of(made, name="tiny")
    model = Loaded(decoder, tiny.tokenizer(), decoder.spec, made.config, (EOS,))
    prompts = [[Random(i).randrange(256) for _ in range(5 + i)] for i in range(6)]
    expected = [c.ids for c in Engine(model, parse("full"), Limits(rows=6)).generate(prompts)]
    engine = Engine(model, parse("full"), Limits(rows=6))
    engine.arrange(Speculate("ngram", k=4))
    assert [c.ids for c in engine.generate(prompts)] == expected


@pytest.mark.parametrize("widths", [(1, 1, 1), (2, 2)])
def test_rows_that_share_a_prefix_check_drafts(widths, monkeypatch):
    monkeypatch.setattr(intake, "SHARED", 4)
    params = [SamplingParams(max_tokens=12, temperature=0.8, seed=i, ignore_eos=True) for i in range(4)]
    prompts = [PROMPTS[0]] * 3 + [[*PROMPTS[0], 5]]
    expected = [engine_of(rows=1).generate([p], one)[0].ids for p, one in zip(prompts, params, strict=True)]
    for name in ("ngram", "model", "perfect"):
        engine = engine_with(Speculate(widths=widths), drafter=drafters()[name], rows=4)
        heard = [submit(engine, p, one)[1] for p, one in zip(prompts, params, strict=True)]
        engine.step()
        memory = engine._batch.memory
        assert len({id(p) for p in memory.prefix if p is not None}) == 1, "stored once for all branches"
        run(engine)
        assert [c.ids for c in heard] == expected


@pytest.mark.slow
@pytest.mark.parametrize("how", [Speculate(k=2, rule="ratio"), Speculate(widths=(2, 2), rule="ratio")], ids=str)
@pytest.mark.parametrize("name", ["model", "ngram"])
def test_what_the_engine_draws_by_ratios_has_the_models_distribution(how, name):
    """Chi-square over texts of four tokens from three candidates each, against the model's own probabilities."""
    count, prompt = 6000, PROMPTS[0]
    params = [SamplingParams(max_tokens=4, temperature=1.0, top_k=3, ignore_eos=True, seed=i) for i in range(count)]
    drafter = {"model": model_drafter.Drafter(other(), parse("full"), 128)}.get(name)
    engine = engine_of(rows=128, waiting=count)
    if drafter is None:
        drafter = DRAFTERS.load("ngram").make("longest=2,shortest=1", batching.model(), 128)
    engine.arrange(Made(**{f.name: getattr(how, f.name) for f in fields(how)}, made=drafter))
    texts = Counter(tuple(c.ids) for c in engine.generate([prompt] * count, params))
    assert engine.stats().accepted > count / 10
    expected = {(): 1.0}
    for _ in range(4):
        grown = {}
        for text, share in expected.items():
            values = torch.tensor(distribution([*prompt, *text]))
            for token in values.nonzero()[:, 0].tolist():
                grown[(*text, token)] = share * float(values[token])
        expected = grown
    assert set(texts) <= set(expected)
    often = {text: share * count for text, share in expected.items() if share * count >= 5}
    squares = sum((texts[text] - mean) ** 2 / mean for text, mean in often.items())
    degrees = len(often) - 1
    assert degrees > 10
    assert squares < degrees + 4 * (2 * degrees) ** 0.5, "four deviations above the mean of chi-square"


@cache
def _logits_engine():
    return engine_of(rows=1)


def distribution(tokens):
    """The model's probabilities after `tokens`, three candidates, from its own log-probabilities."""
    params = SamplingParams(max_tokens=1, logprobs=20, temperature=1.0, top_k=3, seed=0, ignore_eos=True)
    (completion,) = _logits_engine().generate([tokens], params)
    top = completion.tokens[0].top[:3]
    total = sum(math.exp(value) for _, value in top)
    probs = [0.0] * tiny.VOCAB
    for token, value in top:
        probs[token] = math.exp(value) / total
    return probs
