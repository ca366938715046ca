"""A model in this process: replies, tool calls, deadlines, and what it does without."""

import asyncio
import sys
from pathlib import Path

import pytest

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, ContextOverflow, ModelError, ModelTimeout
from webfarer.core.fare import Price
from webfarer.models.base import Message, Sampling, Tool, ToolCall
from webfarer.models.load import load_model

sys.path.append(str(Path(__file__).parents[1] / "engine"))  # its tiny models

import parrot
import tiny

from webfarer.models.local import Local, weights

ASKED = [Message("user", "When does it open?")]
SEARCH = Tool("search", "Search.", {"type": "object", "properties": {"q": {"type": "string"}}})
SAYS = ("<think>", "I look.", "</think>", "Wait. ", "<tool_call>", '{"name": "search", "arguments": {"q": "a"}}')


@pytest.fixture(scope="module")
def bird(tmp_path_factory):
    """A model that thinks, speaks and calls a tool."""
    return parrot.save(tmp_path_factory.mktemp("bird"), *SAYS, "</tool_call>")


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A model that goes on and on, and whose template knows no tools."""
    return parrot.save(tmp_path_factory.mktemp("endless"), template=tiny.TEMPLATE)


@pytest.fixture
async def local(bird):
    model = Local(bird)
    yield model
    await model.close()


def idle(model):
    """Say that the model's engine has nothing left to do."""
    engine = model._weights.engine
    engine.check_integrity()
    stats = engine.stats()
    return not stats.active and not stats.waiting


async def test_a_reply_is_taken_apart(local):
    reply = await local.complete(ASKED, [SEARCH])
    (call,) = reply.tool_calls
    assert (reply.text, reply.reasoning, reply.finish) == ("Wait.", "I look.", "tool_calls")
    assert (call.name, call.arguments) == ("search", {"q": "a"})
    assert (reply.usage.tokens_in, reply.usage.tokens_out) == (local.count(ASKED, [SEARCH]), len(SAYS) + 2)
    assert (reply.usage.estimated, reply.degraded) == (False, ())
    past = Message("assistant", reply.text, reply.tool_calls)
    again = await local.complete([*ASKED, past, Message("tool", "At eight.", tool_call_id=call.id)], [SEARCH])
    assert again.usage.tokens_in > reply.usage.tokens_in


async def test_without_tools_the_text_stays_as_it_is(local):
    reply = await local.complete(ASKED, sampling=Sampling(stop=("</tool",)))
    assert reply.text == "Wait. " + "".join(SAYS[4:])
    assert (reply.tool_calls, reply.finish) == ((), "stop")


async def test_what_the_model_cannot_do_is_reported(endless):
    model = Local(endless)
    reply = await model.complete(ASKED, [SEARCH], Sampling(max_tokens=5, json_schema={"type": "object"}))
    assert (reply.text, reply.finish) == ("xxxxx", "length")
    assert set(reply.degraded) == {"tools", "json_schema", "json_object"}
    with pytest.raises(ConfigError, match="no place for tools"):
        await model.complete([*ASKED, Message("assistant", "", (ToolCall("1", "search", {}),))])
    await model.close()


async def test_the_deadline_ends_the_sequence(endless):
    model = Local(endless)
    with pytest.raises(ModelTimeout) as caught:
        await model.complete(ASKED, sampling=Sampling(max_tokens=2000, seconds=0.05))
    assert caught.value.cost["tokens_in"] == model.count(ASKED)
    assert caught.value.cost["tokens_out"] < 2000
    while not idle(model):
        await asyncio.sleep(0.01)
    await model.close()


async def test_a_cancelled_call_ends_the_sequence(endless):
    model = Local(endless)
    asking = asyncio.create_task(model.complete(ASKED, sampling=Sampling(max_tokens=2000)))
    while idle(model):
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    while not idle(model):
        await asyncio.sleep(0.01)
    await model.close()


async def test_closing_ends_what_others_wait_for(endless):
    model = Local(endless)
    asking = asyncio.create_task(model.complete(ASKED, sampling=Sampling(max_tokens=2000)))
    while idle(model):
        await asyncio.sleep(0.01)
    await model.close()
    with pytest.raises(ModelError, match="broke off"):
        await asking


async def test_what_does_not_fit_is_refused(endless):
    model = Local(endless, context=100)
    assert model.context == 100
    with pytest.raises(ContextOverflow, match="context window"):
        await model.complete([Message("user", "word " * 50)], sampling=Sampling(max_tokens=10))
    await model.close()


async def test_weights_are_loaded_once(bird, monkeypatch):
    first, second = Local(bird), Local(f"{bird}/../{bird.name}", context=10**6)
    assert first._weights is second._weights is weights(bird.resolve(), "full", "")
    assert (first.context, second.context) == (2048, 2048)
    await first.close()
    await first.close()  # once more does no harm
    assert (await second.complete(ASKED)).text
    await second.close()
    third = Local(bird)  # the engine runs again
    assert (await third.complete(ASKED)).text
    await third.close()


async def test_parts_that_the_template_does_not_write_alone_are_estimated(local):
    assert local.count([]) >= 0
    assert local.count([], [SEARCH]) > 10
    unpaired = [Message("assistant", "", (ToolCall("1", "search", {"q": "a" * 100}),))]
    assert local.count(unpaired) > 20


async def test_a_spec_names_a_folder_and_costs_nothing(bird):
    model = load_model(f"local:{bird}", Settings(context=600))
    assert (model.name, model.context) == (f"local:{bird}", 600)
    assert Settings().price(model.name) == Price(input=0, output=0)
    assert Settings(prices={model.name: Price(input=1, output=2)}).price(model.name) == Price(input=1, output=2)
    await model.close()


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(ConfigError, match="no folder"):
        load_model("local:nowhere", Settings())
    with pytest.raises(ConfigError):
        load_model(f"local:{tmp_path}", Settings())


def test_a_model_that_cannot_chat(tmp_path):
    folder = parrot.save(tmp_path, template=None)
    with pytest.raises(ConfigError, match="no chat template"):
        load_model(f"local:{folder}", Settings())


def test_an_installation_without_the_engine(monkeypatch):
    monkeypatch.setitem(sys.modules, "webfarer.models.local", None)
    with pytest.raises(ConfigError, match=r"webfarer\[engine\]"):
        load_model("local:somewhere", Settings())
