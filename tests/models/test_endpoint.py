"""The endpoint client against a stub server, over real loopback HTTP."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from webfarer.core.errors import (
    BadReply,
    ConfigError,
    ContextOverflow,
    ModelAuth,
    ModelError,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
)
from webfarer.core.run import Call
from webfarer.models.base import Message, Sampling, Tool, ToolCall
from webfarer.models.endpoint import Endpoint, Patience
from webfarer.worlds.endpoint import MALFORMED, OVERFLOW, Fault, serve_endpoint

HELLO = [Message("user", "Say hello.")]
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL = Tool("visit", "Open a page.", {"type": "object", "properties": {"url": {"type": "string"}}})
QUICK = Patience(first_wait=0.01, max_wait=0.02)


@asynccontextmanager
async def talking(reply=("hello",), *, api_key="", context=32_768, patience=QUICK, **stub):
    async with serve_endpoint(reply, **stub) as server:
        model = Endpoint("m", base_url=server.url, api_key=api_key, context=context, patience=patience)
        try:
            yield server, model
        finally:
            await model.close()


async def test_a_reply_with_its_usage():
    async with talking() as (server, model):
        reply = await model.complete(HELLO, sampling=Sampling(temperature=0.5, top_p=0.9, stop=("END",), seed=3))
    assert (reply.text, reply.finish, reply.attempts, reply.degraded) == ("hello", "stop", (), ())
    assert reply.usage.tokens_in > 0
    assert not reply.usage.estimated
    sent = server.requests[0]
    assert sent["messages"] == [{"role": "user", "content": "Say hello."}]
    assert (sent["model"], sent["temperature"], sent["top_p"], sent["seed"]) == ("m", 0.5, 0.9, 3)
    assert (sent["stop"], sent["max_tokens"]) == (["END"], 1024)


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (Fault(429, retry_after=0.01), "RateLimited"),
        (Fault(500), "ModelUnavailable"),
        (Fault(503, raw="<html>busy</html>"), "ModelUnavailable"),
        (Fault(lost=True), "ModelUnavailable"),
        (MALFORMED, "BadReply"),
        (Fault(200, raw='{"error": {"message": "overloaded"}}'), "BadReply"),
        (Fault(200, raw="[]"), "BadReply"),
    ],
)
async def test_a_failure_that_passes_is_tried_again_and_recorded(fault, name):
    async with talking(faults=[fault]) as (server, model):
        reply = await model.complete(HELLO, call=Call("run-1", 60))
    assert reply.text == "hello"
    assert [attempt.error for attempt in reply.attempts] == [name]
    assert server.paid == 1
    assert server.keys == ["run-1", "run-1"]


@pytest.mark.parametrize(
    ("fault", "kind"), [(Fault(429), RateLimited), (Fault(502), ModelUnavailable), (MALFORMED, BadReply)]
)
async def test_a_failure_that_stays_is_raised_after_every_try(fault, kind):
    async with talking(faults=[fault] * 9) as (server, model):
        with pytest.raises(kind) as caught:
            await model.complete(HELLO)
    assert len(server.requests) == QUICK.tries
    assert len(caught.value.detail["attempts"]) == QUICK.tries - 1
    assert server.paid == 0


async def test_retry_after_is_honoured():
    patience = Patience(tries=2, first_wait=30, max_wait=30)
    async with talking(faults=[Fault(429, retry_after=0.05)], patience=patience) as (_, model):
        reply = await model.complete(HELLO)
    assert [attempt.waited for attempt in reply.attempts] == [0.05]


async def test_a_retry_after_beyond_the_deadline_is_not_waited_for():
    async with talking(faults=[Fault(429, retry_after=3600)]) as (server, model):
        with pytest.raises(RateLimited):
            await model.complete(HELLO, sampling=Sampling(seconds=5))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
    ],
)
def test_forms_of_retry_after(headers, seconds):
    assert _retry_after(headers) == seconds


def test_a_retry_after_date_counts_from_now():
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3500 < _retry_after({"retry-after": date}) <= 3600


def _retry_after(headers):
    from types import SimpleNamespace

    from webfarer.models.endpoint import _retry_after

    return _retry_after(SimpleNamespace(response=SimpleNamespace(headers=headers)))


async def test_a_hanging_server_meets_the_deadline_and_its_prompt_counts_as_paid():
    async with talking(faults=[Fault(hang=30)] * 3) as (server, model):
        with pytest.raises(ModelTimeout) as caught:
            await model.complete(HELLO, sampling=Sampling(seconds=0.3))
    assert len(server.requests) <= 2
    assert caught.value.cost["tokens_in"] > 0


async def test_one_hung_try_leaves_time_for_another():
    async with talking(faults=[Fault(hang=30)]) as (_, model):
        reply = await model.complete(HELLO, sampling=Sampling(seconds=1.2))
    assert reply.text == "hello"
    assert [attempt.error for attempt in reply.attempts] == ["ModelTimeout"]


async def test_a_cancelled_call_is_cancelled_and_not_retried():
    async with talking(latency=30) as (server, model):
        task = asyncio.create_task(model.complete(HELLO))
        while not server.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(server.requests) == 1


async def test_no_server_there():
    model = Endpoint("m", base_url="http://127.0.0.1:9/v1", patience=QUICK)
    with pytest.raises(ModelUnavailable, match="is the server running"):
        await model.complete(HELLO)
    await model.close()


async def test_a_refused_key_says_what_to_set():
    async with talking(key="right", api_key="wrong") as (server, model):
        with pytest.raises(ModelAuth, match="OPENAI_API_KEY"):
            await model.complete(HELLO)
    assert server.requests == []
    async with talking(faults=[Fault(403, "the key s3cret is not allowed")], api_key="s3cret") as (_, model):
        with pytest.raises(ModelAuth, match=r"\[key\] is not") as caught:
            await model.complete(HELLO)
    assert "s3cret" not in str(caught.value.to_dict())
    async with talking(key="right", api_key="right") as (_, model):
        assert (await model.complete(HELLO)).text == "hello"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (OVERFLOW, ContextOverflow),
        (Fault(404, "model 'm' not found, try pulling it first"), ConfigError),
        (Fault(429, "You exceeded your current quota", "insufficient_quota"), RateLimited),
        (Fault(402, "Insufficient Balance"), RateLimited),
        (Fault(400, "invalid role"), ModelError),
    ],
)
async def test_what_repeating_does_not_mend_is_raised_at_once(fault, kind):
    async with talking(faults=[fault] * 2) as (server, model):
        with pytest.raises(kind, match=fault.message[:12]):
            await model.complete(HELLO)
    assert len(server.requests) == 1


async def test_a_prompt_that_does_not_fit_is_not_sent():
    async with talking(context=2000) as (server, model):
        with pytest.raises(ContextOverflow, match="context window"):
            await model.complete([Message("user", "word " * 1500)])
    assert server.requests == []


@pytest.mark.parametrize(
    ("lacks", "degraded", "kinds"),
    [
        ((), (), ["json_schema"]),
        (("json_schema",), ("json_schema",), ["json_schema", "json_object"]),
        (("response_format",), ("json_schema", "json_object"), ["json_schema", "json_object", None]),
    ],
)
async def test_a_server_without_schemas_is_asked_for_less_and_remembered(lacks, degraded, kinds):
    async with talking(["one", "two"], lacks=lacks) as (server, model):
        first = await model.complete(HELLO, sampling=Sampling(json_schema=SCHEMA))
        second = await model.complete(HELLO, sampling=Sampling(json_schema=SCHEMA))
        plain = await model.complete(HELLO)
    assert (first.text, second.text) == ("one", "two")
    assert first.degraded == second.degraded == degraded
    assert plain.degraded == ()
    sent = [body.get("response_format", {}).get("type") for body in server.requests]
    assert sent == [*kinds, kinds[-1], None]


async def test_tools_and_seed_are_done_without():
    async with talking(lacks=["tools", "seed"]) as (server, model):
        reply = await model.complete(HELLO, [TOOL], Sampling(seed=1))
    assert set(reply.degraded) == {"tools", "seed"}
    assert not {"tools", "seed"} & server.requests[-1].keys()


@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.", "max_tokens"),
        ("Unsupported value: 'temperature' does not support 0 with this model.", "temperature"),
    ],
)
async def test_parameters_that_reasoning_models_refuse(message, gone):
    async with talking(faults=[Fault(400, message)]) as (server, model):
        assert (await model.complete(HELLO)).text == "hello"
    assert gone in server.requests[0]
    assert gone not in server.requests[1]
    assert (gone != "max_tokens") or server.requests[1]["max_completion_tokens"] == 1024


async def test_calls_side_by_side_learn_the_same_lack():
    async with talking(lambda body: "ok", lacks=["seed"]) as (_, model):
        replies = await asyncio.gather(*(model.complete(HELLO, sampling=Sampling(seed=1)) for _ in range(4)))
    assert [reply.degraded for reply in replies] == [("seed",)] * 4


async def test_native_tool_calls_go_out_and_come_back():
    call = {"id": "c1", "type": "function", "function": {"name": "visit", "arguments": '{"url": "/a",}'}}
    async with talking([{"content": None, "tool_calls": [call], "finish_reason": "tool_calls"}]) as (server, model):
        asked = [
            Message("assistant", "", tool_calls=(ToolCall("c0", "visit", {"url": "/"}),)),
            Message("tool", "a page", tool_call_id="c0"),
        ]
        reply = await model.complete(asked, [TOOL])
    assert reply.tool_calls == (ToolCall("c1", "visit", {"url": "/a"}),)
    assert (reply.text, reply.finish) == ("", "tool_calls")
    assert server.requests[0]["tools"][0]["function"]["name"] == "visit"
    before, result = server.requests[0]["messages"]
    assert json.loads(before["tool_calls"][0]["function"]["arguments"]) == {"url": "/"}
    assert result["tool_call_id"] == "c0"


async def test_reasoning_is_kept_apart():
    said = [{"content": "<think>hm</think> 42", "reasoning_content": "well"}]
    async with talking(said) as (_, model):
        reply = await model.complete(HELLO)
    assert (reply.text, reply.reasoning) == ("42", "well\nhm")


async def test_the_same_key_is_not_paid_twice():
    async with talking(["one", "two"]) as (server, model):
        first = await model.complete(HELLO, call=Call("k", 60))
        second = await model.complete(HELLO, call=Call("k", 60))
    assert first.text == second.text == "one"
    assert (server.paid, len(server.requests)) == (1, 2)


async def test_half_an_emoji_can_be_sent():
    async with talking() as (server, model):
        await model.complete([Message("user", "cut \ud83d")])
    assert server.requests[0]["messages"][0]["content"] == "cut ?"


async def test_the_stub_lists_its_model_and_knows_no_other_path():
    async with serve_endpoint(["x"]) as server:
        from openai import AsyncOpenAI, NotFoundError

        async with AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
            assert [model.id async for model in client.models.list()] == ["stub"]
            with pytest.raises(NotFoundError):
                await client.embeddings.create(model="m", input="x")
            done = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
    assert done.choices[0].message.content == "x"
