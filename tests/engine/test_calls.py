"""Tool calls and reasoning in the text of a reply, family by family, and however it is cut into pieces."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webfarer.engine.calls import Call, Piece, ReplyReader, read_calls

ONE = '{"name": "search", "arguments": {"q": "a"}}'
TWO = '{"name": "visit", "arguments": {"url": "b </tool_call> <tool_call>"}}'
SEARCH, VISIT = Call("search", {"q": "a"}), Call("visit", {"url": "b </tool_call> <tool_call>"})
TOOLS = ("search", "visit")


def read(pieces, **options):
    reader = ReplyReader(**options)
    read = [*map(reader.feed, pieces), reader.end()]
    assert not any(piece.calls for piece in read[:-1])
    return Piece("".join(p.content for p in read), "".join(p.reasoning for p in read), read[-1].calls)


@pytest.mark.parametrize(
    ("text", "content", "calls"),
    [
        (f"<tool_call>\n{ONE}\n</tool_call>", "", [SEARCH]),
        (f"Now.\n<tool_call>{ONE}</tool_call>\n<tool_call>{TWO}</tool_call>", "Now.\n", [SEARCH, VISIT]),
        (f"<tool_call>{ONE}", "", [SEARCH]),
        (f"<tool_call>[{ONE}, {TWO}]</tool_call> Done", "Done", [SEARCH, VISIT]),
        ('<tool_call>{"name": "unheard", "arguments": "{\\"a\\": 1}"}</tool_call>', "", [Call("unheard", {"a": 1})]),
        ('{"name": "search", "parameters": {"q": "a"}}', "", [SEARCH]),
        (f"{ONE}; {ONE}", "", [SEARCH, SEARCH]),
        (f"<|python_tag|>{ONE}", "", [SEARCH]),
        (f"[TOOL_CALLS][{ONE}]", "", [SEARCH]),
        ('[TOOL_CALLS]search[ARGS]{"q": "a"}[TOOL_CALLS]search{"q": "a"}', "", [SEARCH, SEARCH]),
        ('[TOOL_CALLS]search[CALL_ID]000000001[ARGS]{"q": "a"}', "", [SEARCH]),
        ('{"name": "search"}', "", [Call("search", {})]),
    ],
)
def test_calls_of_every_family(text, content, calls):
    assert read([text], tools=TOOLS) == (content, "", tuple(calls))


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ashford", "arguments": {}}',  # an answer in JSON; no tool has that name
        f"{ONE} is what I would call",
        "<tool_call>{broken}</tool_call>",
        '<tool_call>{"name": 3}</tool_call>',
        '<tool_call>{"name": "search", "arguments": [1]}</tool_call>',
        '<|python_tag|>search.call(query="a")',
        f"[{ONE}, 3]",
        "[" * 100_000,
        "plain",
    ],
)
def test_what_is_no_complete_call_stays_text(text):
    assert read([text], tools=TOOLS) == (text, "", ())


def test_without_tools_nothing_is_a_call():
    text = f"<tool_call>{ONE}</tool_call>"
    assert read([text]) == (text, "", ())


@pytest.mark.parametrize(
    ("text", "content", "reasoning"),
    [
        ("<think>so</think>\n\nHere", "Here", "so"),
        (" \n<think>so", "", "so"),
        ("Here <think>so</think>", "Here <think>so</think>", ""),
        ("<thin", "<thin", ""),
        ("  Here", "  Here", ""),
    ],
)
def test_reasoning_stands_at_the_head(text, content, reasoning):
    assert read([text]) == (content, reasoning, ())


def test_text_before_a_call_comes_at_once():
    reader = ReplyReader(tools=TOOLS)
    assert reader.feed("I look. <tool").content == "I look. "
    assert reader.feed("box").content == "<toolbox"


PARTS = ["<think>", "</think>", "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "<|python_tag|>", ONE, TWO, " ", "<t"]
TEXTS = st.lists(st.sampled_from([*PARTS, "{", "a", "\n"]), max_size=8).map("".join)


@given(TEXTS, st.lists(st.integers(0, 80)), st.booleans(), st.booleans())
@example(f"<think>a</think> {ONE}", [3, 9, 17, 18, 30], False, True)
def test_it_does_not_matter_how_a_reply_is_cut(text, cuts, thinking, offered):
    cuts = sorted({min(cut, len(text)) for cut in cuts})
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    options = {"thinking": thinking, "tools": TOOLS if offered else ()}
    assert read(pieces, **options) == read([text], **options)
    assert read(list(text), **options) == read([text], **options)


@given(st.dictionaries(st.text(), st.text()))
def test_any_arguments_come_back(arguments):
    text = json.dumps({"name": "search", "arguments": arguments}, ensure_ascii=False)
    for form in ("<tool_call>{}</tool_call>", "[TOOL_CALLS][{}]", "{}"):
        assert read_calls(form.replace("{}", text), TOOLS) == ("", (Call("search", arguments),))
