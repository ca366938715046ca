"""Reading replies: reasoning, content forms, tool arguments, usage."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.models import wire
from webfarer.models.base import Tool
from webfarer.models.dialogue import DIALECTS


def body(**message):
    return {"choices": [{"message": message, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ("42", "42", ""),
        ("<think>let me see</think>\n42", "42", "let me see"),
        ("let me see</think>42", "42", "let me see"),
        ("<think>let me see", "", "let me see"),
        ("<THINKING>a</THINKING>4<think>b</think>2", "42", "a\nb"),
        ("a</think>4<think>b</think>2<think>c", "42", "a\nb\nc"),
        ("", "", ""),
        ('{"q": "what does <think> mean"}', '{"q": "what does <think> mean"}', ""),
        ('<think>a</think>\n{"q": "</think>"}', '{"q": "</think>"}', "a"),
        ('<tool_call>{"q": "<think>"}</tool_call>', '<tool_call>{"q": "<think>"}</tool_call>', ""),
        ('so</think>Action Input: {"q": ["<think>"]}', 'Action Input: {"q": ["<think>"]}', "so"),
        ('{"q": "<think> not closed', '{"q": "', "not closed"),
    ],
)
def test_reasoning_is_split_off(content, text, reasoning):
    assert wire.split_reasoning(content) == (text, reasoning)


@given(st.text(alphabet="ab <>/think", max_size=80))
def test_no_think_tag_is_left_open(content):
    text, _ = wire.split_reasoning(content)
    assert "<think>" not in text


def test_content_in_parts():
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
    reply = wire.reply(body(content=parts), 1)
    assert reply.text == "ab"


def test_usage_is_estimated_when_it_is_not_reported():
    assert wire.reply(body(content="a few words"), 17).usage.estimated
    assert wire.reply(body(content="a few words"), 17).usage.tokens_in == 17
    reported = wire.reply(body(content="x") | {"usage": {"prompt_tokens": 5, "completion_tokens": None}}, 17).usage
    assert (reported.tokens_in, reported.tokens_out, reported.estimated) == (5, 0, False)


@pytest.mark.parametrize(
    ("raw", "arguments"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        ({"a": 1}, {"a": 1}),
        ('{"a": NaN}', {"a": None}),
        ("{'a': 'x', }", {"a": "x"}),
        ('{"a": "x', {"a": "x"}),
    ],
)
def test_tool_arguments(raw, arguments):
    calls = [{"function": {"name": "f", "arguments": raw}}]
    (call,) = wire.reply(body(content=None, tool_calls=calls), 1).tool_calls
    assert (call.id, call.name, call.arguments) == ("call_0", "f", arguments)


SEARCH = Tool(
    "search",
    "",
    {
        "type": "object",
        "properties": {"query": {"type": "array", "items": {"type": "string"}}},
        "required": ["query"],
    },
)


@pytest.mark.parametrize(
    ("raw", "query"),
    [
        ('["a", "b"]', ["a", "b"]),
        (["a", "b"], ["a", "b"]),
        (json.dumps(json.dumps({"query": ["a"]})), ["a"]),
        (json.dumps({"arguments": json.dumps({"query": "a"})}), ["a"]),
        ("two words", ["two words"]),
        ('"a"', ["a"]),
        ("7", ["7"]),
        ('{"query": "what does <think> mean"}', ["what does <think> mean"]),
    ],
)
def test_arguments_that_are_no_object_reach_the_dialect(raw, query):
    reply = wire.reply(body(content=None, tool_calls=[{"function": {"name": "search", "arguments": raw}}]), 1)
    assert isinstance(reply.tool_calls[0].arguments, dict)
    assert DIALECTS.load("native").read(reply, [SEARCH]).calls[0].arguments == {"query": query}


@pytest.mark.parametrize("raw", ["null", "{", "[" * 100_000, '{"' * 10_000, '{"a": ' * 5_000, '{"b": [1,2 ' * 2_000])
def test_arguments_that_cannot_be_read_are_told_to_the_model_and_cost_no_time(raw):
    reply = wire.reply(body(content=None, tool_calls=[{"function": {"name": "search", "arguments": raw}}]), 1)
    assert reply.tool_calls[0].arguments == {}
    assert "search needs `query`" in DIALECTS.load("native").read(reply, [SEARCH]).problem


def test_arguments_without_a_place_in_the_log_are_put_right():
    (call,) = wire.reply(
        body(tool_calls=[{"function": {"name": "f", "arguments": '{"a": 1e999, "b": NaN}'}}]), 1
    ).tool_calls
    assert call.arguments == {"a": None, "b": None}


@pytest.mark.parametrize("broken", [None, "", [], {}, {"choices": []}, {"choices": [{}]}, {"error": "x"}, "<html>"])
def test_what_is_no_completion_is_an_error(broken):
    with pytest.raises(ValueError, match="no chat completion"):
        wire.reply(broken, 1)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("'response_format' of type 'json_schema' is not supported", "json_schema"),
        ('"auto" tool choice requires --enable-auto-tool-choice', "tools"),
        ("registry.ollama.ai/library/x does not support tools", "tools"),
        ("Unrecognized request argument supplied: seed", "seed"),
        ("the seeds of doubt", None),
        ("invalid role", None),
    ],
)
def test_which_parameter_a_refusal_is_about(message, expected):
    sent = {"tools": [], "seed": 1, "response_format": {"type": "json_schema"}}
    assert wire.missing(sent, message) == expected
    assert wire.missing({}, message) is None


def test_the_servers_own_hint_goes_first():
    sent = {"temperature": 0, "top_p": 0.5}
    assert wire.missing(sent, "temperature and top_p cannot both be set", "top_p") == "top_p"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("This model's maximum context length is 4097 tokens. You requested 5000 tokens (4000 in the tools).", True),
        ("the request exceeds the available context size (2048 tokens)", True),
        ("prompt is too long: 210000 tokens > 200000 maximum", True),
        ("tools are not supported", False),
    ],
)
def test_refusals_about_length(message, expected):
    assert wire.overflows(message) is expected
