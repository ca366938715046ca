"""Model specs, and the scripted model they can name."""

import json

import pytest
from pydantic import SecretStr

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, ModelTimeout
from webfarer.models.base import Message
from webfarer.models.endpoint import Endpoint
from webfarer.models.load import PROVIDERS, load_model
from webfarer.models.scripted import Scripted

ASKED = [Message("user", "Hello?")]


@pytest.fixture(autouse=True)
def _bare(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "WEBFARER_API_KEY", "WEBFARER_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def settings(monkeypatch, url="", key=""):
    if url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
    if key:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    return Settings()


def test_no_spec_is_no_model():
    assert load_model("", Settings()) is None


@pytest.mark.parametrize("spec", ["openai:gpt-4o-mini", "openai/gpt-4o-mini"])
def test_both_ways_to_write_a_spec(spec, monkeypatch):
    model = load_model(spec, settings(monkeypatch, key="k"))
    assert isinstance(model, Endpoint)
    assert (model.name, model.base_url) == ("gpt-4o-mini", "https://api.openai.com/v1")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("endpoint:qwen3:8b", "qwen3:8b"),
        ("endpoint:meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        ("openai:local", "local"),
    ],
)
def test_a_server_of_ones_own_needs_no_key(spec, name, monkeypatch):
    model = load_model(spec, settings(monkeypatch, url="http://127.0.0.1:8000/v1"))
    assert isinstance(model, Endpoint)
    assert (model.name, model.base_url, model.context) == (name, "http://127.0.0.1:8000/v1", 32_768)


@pytest.mark.parametrize("spec", ["gpt-4o-mini", "qwen3:8b", "openai:", "openai"])
def test_an_unknown_provider_lists_the_known_ones(spec):
    with pytest.raises(ConfigError) as caught:
        load_model(spec, Settings())
    assert all(f"  {provider}:" in caught.value.message for provider in PROVIDERS)


@pytest.mark.parametrize(
    ("spec", "said"), [("openai:gpt-4o-mini", "set OPENAI_API_KEY"), ("endpoint:m", "set OPENAI_BASE_URL")]
)
def test_what_is_not_set_is_named(spec, said):
    with pytest.raises(ConfigError, match=said):
        load_model(spec, Settings())


def test_an_address_without_scheme(monkeypatch):
    with pytest.raises(ConfigError, match="http://"):
        load_model("endpoint:m", settings(monkeypatch, url="localhost:8000/v1"))


def test_a_key_never_stands_in_a_message(monkeypatch):
    with pytest.raises(ConfigError) as caught:
        load_model("endpoint:m", Settings().model_copy(update={"api_key": SecretStr("sk-secret")}))
    assert "sk-secret" not in str(caught.value)


async def test_a_script_from_a_file(tmp_path):
    path = tmp_path / "script.json"
    reply = {"text": "t", "reasoning": "r", "usage": {"tokens_in": 3}}
    path.write_text(json.dumps(["text", reply, {"useful": True}, {"error": "ModelTimeout"}]))
    model = load_model(f"scripted:{path}", Settings())
    assert (await model.complete(ASKED)).text == "text"
    reply = await model.complete(ASKED)
    assert (reply.reasoning, reply.usage.tokens_in) == ("r", 3)
    assert (await model.complete(ASKED)).text == '{"useful": true}'
    with pytest.raises(ModelTimeout):
        await model.complete(ASKED)
    with pytest.raises(ConfigError, match=r"4 replies are used up.*Hello"):
        await model.complete(ASKED)


@pytest.mark.parametrize("content", ["{}", "[1]", "nonsense", '[{"text": 5}]'])
def test_a_file_that_is_no_script(content, tmp_path):
    path = tmp_path / "script.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match="no script"):
        load_model(f"scripted:{path}", Settings())
    with pytest.raises(ConfigError, match="no script"):
        load_model("scripted:nowhere.json", Settings())


async def test_a_script_may_compute_and_remembers_what_it_was_asked():
    model = Scripted([lambda messages: messages[-1].content.upper()])
    reply = await model.complete(ASKED)
    assert reply.text == "HELLO?"
    assert reply.usage.estimated
    assert model.asked == [ASKED]
