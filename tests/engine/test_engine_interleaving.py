"""Whatever the order of submitting, cancelling and stepping, a sequence gives the tokens of its solo run."""

from dataclasses import replace
from functools import cache

from batching import engine_of, run, solo, submit
from hypothesis import example, given
from hypothesis import strategies as st

from webfarer.engine.policy import parse
from webfarer.engine.sampling import SamplingParams

PROMPTS = [(1, 2, 3), (7,), tuple(range(20, 39)), (250, 4, 4, 4, 9)]
PARAMS = [
    SamplingParams(max_tokens=1),
    SamplingParams(max_tokens=5, ignore_eos=True),
    SamplingParams(max_tokens=6, ignore_eos=True, repetition_penalty=1.5),
    SamplingParams(max_tokens=5, temperature=1.2, seed=5, stop=("a", "\x01"), min_tokens=2),
    SamplingParams(max_tokens=4, temperature=0.8, top_p=0.8, seed=6, logprobs=1),
]

submits = st.tuples(st.just("submit"), st.integers(0, len(PROMPTS) - 1), st.integers(0, len(PARAMS) - 1))
cancels = st.tuples(st.just("cancel"), st.integers(0, 9))
steps = st.tuples(st.just("step"))


POLICIES = ["full", "streaming:budget=6,sinks=1", "scope:prompt=6,window=3,heavy=2,recent=3"]


@cache
def alone(policy, prompt, params):
    return solo(PROMPTS[prompt], PARAMS[params], policy=parse(policy))


LEAVING = [("submit", 0, 1), ("submit", 1, 1), ("submit", 2, 2), ("step",), ("cancel", 0), ("step",)]
actions_of = st.lists(submits | submits | cancels | steps | steps, max_size=10)


@given(actions_of, st.integers(1, 4), st.sampled_from([1, 8, 99]), st.sampled_from(POLICIES))
@example(LEAVING, 3, 99, POLICIES[0])
@example(LEAVING, 3, 99, POLICIES[2])
def test_any_interleaving_gives_the_tokens_of_the_solo_run(actions, rows, prefill, policy):
    engine, submitted = engine_of(parse(policy), rows=rows, prefill_tokens=prefill), []
    for name, *args in actions:
        if name == "submit":
            submitted.append((args, *submit(engine, PROMPTS[args[0]], PARAMS[args[1]])))
        elif name == "cancel" and submitted:
            submitted[args[0] % len(submitted)][1].cancel()
        elif name == "step":
            engine.step()
            engine.check_integrity()
            assert engine.stats().active <= rows
    run(engine)
    for args, ticket, heard in submitted:
        expected = alone(policy, *args)
        if heard.finished.reason == "cancelled":
            assert ticket.cancelled
            assert heard.ids == expected.ids[: len(heard.ids)]
            assert expected.text.startswith(heard.text)
        else:
            assert heard.tokens == expected.tokens or close(heard.tokens, expected.tokens)
            # what twins read together was cached for one of them
            usage = replace(heard.finished.usage, cached_tokens=expected.finished.usage.cached_tokens)
            assert replace(heard.finished, usage=usage) == expected.finished
    assert sum(engine.stats().finished.values()) == len(submitted)


def close(ours, theirs):
    """Compare tokens of which log-probabilities may differ in the last bits."""
    pairs = list(zip(ours, theirs, strict=True))
    return all(
        (a.id, a.text, [i for i, _ in a.top]) == (b.id, b.text, [i for i, _ in b.top])
        and abs((a.logprob or 0) - (b.logprob or 0)) < 1e-9
        for a, b in pairs
    )
