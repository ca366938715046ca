"""The server as OpenAI's client sees it: answers, streams, log-probabilities, tools, adapters."""

import json
import math

import parrot
import pytest
import tiny
import torch
from peft import LoraConfig, get_peft_model
from serving_kit import ASKED, engine_in, served

from webfarer.engine.chat import Chat
from webfarer.engine.sampling import Finished, SamplingParams, Usage
from webfarer.engine.serving.replies import Envelope, TextChoice
from webfarer.engine.speculation import Speculate

CALL = '{"name": "search", "arguments": {"q": "opening hours"}}'
SAYS = ("<think>", "I look.", "</think>", "Wait. ", "<tool_call>", CALL, "</tool_call>")
TOOLS = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object", "properties": {}}}}]
DRAW = {"model": "m", "messages": ASKED, "max_tokens": 12, "temperature": 1.5, "seed": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.save(tiny.llama(dtype=torch.float32, layers=2), tmp_path_factory.mktemp("noise"))


@pytest.fixture(scope="module")
def noise(folder):
    """A random model."""
    return engine_in(folder, rows=4)


@pytest.fixture(scope="module")
def bird(tmp_path_factory):
    """A model that thinks, speaks and calls a tool."""
    folder = parrot.save(tmp_path_factory.mktemp("bird"), *SAYS)
    return engine_in(folder, rows=2), folder


def solo(engine, folder, messages=ASKED, **params):
    """Return what the engine says without a server."""
    (completion,) = engine.generate([Chat.load(folder).prompt(messages).tokens], SamplingParams(**params))
    return completion


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing.:FutureWarning")  # peft asks transformers
async def test_an_adapter_is_asked_for_as_a_model(folder, tmp_path):
    torch.manual_seed(0)
    config = LoraConfig(r=2, lora_alpha=64, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    get_peft_model(tiny.llama(dtype=torch.float32, layers=2), config).save_pretrained(tmp_path)
    engine = engine_in(folder, rows=4, adapters={"north": tmp_path})
    tokens = [Chat.load(folder).prompt(ASKED).tokens]
    expected = {name: engine.generate(tokens, SamplingParams(max_tokens=8), name)[0].text for name in ("north", None)}
    assert expected["north"] != expected[None]
    async with served(engine, folder) as server:
        assert [model.id for model in (await server.client.models.list()).data] == ["m", "north"]
        for name, text in expected.items():
            asked = {"model": name or "m", "messages": ASKED, "max_tokens": 8, "temperature": 0}
            answer = await server.client.chat.completions.create(**asked)
            assert answer.choices[0].message.content == text


async def test_an_answer_is_what_the_engine_says(noise, folder):
    async with served(noise, folder) as server:
        answer = await server.client.chat.completions.create(**DRAW)
    expected = solo(noise, folder, max_tokens=12, temperature=1.5, seed=3)
    (choice,) = answer.choices
    assert choice.message.content == expected.text
    assert choice.finish_reason == expected.finished.reason
    usage = expected.finished.usage
    assert answer.usage.prompt_tokens == len(Chat.load(folder).prompt(ASKED).tokens) == usage.prompt_tokens
    assert answer.usage.completion_tokens == len(expected.tokens)
    assert answer.usage.webfarer == {
        "stored_slots": usage.stored_slots,
        "read_slots": usage.read_slots,
        "cache_bytes": usage.cache_bytes,
        "evictions": usage.evictions,
    }
    assert usage.stored_slots > 0


async def test_drafts_change_what_it_took_and_not_what_is_said(folder):
    answers = []
    for draft in (None, Speculate("self:full", k=3)):
        engine = engine_in(folder, dtype=torch.float64)
        engine.arrange(draft)
        async with served(engine, folder) as server:
            answers.append(await server.client.chat.completions.create(**DRAW))
            meters = await (await server.http.get(f"{server.url}/metrics")).text()
    plain, drafted = answers
    assert drafted.choices[0].message.content == plain.choices[0].message.content
    assert plain.usage.completion_tokens_details.accepted_prediction_tokens == 0
    stood = drafted.usage.completion_tokens_details.accepted_prediction_tokens
    assert stood > 0
    assert f"webfarer_accepted_tokens_total {stood}.0" in meters


async def test_a_stream_is_the_answer_in_pieces(noise, folder):
    async with served(noise, folder) as server:
        whole = await server.client.chat.completions.create(**DRAW, n=2)
        stream = await server.client.chat.completions.create(
            **DRAW, n=2, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    texts, ends = ["", ""], [None, None]
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
            ends[choice.index] = choice.finish_reason or ends[choice.index]
    assert texts == [choice.message.content for choice in whole.choices]
    assert ends == [choice.finish_reason for choice in whole.choices]
    assert texts[0] != texts[1]  # one seed, two answers
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert not any(chunk.usage for chunk in chunks[:-1])
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


async def test_log_probabilities(noise, folder):
    wanted = {**DRAW, "temperature": 0, "logprobs": True, "top_logprobs": 3}
    async with served(noise, folder) as server:
        answer = await server.client.chat.completions.create(**wanted)
        stream = await server.client.chat.completions.create(**wanted, stream=True)
        pieces = [c.choices[0].logprobs.content async for c in stream if c.choices[0].logprobs]
        text = await server.client.completions.create(model="m", prompt="ab", max_tokens=5, logprobs=2, temperature=0)
    entries = answer.choices[0].logprobs.content
    assert len(entries) == answer.usage.completion_tokens
    for entry in entries:
        values = [top.logprob for top in entry.top_logprobs]
        assert len(values) == 3
        assert values == sorted(values, reverse=True)
        assert (entry.token, entry.logprob) == (entry.top_logprobs[0].token, values[0])  # greedy
        assert sum(map(math.exp, values)) <= 1
        assert entry.bytes is None or bytes(entry.bytes).decode() == entry.token
    assert [entry for piece in pieces for entry in piece] == entries
    logprobs = text.choices[0].logprobs
    assert len(logprobs.tokens) == len(logprobs.token_logprobs) == len(logprobs.text_offset) == 5
    assert all(len(top) == 2 for top in logprobs.top_logprobs)
    assert logprobs.text_offset == sorted(logprobs.text_offset)


async def test_texts_are_continued(noise, folder):
    chat = Chat.load(folder)
    async with served(noise, folder) as server:
        ask = server.client.completions.create
        both = await ask(model="m", prompt=["ab", "cd"], max_tokens=6, temperature=0, n=2)
        ids = await ask(model="m", prompt=list(chat.encode("ab")), max_tokens=6, temperature=0)
        default = await ask(model="m", prompt="ab", extra_body={"ignore_eos": True})
        stream = await ask(model="m", prompt="ab", max_tokens=6, temperature=0, stream=True)
        streamed = "".join([chunk.choices[0].text async for chunk in stream])
    texts = [choice.text for choice in both.choices]
    assert [choice.index for choice in both.choices] == [0, 1, 2, 3]
    assert texts[0] == texts[1] == ids.choices[0].text == streamed
    assert texts[2] == texts[3]
    assert both.usage.prompt_tokens == 4  # two prompts of two bytes, each counted once
    assert default.usage.completion_tokens == 16


def test_cached_is_what_all_choices_of_a_prompt_found():
    choices = []
    for cached in (0, 9, 4, 8):
        choices.append(TextChoice(len(choices), None, logprobs=False))
        choices[-1].take(Finished("stop", Usage(prompt_tokens=9, cached_tokens=cached)))
    usage = Envelope("text_completion", "m", 18, n=2).usage(choices)
    assert usage["prompt_tokens_details"] == {"cached_tokens": 4}


async def test_sampling_reaches_the_engine(noise, folder):
    extra = {"top_k": 5, "min_p": 0.01, "repetition_penalty": 1.3, "min_tokens": 4, "stop_token_ids": [70]}
    async with served(noise, folder) as server:
        answer = await server.client.chat.completions.create(**DRAW, top_p=0.9, extra_body=extra)
    wanted = {"top_k": 5, "min_p": 0.01, "repetition_penalty": 1.3, "min_tokens": 4, "stop_tokens": (70,)}
    expected = solo(noise, folder, max_tokens=12, temperature=1.5, seed=3, top_p=0.9, **wanted)
    assert answer.choices[0].message.content == expected.text


async def test_stop_strings_end_the_text(bird):
    async with served(*bird) as server:
        ask = server.client.chat.completions.create
        first = await ask(model="m", messages=ASKED, stop="ait")
        several = await ask(model="m", messages=ASKED, stop=["nothing", "<tool"])
        stream = await ask(model="m", messages=ASKED, stop=["<tool"], stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert (first.choices[0].message.content, first.choices[0].finish_reason) == ("W", "stop")
    assert several.choices[0].message.content == "Wait. " == "".join(pieces)


async def test_calls_and_reasoning_are_taken_apart(bird):
    async with served(*bird) as server:
        ask = server.client.chat.completions.create
        answer = await ask(model="m", messages=ASKED, tools=TOOLS)
        stream = await ask(model="m", messages=ASKED, tools=TOOLS, stream=True)
        deltas = [chunk.choices[0] async for chunk in stream]
        plain = await ask(model="m", messages=ASKED, tools=TOOLS, tool_choice="none")
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert (choice.message.content, choice.message.reasoning_content) == ("Wait. ", "I look.")
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("search", {"q": "opening hours"})
    assert "".join(delta.delta.content or "" for delta in deltas) == "Wait. "
    assert "".join(getattr(delta.delta, "reasoning_content", "") for delta in deltas) == "I look."
    (streamed,) = [call for delta in deltas for call in delta.delta.tool_calls or ()]
    assert (streamed.index, streamed.function.model_dump()) == (0, call.function.model_dump())
    assert deltas[-1].finish_reason == "tool_calls"
    assert plain.choices[0].message.tool_calls is None
    assert plain.choices[0].message.content == f"Wait. <tool_call>{CALL}</tool_call>"


async def test_a_conversation_with_calls_goes_on(bird):
    async with served(*bird) as server:
        ask = server.client.chat.completions.create
        first = await ask(model="m", messages=ASKED, tools=TOOLS)
        said = first.choices[0].message
        result = {"role": "tool", "content": "At eight.", "tool_call_id": said.tool_calls[0].id}
        second = await ask(model="m", messages=[*ASKED, said, result], tools=TOOLS)
    assert second.usage.prompt_tokens > first.usage.prompt_tokens


async def test_models_health_and_metrics(noise, folder):
    async with served(noise, folder, context=100) as server:
        (model,) = (await server.client.models.list()).data
        answer = await server.client.chat.completions.create(**DRAW)
        await server.post("/nowhere", {})
        async with server.http.get(f"{server.url}/health") as health:
            assert await health.json() == {"status": "ok"}
        async with server.http.get(f"{server.url}/metrics") as page:
            meters = (await page.text()).splitlines()
    assert (model.id, model.max_model_len) == ("m", 100)
    assert f"webfarer_completion_tokens_total {answer.usage.completion_tokens:.1f}" in meters
    assert 'webfarer_requests_total{endpoint="/v1/chat/completions",status="200"} 1.0' in meters
    assert 'webfarer_requests_total{endpoint="other",status="404"} 1.0' in meters
    assert "webfarer_first_token_seconds_count 1.0" in meters
    assert "webfarer_sequences_active 0.0" in meters
