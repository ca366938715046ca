"""Engines of a tiny model in float64, whose rows come out the same in any batch."""

from functools import cache

import tiny
import torch

from webfarer.engine.assembly import decoder_of
from webfarer.engine.caches.full import Policy
from webfarer.engine.engine import Engine, Limits
from webfarer.engine.loading import Loaded
from webfarer.engine.sampling import Completion, Finished, Request, SamplingParams

EOS = 256


@cache
def model():
    """The tiny model that every engine here shares; engines do not change it."""
    made = tiny.llama(dtype=torch.float64, layers=2)
    decoder = decoder_of(made, name="tiny")
    return Loaded(decoder, tiny.tokenizer(), decoder.spec, made.config, (EOS,))


def engine_of(policy=None, adapters=None, **limits):
    """Make an engine."""
    return Engine(model(), policy or Policy(), Limits(**limits), adapters)


def solo(tokens, params=SamplingParams(), **options):
    """Return what an engine gives for this sequence alone."""
    return engine_of(rows=1, **options).generate([tokens], params)[0]


class Heard(Completion):
    """A listener that insists on the order of events."""

    def __call__(self, event):
        assert self.finished is None, "nothing comes after the end"
        if not isinstance(event, Finished):
            assert event.index == len(self.tokens)
        super().__call__(event)


def submit(engine, tokens, params=SamplingParams(), **options):
    """Submit; return the ticket and what will be heard."""
    heard = Heard()
    return engine.submit(Request(tuple(tokens), params, **options), heard), heard


def run(engine):
    """Run to the end, looking at the engine after every round."""
    while engine.step():
        engine.check_integrity()
    engine.check_integrity()
    assert engine.stats().active == engine.stats().waiting == 0
