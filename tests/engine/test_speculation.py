"""Speculative decoding: whatever drafts, however much, the text is that of plain decoding."""

import math
from collections import Counter
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise
from random import Random

import batching
import pytest
import tiny
import torch
from batching import EOS, engine_of, run, submit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.engine import intake
from webfarer.engine.assembly import decoder_of
from webfarer.engine.drafters import model as model_drafter
from webfarer.engine.drafting import DRAFTERS, Draft, Drafter
from webfarer.engine.engine import Engine, Limits
from webfarer.engine.lengths import Costs
from webfarer.engine.loading import Loaded
from webfarer.engine.policy import parse
from webfarer.engine.sampling import SamplingParams
from webfarer.engine.speculation import Speculate

POLICIES = [
    "full",
    "scope:prompt=6,window=3,heavy=2,recent=3",
    "streaming:budget=6,sinks=1",
    "adakv:budget=12,window=4",
]
PROMPTS = [[7, 8, 9, 7, 8, 9, 7, 8], [3], [50, 51, 50, 51, 50], [7, 8, 9, 7, 8, 9, 7, 8]]


@cache
def other(dtype=torch.float64) -> Loaded:
    """A model of the same vocabulary whose guesses are sometimes right: the target with noise on its weights."""
    made = tiny.llama(dtype=dtype, layers=2)
    noise = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in made.parameters():
            weight += 0.04 * torch.randn(weight.shape, generator=noise, dtype=dtype)
    decoder = decoder_of(made, name="other")
    return Loaded(decoder, tiny.tokenizer(), decoder.spec, made.config, (EOS,))


class Oracle(Drafter):
    """Proposes what it is told will come, or, from each place in `wrong` on, something else."""

    def __init__(self, texts=None, wrong=()):
        self.texts, self.wrong = texts or {}, set(wrong)

    @classmethod
    def make(cls, argument, target, rows):
        return cls()

    def open(self, prompts, limits):
        pass

    def close(self, row):
        pass

    def propose(self, asks):
        return [self._one(ask) for ask in asks]

    def _one(self, ask):
        done, text = len(ask.drawn), self.texts[ask.prompt]
        coming = [
            token if done + i not in self.wrong else (token + 1) % 256
            for i, token in enumerate(text[done : done + len(ask.widths)])
        ]
        return Draft.chain([*coming, *[1] * (len(ask.widths) - len(coming))])


def engine_with(how, policy="full", drafter=None, **limits) -> Engine:
    engine = engine_of(parse(policy), **limits)
    if drafter is not None:
        how = _Made(**{field.name: getattr(how, field.name) for field in fields(how)}, made=drafter)
    engine.arrange(how)
    return engine


@dataclass(frozen=True)
class _Made(Speculate):
    """Options with a drafter already made."""

    made: Drafter | None = None

    def drafter(self, target, rows):
        return self.made


@cache
def plain(policy: str, params: tuple[SamplingParams, ...]):
    """What comes without speculation."""
    engine = engine_of(parse(policy), rows=4)
    return [(c.ids, c.finished.reason) for c in engine.generate(PROMPTS, list(params))]


def drafters():
    rows = 4
    return {
        "ngram": DRAFTERS.load("ngram").make("", batching.model(), rows),
        "lookup": DRAFTERS.load("lookup").make("", batching.model(), rows),
        "self": DRAFTERS.load("self").make("streaming:budget=6,sinks=1", batching.model(), rows),
        "self scope": DRAFTERS.load("self").make(POLICIES[1], batching.model(), rows),
        "perfect": DRAFTERS.load("self").make("full", batching.model(), rows),
        "model": model_drafter.Drafter(other(), parse("full"), rows),
    }


PARAMS = [
    SamplingParams(max_tokens=24, ignore_eos=True),
    SamplingParams(max_tokens=17, temperature=0.7, top_p=0.9, seed=3),
    SamplingParams(max_tokens=9, temperature=1.0, repetition_penalty=1.3, seed=4, min_tokens=5),
    SamplingParams(max_tokens=21, repetition_penalty=0.8, logprobs=2),
]
GREEDY = tuple(SamplingParams(max_tokens=n) for n in (20, 13, 1, 2))


def check(how, policy, drafter, params, rows=4):
    engine = engine_with(how, policy, drafter, rows=rows)
    heard = [submit(engine, prompt, one)[1] for prompt, one in zip(PROMPTS, params, strict=True)]
    run(engine)
    assert engine._batch.counts.gave_up is None
    assert [(c.ids, c.finished.reason) for c in heard] == plain(policy, tuple(params))
    assert [c.finished.usage.completion_tokens for c in heard] == [len(c.ids) for c in heard]
    return engine


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["ngram", "lookup", "self", "self scope", "perfect", "model"])
def test_the_text_is_plain_decodings(name, policy):
    for k in range(7) if policy == "full" else (1, 4):
        engine = check(Speculate(k=k), policy, drafters()[name], PARAMS)
        stats = engine.stats()
        assert (stats.drafted > 0) == (k > 0)
        if name == "perfect" and policy == "full" and k:
            assert stats.accepted / stats.drafted > 0.8


@pytest.mark.parametrize("widths", [(2, 1, 1), (3, 2), (1, 4), (2, 2, 2)])
@pytest.mark.parametrize("name", ["ngram", "perfect", "model"])
def test_trees_too(name, widths):
    check(Speculate(widths=widths), "full", drafters()[name], PARAMS)
    check(Speculate(widths=widths), "adakv:budget=12,window=4", drafters()[name], GREEDY)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_few_rows_that_come_and_go(rows):
    for name in ("ngram", "model", "self"):
        check(Speculate(k=3), POLICIES[1], drafters()[name], PARAMS, rows=rows)


@settings(max_examples=25)
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


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("widths", [(1, 1, 1), (2, 1), (3, 2)])
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


def test_trees_need_a_cache_that_keeps():
    with pytest.raises(ConfigError, match="not trees"):
        engine_of(parse(POLICIES[1])).arrange(Speculate(widths=(2, 1)))


def test_a_draft_model_of_another_vocabulary_is_refused(tmp_path):
    tiny.save(tiny.llama(dtype=torch.float32, vocab_size=310), tmp_path)
    with pytest.raises(ConfigError, match="vocabular"):
        engine_of().arrange(Speculate(str(tmp_path)))
    with pytest.raises(ConfigError, match="no folder"):
        engine_of().arrange(Speculate("nowhere"))


@pytest.mark.parametrize("family", ["gemma2", "qwen3", "mistral", "phi3"])
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
def test_in_single_precision_too(dtype):
    made = tiny.llama(dtype=dtype, layers=2)
    decoder = decoder_of(made, name="tiny")
    model = Loaded(decoder, tiny.tokenizer(), decoder.spec, made.config, (EOS,))
    prompts = [[Random(i).randrange(256) for _ in range(5 + i)] for i in range(6)]
    expected = [c.ids for c in Engine(model, parse("full"), Limits(rows=6)).generate(prompts)]
    engine = Engine(model, parse("full"), Limits(rows=6))
    engine.arrange(Speculate("ngram", k=4))
    assert [c.ids for c in engine.generate(prompts)] == expected


@pytest.mark.parametrize("scheduler", ["serial", "fcfs"])
@pytest.mark.parametrize("draft", [None, "ngram", "self:streaming:budget=6,sinks=1"])
@pytest.mark.parametrize("policy", POLICIES[:2])
def test_one_at_a_time_says_the_same(scheduler, draft, policy):
    engine, spans = engine_of(parse(policy), rows=3), []
    if draft is None and scheduler == "fcfs":
        with pytest.raises(ConfigError, match="drafts"):
            engine.arrange(None, scheduler)
        return
    engine.arrange(draft and Speculate(draft, k=3), scheduler, spans.append)
    heard = [submit(engine, prompt, one)[1] for prompt, one in zip(PROMPTS, PARAMS, strict=True)]
    while engine.step():
        pass
    engine.check_integrity()
    assert [(c.ids, c.finished.reason) for c in heard] == plain(policy, tuple(PARAMS))
    passes = [span for span in spans if span.kind != "draft"]
    assert len(passes) == engine.stats().rounds
    assert all(one.end <= two.start for one, two in pairwise(passes)), "one pass at a time"
    for number in range(4):
        mine = sorted((s for s in spans if s.numbers == (number,)), key=lambda s: s.start)
        assert all(one.end <= two.start for one, two in pairwise(mine)), "a sequence drafts or is checked"
    if scheduler == "serial":
        assert [s.numbers for s in passes] == sorted(s.numbers for s in passes), "one after the other"


def test_drafts_are_checked_in_the_order_they_were_finished():
    engine, spans = engine_of(rows=3), []
    engine.arrange(Speculate("ngram", k=3), "fcfs", spans.append)
    for prompt in PROMPTS[:3]:
        submit(engine, prompt, SamplingParams(max_tokens=40, ignore_eos=True))
    while engine.step():
        pass
    waiting, checked = [], 0
    for span in sorted(spans, key=lambda s: s.end if s.kind == "draft" else s.start):
        if span.kind == "draft":
            waiting.append(span.numbers)
        elif span.kind == "verify":
            assert waiting.pop(0) == span.numbers
            checked += 1
    assert checked > 10


def test_sequences_leave_and_come_while_others_draft():
    engine = engine_of(rows=2)
    engine.arrange(Speculate("self:full", k=3), "fcfs")
    tickets = [submit(engine, prompt, SamplingParams(max_tokens=30, ignore_eos=True)) for prompt in PROMPTS]
    for _ in range(3):
        engine.step()
    tickets[0][0].cancel()
    tickets[3][0].cancel()
    while engine.step():
        pass
    engine.check_integrity()
    assert [heard.finished.reason for _, heard in tickets] == ["cancelled", "length", "length", "cancelled"]
    expected = engine_of(rows=1).generate(PROMPTS[1:3], SamplingParams(max_tokens=30, ignore_eos=True))
    assert [heard.ids for _, heard in tickets[1:3]] == [c.ids for c in expected]
    assert engine.stats().active == engine.stats().waiting == 0


def test_how_tokens_are_drawn_is_settled_first():
    engine = engine_of(rows=1)
    submit(engine, PROMPTS[0])
    with pytest.raises(ConfigError, match="before the first request"):
        engine.arrange(Speculate(k=1))
    with pytest.raises(ConfigError, match="unknown scheduler"):
        engine_of().arrange(None, "random")


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
    engine.arrange(_Made(**{f.name: getattr(how, f.name) for f in fields(how)}, made=drafter))
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
