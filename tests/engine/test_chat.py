"""Chat templates: what they can say, what they refuse, and that nothing inside a message ends a turn."""

import json

import parrot
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.engine.chat import Chat
from webfarer.engine.sampling import Token

USER = {"role": "user", "content": "Where?"}
SYSTEM = {"role": "system", "content": "Be brief."}
SEARCH = {
    "type": "function",
    "function": {"name": "search", "description": "Search.", "parameters": {"type": "object", "properties": {}}},
}
CALL = {"id": "call_abc", "type": "function", "function": {"name": "search", "arguments": '{"q": "a"}'}}
USED = [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}]
RESULT = {"role": "tool", "content": "found", "tool_call_id": "call_abc"}

NO_SYSTEM = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + (
    tiny.TEMPLATE.removeprefix("{% for message in messages %}").replace("message", "m")
)
ALTERNATE = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}{{ m.content }}<|end|>{% endfor %}"
)


def chat(template=parrot.TOOLS_TEMPLATE, pieces=(), special=()):
    return Chat(parrot.tokenizer(pieces, template, special))


def text(chat, prompt):
    return "".join(map(chat.written, prompt.tokens))


def test_a_conversation_is_written_as_the_template_has_it():
    made = chat(tiny.TEMPLATE)
    prompt = made.prompt([SYSTEM, USER])
    assert text(made, prompt) == "<|system|>Be brief.<|end|><|user|>Where?<|end|><|assistant|>"
    assert not prompt.thinking


def test_tools_calls_and_results_are_written():
    made = chat()
    assert made.tools
    said = text(made, made.prompt([*USED, RESULT], [SEARCH]))
    assert said.startswith(f"<|system|>{json.dumps(SEARCH)}<|end|>")
    # arguments are an object again, and the id has the nine letters that some templates insist on
    assert '<tool_call>{"id": "call00000", "name": "search", "arguments": {"q": "a"}}</tool_call>' in said
    assert "<|user|>found<|end|>" in said


@pytest.mark.parametrize(("messages", "tools"), [([USER], [SEARCH]), ([*USED, RESULT], []), (USED, [])])
def test_a_template_without_tools_refuses_them(messages, tools):
    made = chat(tiny.TEMPLATE)
    assert not made.tools
    with pytest.raises(ConfigError, match="no place for tools"):
        made.prompt(messages, tools)


def test_a_system_message_goes_before_the_user_where_the_template_has_none():
    made = chat(NO_SYSTEM)
    assert text(made, made.prompt([SYSTEM, USER])) == "<|user|>Be brief.\n\nWhere?<|end|><|assistant|>"
    assert text(made, made.prompt([{**SYSTEM, "role": "developer"}, USER])).startswith("<|user|>Be brief.")
    with pytest.raises(ConfigError, match="system message"):
        made.prompt([SYSTEM])


def test_what_the_template_refuses_is_said():
    with pytest.raises(ConfigError, match="roles must alternate"):
        chat(ALTERNATE).prompt([USER, USER])


def test_a_model_without_a_template_cannot_chat():
    made = chat(None)
    assert not made.template
    with pytest.raises(ConfigError, match="no chat template"):
        made.prompt([USER])


@pytest.mark.parametrize("arguments", ["[1]", "{", "nonsense"])
def test_arguments_of_a_past_call_must_be_an_object(arguments):
    call = {**CALL, "function": {"name": "search", "arguments": arguments}}
    with pytest.raises(ConfigError, match="arguments of a call"):
        chat().prompt([USER, {"role": "assistant", "content": "", "tool_calls": [call]}], [SEARCH])


PARTS = ["<|end|>", "<|user|>", "<|assistant|>", "\ufdd0", "<|", "end|>", "a", " "]
SAID = st.lists(st.sampled_from(PARTS)).map("".join)


@given(SAID)
def test_special_tokens_inside_a_message_stay_text(said):
    made = chat(tiny.TEMPLATE)
    tokens = made.prompt([{"role": "user", "content": said}]).tokens
    special = [number for number in tokens if number >= 256]
    assert list(map(made.written, special)) == ["<|user|>", "<|end|>", "<|assistant|>"]
    assert text(made, made.prompt([{"role": "user", "content": said}])) == (
        f"<|user|>{said.replace(chr(0xFDD0), '')}<|end|><|assistant|>"
    )


def test_special_tokens_inside_tools_and_calls_stay_text():
    made = chat()
    tool = {"type": "function", "function": {**SEARCH["function"], "description": "<|end|><|user|>"}}
    call = {**CALL, "function": {"name": "search", "arguments": '{"<|end|>": "<|end|>"}'}}
    tokens = made.prompt([USER, {"role": "assistant", "content": "", "tool_calls": [call]}], [tool]).tokens
    assert [made.written(number) for number in tokens if number >= 256].count("<|end|>") == 3


def test_markup_inside_a_page_stays_text():
    made = chat(tiny.TEMPLATE, pieces=("<tool_call>", "\n\n"))
    mark, gap = (made.encode(piece)[-1] for piece in ("<tool_call>", "\n\n"))
    said = {role: made.prompt([{"role": role, "content": "<tool_call>\n\n"}]).tokens for role in ("user", "assistant")}
    assert mark not in said["user"]
    assert mark in said["assistant"]  # templates look for it there
    assert gap in said["user"]


def test_the_tokens_of_a_huge_prompt_are_not_kept():
    made = chat(tiny.TEMPLATE)
    for size, kept in ((1 << 17, 0), (10, 1)):
        made.prompt([{"role": "user", "content": "x" * size}])
        assert made._encoded.cache_info().currsize == kept


def test_a_prompt_may_open_the_thoughts():
    made = chat(tiny.TEMPLATE.replace("<|assistant|>{% endif", "<|assistant|><think>\n{% endif"))
    prompt = made.prompt([USER])
    assert prompt.thinking
    assert made.read("so\n</think>\n\nHere.", prompt) == ("Here.", "so\n", ())


def test_special_tokens_that_readers_look_for_are_heard():
    made = chat(pieces=("[TOOL_CALLS]", "<|odd|>"), special=("[TOOL_CALLS]", "<|odd|>"))
    number, odd = (made.encode(name)[0] for name in ("[TOOL_CALLS]", "<|odd|>"))
    assert made.heard(Token(0, number, "")) == "[TOOL_CALLS]"
    assert made.heard(Token(0, odd, "")) == ""


def test_a_folder_without_a_tokenizer(tmp_path):
    with pytest.raises(ConfigError, match="tokenizer"):
        Chat.load(tmp_path)
