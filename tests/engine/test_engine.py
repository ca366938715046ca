"""The engine's loop: what goes in comes out, whoever else is in the batch."""

import dataclasses

import pytest
import tiny
import torch
from batching import EOS, engine_of, model, run, solo, submit

from webfarer.core.errors import ConfigError, EngineBusy
from webfarer.engine.sampling import Request, SamplingParams, Token

PROMPTS = [[1, 2, 3], [7], list(range(40)), [250, 4, 4, 4, 9], [3, 1, 4, 1, 5, 9, 2, 6]]
GREEDY = SamplingParams(max_tokens=12, ignore_eos=True)


def test_greedy_tokens_are_those_of_plain_decoding():
    original = tiny.llama(dtype=torch.float64, layers=2)
    for prompt in PROMPTS[:3]:
        ids = torch.tensor([prompt])
        with torch.inference_mode():
            for _ in range(GREEDY.max_tokens):
                ids = torch.cat([ids, original(ids).logits[:, -1].argmax(-1, keepdim=True)], dim=1)
        assert solo(prompt, GREEDY).ids == ids[0, len(prompt) :].tolist()


def test_a_batch_gives_what_each_gives_alone_in_order():
    engine = engine_of(rows=3, prefill_tokens=45)
    together = engine.generate(PROMPTS, GREEDY)
    assert [c.ids for c in together] == [solo(p, GREEDY).ids for p in PROMPTS]
    assert all(c.finished.reason == "length" for c in together)


def test_several_prompts_are_read_in_one_forward_within_the_limit(monkeypatch):
    sizes = []
    decoder = model().decoder
    forward = type(decoder).forward

    def counting(self, tokens, positions, attend, adapters=None, ends=None):
        sizes.append(len(tokens))
        return forward(self, tokens, positions, attend, adapters, ends)

    monkeypatch.setattr(type(decoder), "forward", counting)
    engine = engine_of(rows=4, prefill_tokens=10)
    for prompt in ([1] * 4, [2] * 6, [3] * 1, [4] * 30, [5] * 2):
        submit(engine, prompt, SamplingParams(max_tokens=3, ignore_eos=True))
    run(engine)
    assert sizes == [10, 2, 1, 3, 30, 2, 2, 2, 1]


def test_rows_are_taken_first_come_first_served():
    engine, started = engine_of(rows=2), []
    for i in range(6):

        def listen(event, i=i):
            if isinstance(event, Token) and event.index == 0:
                started.append(i)

        engine.submit(Request((i, i), SamplingParams(max_tokens=2 + 3 * (i % 2), ignore_eos=True)), listen)
    while engine.step():
        assert engine.stats().active <= 2
    assert started == list(range(6))


def test_end_tokens_of_the_model_end_a_sequence():
    made = solo([1, 2, 3], GREEDY)
    first_new = next(i for i, t in enumerate(made.ids) if made.ids.index(t) == i and i > 0)
    stopped = solo([1, 2, 3], SamplingParams(max_tokens=12, stop_tokens=(made.ids[first_new],)))
    assert stopped.ids == made.ids[: first_new + 1]
    assert (stopped.finished.reason, stopped.finished.usage.completion_tokens) == ("stop", first_new + 1)
    assert EOS in model().ends


def test_text_is_that_of_the_tokens():
    made = solo([65, 66], SamplingParams(max_tokens=40, ignore_eos=True, temperature=1.0, seed=3))
    assert made.text == model().tokenizer.decode([65, 66, *made.ids], skip_special_tokens=True)[2:]


def test_a_stop_string_ends_text_and_sequence():
    params = SamplingParams(max_tokens=40, ignore_eos=True, temperature=1.0, seed=3)
    text = solo([65, 66], params).text
    stopped = solo([65, 66], dataclasses.replace(params, stop=(text[7:9],)))
    assert stopped.finished.reason == "stop"
    assert stopped.text == text[: text.find(text[7:9])]


def test_end_tokens_wait_for_the_least_number():
    first = solo([1, 2], GREEDY).ids[0]
    params = SamplingParams(max_tokens=12, ignore_eos=True, stop_tokens=(first,), min_tokens=3)
    ids = solo([1, 2], params).ids
    assert first not in ids[:3]
    assert first not in ids[3:-1]


def test_the_same_seed_draws_the_same_tokens_in_any_company():
    params = [SamplingParams(max_tokens=9, temperature=1.0, top_p=0.9, seed=s, ignore_eos=True) for s in (1, 2, 1, 1)]
    prompts = [[5, 6], [5, 6], [5, 6], [9]]
    together = [c.ids for c in engine_of(rows=3).generate(prompts, params)]
    assert together[0] == together[2] == solo([5, 6], params[0]).ids
    assert len({tuple(ids) for ids in together[:2]}) == 2


def test_a_penalty_looks_at_prompt_and_output():
    params = SamplingParams(max_tokens=30, repetition_penalty=100.0, ignore_eos=True)
    ids = solo([1, 2, 3], params).ids
    assert len({1, 2, 3, *ids}) == 33, "with all logits of seen ids pushed away, nothing comes twice"


def test_logprobs_of_a_text_are_those_of_drawing_it():
    made = solo([1, 2, 3], SamplingParams(max_tokens=6, ignore_eos=True, logprobs=2, temperature=0.7, seed=1))
    scores = engine_of().logprobs([1, 2, 3, *made.ids])
    assert len(scores) == 8
    assert scores[2:] == pytest.approx([t.logprob for t in made.tokens], abs=1e-9)
    assert engine_of().logprobs([4]) == []


def test_usage_says_what_the_sequence_held():
    usage = solo([1, 2, 3], SamplingParams(max_tokens=4, ignore_eos=True)).finished.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.evictions) == (3, 4, 0)
    # the last token drawn is never read: 3 + 3 slots in 2 layers with 2 KV heads
    assert usage.stored_slots == 6 * 4
    assert usage.read_slots == (4 + 5 + 6) * 4
    assert usage.cache_bytes == usage.stored_slots * model().spec.slot_bytes


@pytest.mark.parametrize(
    ("tokens", "params", "said"),
    [
        ([], {}, "empty prompt"),
        ([1] * 11, {}, "11 tokens, the engine takes 10"),
        ([1], {"max_tokens": 30}, "limit of 20"),
        ([-1], {}, "token ids"),
        ([300], {}, "between 0 and 299"),
        ([1], {"stop_tokens": (300,)}, "token ids"),
    ],
)
def test_what_can_never_be_served_is_refused_at_once(tokens, params, said):
    engine = engine_of(prompt=10, new=20)
    with pytest.raises(ConfigError, match=said):
        submit(engine, tokens, SamplingParams(**{"max_tokens": 5, **params}))
    assert not engine.step()


def test_the_context_of_the_model_is_a_limit_too():
    with pytest.raises(ConfigError, match="at most 12 tokens"):
        submit(engine_of(), [1] * 500, SamplingParams(max_tokens=13))


def test_a_full_line_is_busy_and_generate_waits_for_room():
    engine = engine_of(rows=1, waiting=2)
    params = SamplingParams(max_tokens=2, ignore_eos=True)
    for _ in range(2):
        submit(engine, [1], params)
    with pytest.raises(EngineBusy, match="2 requests"):
        submit(engine, [1], params)
    assert len(engine.generate([[i] for i in range(7)], params)) == 7
    run(engine)


def test_generate_runs_nothing_when_one_request_cannot_be_served():
    engine = engine_of()
    with pytest.raises(ConfigError, match="empty"):
        engine.generate([[1], []], GREEDY)
    assert engine.stats().prompt_tokens == 0


def test_stats_count():
    engine = engine_of(rows=2)
    ticket, _ = submit(engine, [1, 2], GREEDY)
    submit(engine, [3], GREEDY)
    submit(engine, [4], GREEDY)
    assert (engine.stats().active, engine.stats().waiting) == (0, 3)
    engine.step()
    assert (engine.stats().active, engine.stats().waiting) == (2, 1)
    ticket.cancel()
    run(engine)
    stats = engine.stats()
    assert (stats.prompt_tokens, stats.completion_tokens) == (4, 2 + 12 + 12)
    assert stats.finished == {"cancelled": 1, "length": 2}
