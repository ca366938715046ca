"""Engines that speculate, with drafters that are right, wrong, or fail; and what plain decoding says instead."""

from dataclasses import dataclass, fields
from functools import cache

import batching
import tiny
import torch
from batching import EOS, engine_of, run, submit

from webfarer.engine.assembly import decoder_of
from webfarer.engine.drafters import model as model_drafter
from webfarer.engine.drafting import DRAFTERS, Draft, Drafter
from webfarer.engine.engine import Engine
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
        how = Made(**{field.name: getattr(how, field.name) for field in fields(how)}, made=drafter)
    engine.arrange(how)
    return engine


@dataclass(frozen=True)
class Made(Speculate):
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
