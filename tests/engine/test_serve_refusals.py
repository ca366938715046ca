"""What the server refuses and how it says so: fields, lengths, strangers, a full line; and how sequences are ended."""

import asyncio
import signal
import socket
import threading

import aiohttp
import openai
import parrot
import pytest
from serving_kit import ASKED, empty, engine_in, served

from webfarer.core.errors import ConfigError
from webfarer.engine.chat import Chat
from webfarer.engine.serving.endpoints import Endpoints
from webfarer.engine.serving.replies import ChatChoice, sse
from webfarer.engine.serving.server import Door, serve

CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
LONG = {"model": "m", "messages": ASKED, "max_tokens": 1900}
SHORT = {"model": "m", "messages": ASKED, "max_tokens": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model that goes on and on."""
    return parrot.save(tmp_path_factory.mktemp("endless"))


@pytest.fixture(scope="module")
def engine(folder):
    return engine_in(folder, rows=1, waiting=1)


@pytest.fixture
async def server(engine, folder):
    async with served(engine, folder) as server:
        yield server


async def until(true):
    """Wait for something that another thread brings about."""
    while not true():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 2}, "top_p"),
        ({"n": 0}, "n"),
        ({"n": 2}, "n"),  # the line has one place
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stop": ""}, "stop.0"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": ""}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content"),
        ({"messages": [{"role": "user"}]}, "messages.0"),
        ({"messages": [{"role": "tool", "content": ""}]}, "messages.0"),
        ({"top_logprobs": 2}, None),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"colour": "red"}, "colour"),
        ({"min_tokens": 9}, None),
        ({"stop_token_ids": [5000]}, None),
    ],
)
async def test_a_wrong_field_is_named(server, changes, param):
    status, body, _ = await server.post(CHAT, {**SHORT, **changes})
    error = body["error"]
    assert (status, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert next(iter(changes)) in error["message"] or "token" in error["message"] or "`" in error["message"]


@pytest.mark.parametrize("body", ["", "nonsense", "[]", "3", '{"model": NaN}', "[" * 100_000, b"\xff\xfe", b"\x00"])
async def test_a_body_that_is_no_request(server, body):
    for path in (CHAT, TEXT):
        status, answer, _ = await server.post(path, body)
        assert status == 400
        assert answer["error"]["message"]


async def test_half_characters_are_refused(server):
    body = '{"model": "m", "messages": [{"role": "user", "content": "\\ud800"}]}'
    status, answer, _ = await server.post(CHAT, body)
    assert status == 400
    assert "Invalid JSON" in answer["error"]["message"]


def test_half_characters_can_be_said():
    assert sse({"a": "\ud800"}) == b'data: {"a":"\\ud800"}\n\n'


async def test_what_does_not_fit_is_refused_as_openai_does(server):
    for body in (
        {**SHORT, "max_tokens": 5000},
        {**SHORT, "messages": [{"role": "user", "content": "word " * 1000}]},
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            await server.client.chat.completions.create(**body)
        assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")
        assert "maximum context length is 2048" in caught.value.message
    status, answer, _ = await server.post(TEXT, {"model": "m", "prompt": "ab", "suffix": "c"})
    assert (status, answer["error"]["param"]) == (400, "suffix")


@pytest.mark.parametrize("prompt", ["", [[]], [5000], [-1], [1.5], [["a", 1]], None])
async def test_prompts_that_cannot_be_continued(server, prompt):
    status, answer, _ = await server.post(TEXT, {"model": "m", "prompt": prompt})
    assert status == 400
    assert answer["error"]["message"]


async def test_an_unknown_model_lists_the_known(server):
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-5' here; there is m") as caught:
        await server.client.chat.completions.create(**{**SHORT, "model": "gpt-5"})
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize(("path", "status"), [("/v1/embeddings", 404), ("/v1/models", 405)])
async def test_what_is_not_there(server, path, status):
    answered, body, _ = await server.post(path, {})
    assert answered == status
    assert body["error"]["type"] == "invalid_request_error"


async def test_a_body_too_large(engine, folder):
    async with served(engine, folder, door=Door(body_bytes=1000)) as server:
        status, body, _ = await server.post(CHAT, {**SHORT, "user": "x" * 2000})
    assert status == 413
    assert body["error"]["message"]


async def test_no_web_page_can_ask(server):
    raw = '{"model": "m", "prompt": "a"}'
    assert (await server.post(TEXT, raw, **{"Content-Type": "text/plain"}))[0] == 415
    assert (await server.post(TEXT, raw, Host="evil.example"))[0] == 403
    assert (await server.post(TEXT, raw, Host="evil.example:80"))[0] == 403
    for name in ("localhost", "LOCALHOST:80", "127.0.0.1:9", "[::1]:80", "[::1]"):
        assert (await server.post(TEXT, raw, Host=name))[0] == 200


async def test_at_an_open_address_no_web_page_asks_without_a_token(engine, folder):
    for token, status in (("", 403), ("t", 200)):
        async with served(engine, folder, door=Door("0.0.0.0", token=token)) as server:
            said = {"Origin": "http://evil.example", "Authorization": f"Bearer {token}"}
            assert (await server.post(CHAT, SHORT, **said))[0] == status
            del said["Origin"]
            assert (await server.post(CHAT, SHORT, **said))[0] == 200


async def test_health_says_when_the_engine_has_stopped(server, monkeypatch):
    for alive, status, word in ((True, 200, "ok"), (False, 503, "engine stopped")):
        monkeypatch.setattr(type(server.engine), "alive", alive)
        async with server.http.get(f"{server.url}/health") as health:
            assert (health.status, await health.json()) == (status, {"status": word})


async def test_a_stream_that_cannot_be_written_ends_with_one_error(server, monkeypatch):
    monkeypatch.setattr(ChatChoice, "take", lambda *_: {"content": object()})
    async with server.http.post(server.url + CHAT, json={**SHORT, "stream": True}) as answer:
        said = await answer.text()
    assert (answer.status, said.count("server_error"), said.count("HTTP/1.1")) == (200, 1, 0)


async def test_only_who_has_the_token(engine, folder):
    async with served(engine, folder, door=Door(token="sésame")) as server:
        stranger = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="sesame", max_retries=0)
        async with stranger:
            with pytest.raises(openai.AuthenticationError) as caught:
                await stranger.models.list()
        assert caught.value.code == "invalid_api_key"
        assert (await server.post(CHAT, SHORT, Authorization="Bearer sésame"))[0] == 200
        for header in ({}, {"Authorization": "Bearer "}, {"Authorization": "sésame2"}):
            assert (await server.post(CHAT, SHORT, **header))[0] == 401
        async with server.http.get(f"{server.url}/metrics") as page, server.http.get(f"{server.url}/health") as health:
            assert (page.status, health.status) == (401, 200)


async def test_a_full_line_is_busy(server, monkeypatch):
    streams = []
    for _ in range(2):  # one is drawn, one waits
        streams.append(await server.client.chat.completions.create(**LONG, stream=True))
        await until(lambda: server.engine._batch.active)
    status, body, headers = await server.post(CHAT, SHORT)
    assert (status, body["error"]["code"], headers["Retry-After"]) == (503, "engine_busy", "1")
    monkeypatch.setattr(Chat, "prompt", None)  # a full line is no work for the template
    status, body, _ = await server.post(CHAT, SHORT)
    assert status == 503
    monkeypatch.undo()
    for stream in streams:
        await stream.close()
    await until(lambda: not server.engine._batch.active)
    assert (await server.post(CHAT, {**SHORT, "n": None}))[0] == 200


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_hangs_up_ends_its_sequence(server, stream):
    before = server.engine.stats().finished.get("cancelled", 0)
    asking = asyncio.create_task(server.post(CHAT, {**LONG, "stream": stream}))
    await until(lambda: server.engine._batch.active)
    asking.cancel()
    await until(lambda: not server.engine._batch.active)
    await until(lambda: server.engine.stats().finished.get("cancelled", 0) == before + 1)
    empty(server.engine)


async def test_an_engine_that_fails_answers_with_an_error(server, monkeypatch):
    def broken(*_):
        raise RuntimeError("no memory")

    monkeypatch.setattr(server.engine._batch.memory, "decode", broken)
    status, body, _ = await server.post(CHAT, SHORT)
    assert (status, body["error"]["type"]) == (500, "server_error")
    assert "no memory" in body["error"]["message"]
    stream = await server.client.chat.completions.create(**SHORT, stream=True)
    with pytest.raises(openai.APIError, match="no memory"):
        async for _ in stream:
            pass


@pytest.mark.slow
async def test_a_signal_lets_requests_end_and_takes_no_more(engine, folder):
    door, address = Door(drain_seconds=30), asyncio.Queue()
    endpoints = Endpoints(engine, Chat.load(folder), name="m")
    running = asyncio.create_task(serve(endpoints, door, address.put_nowait))
    url = await address.get()
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        stream = await client.chat.completions.create(**{**LONG, "max_tokens": 300}, stream=True)
        signal.raise_signal(signal.SIGTERM)
        pieces = [chunk async for chunk in stream]
    assert pieces[-1].choices[0].finish_reason == "length"
    await running
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))).close()
    empty(engine)
    assert not any(thread.name == "webfarer-engine" for thread in threading.enumerate())


async def test_what_takes_too_long_is_ended_when_the_server_stops(engine, folder):
    async with served(engine, folder, door=Door(drain_seconds=0.05)) as server:
        asking = asyncio.create_task(server.post(CHAT, LONG))
        await until(lambda: server.engine._batch.active)
    with pytest.raises(aiohttp.ClientError):
        await asking


def test_an_adapter_cannot_have_the_models_name(engine, folder, monkeypatch):
    monkeypatch.setitem(engine.adapters, "m", None)
    with pytest.raises(ConfigError, match="has the model's name"):
        Endpoints(engine, Chat.load(folder), name="m")
