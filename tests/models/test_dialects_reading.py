"""The untidy ways in which models write calls, one by one."""

import json
import re

import pytest
from dialect_kit import TOOLS, load, search, tool

from webfarer.models.base import Reply, ToolCall
from webfarer.models.dialects import _json
from webfarer.models.dialogue import DIALECTS, Turn

VISIT = ToolCall("call_1", "visit", {"url": ["http://a.test/"], "goal": "g"})
CALL = '{"name": "search", "arguments": {"query": ["a"]}}'


def tagged(body):
    return f"<tool_call>\n{body}\n</tool_call>"


def calls(text, dialect_id="tags", **options):
    turn = load(dialect_id).read(Reply(text, **options), TOOLS)
    assert not turn.problem
    return turn.calls


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "search", "arguments": {"query": "a"}}',
        '{"name": "search", "arguments": {"queries": ["a"]}}',
        '{"name": "search", "arguments": {"Query": ["a"], "filter_year": 2024}}',
        '{"name": "google_search", "arguments": {"q": "a"}}',
        '{"name": "functions.web_search", "parameters": {"keywords": ["a"]}}',
        '{"name": "search", "arguments": "{\\"query\\": [\\"a\\"]}"}',
        '{"name": "search", "arguments": "a"}',
        '{"name": "search", "arguments": ["a"]}',
        '{"name": "search", "arguments": {"query": "[\\"a\\"]"}}',
        '{"name": "search", "arguments": {"query": {"query": ["a"]}}}',
        '{"name": "search", "arguments": {"query": [{"query": "a"}]}}',
        '{"name": "search", "arguments": {"query": ["a", null, ""]}}',
        '{"name": "search", "arguments": {"arguments": {"query": ["a"]}}}',
        '{"name": "search", "arguments": {"name": "search", "arguments": {"query": ["a"]}}}',
        '{"name": "search", "arguments": {"query": ["a"], "params": {"query": ["a"]}}}',
        '{"name": "search", "arguments": {"query": ["a"], "since": NaN}}',
        '{"name": "search", "query": ["a"]}',
        '{"type": "function", "function": {"name": "search", "arguments": {"query": ["a"]}}}',
        '{"search": {"query": ["a"]}}',
        "{'name': 'search', 'arguments': {'query': ['a']}}",
        '{"name": "search", "arguments": {"query": ["a"]}',
        '{"name": "search", "arguments": {"query": ["a",],},}',
        '{"name": "search", <think>or visit?</think> "arguments": {"query": ["a"]}}',
        f"```json\n{CALL}\n```",
        f"[{CALL}]",
    ],
)
def test_one_search_however_it_is_written(body):
    assert calls(tagged(body)) == (search("a"),)


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "http://a.test/", "goal": "g"},
        {"urls": ["http://a.test/"], "goal": ["g"]},
        {"url_link": "http://a.test/", "info_to_extract": "g"},
        {"link": "http://a.test/", "question": "g"},
    ],
)
@pytest.mark.parametrize("name", ["visit", "scrape_and_extract_info", "browse", "open_page", "click", "Visit"])
@pytest.mark.parametrize("dialect_id", DIALECTS.ids())
def test_names_of_other_tools_and_arguments(dialect_id, name, arguments):
    heard = Reply("", tool_calls=(ToolCall("call_1", name, arguments),))
    assert load(dialect_id).read(heard, TOOLS).calls == (VISIT,)


@pytest.mark.parametrize(
    "text",
    [
        f"<think>t</think>{tagged(CALL)}",
        f"t</think>\n{tagged(CALL)}",
        f"<think>t\n{tagged(CALL)}",
        f"t\n<tool_call>{CALL}",
        f"t\n<tool_call>\n```json\n{CALL}\n",
        f"<think>t</think>{CALL}",
        f"<think>t</think>```json\n{CALL}\n```",
        f"{tagged(CALL)}\nt\n<tool_response>made up</tool_response><answer>42</answer>",
        f"<think>t</think>{tagged(CALL)}<answer>too early</answer>",
        f"<THINKING>t</THINKING><TOOL_CALL>{CALL}</TOOL_CALL>",
    ],
)
def test_tags_out_of_order(text):
    assert load("tags").read(Reply(text), TOOLS) == Turn("t", (search("a"),))


@pytest.mark.parametrize(
    "query", ["python list </tool_call> tag", "what does <think> mean", "<answer>42</answer>", "it's"]
)
def test_tags_inside_a_query_are_text(query):
    assert calls(tagged(json.dumps({"name": "search", "arguments": {"query": [query]}}))) == (search(query),)


def test_several_calls():
    other = CALL.replace('"a"', '"b"')
    both = (search("a"), search("b", number=2))
    for text in (tagged(CALL) + tagged(other), tagged(f"[{CALL}, {other}]"), tagged(f"{CALL}\n{other}")):
        assert calls(text) == both
    assert calls(f"<tool_call>{CALL}<tool_call>{other}") == both


def test_calls_that_the_server_read_keep_their_ids_and_get_new_ones_where_these_clash():
    heard = Reply(
        "I look.", tool_calls=(ToolCall("x", "search", {"query": "a"}), ToolCall("x", "search", {"query": "b"}))
    )
    turn = load("native").read(heard, TOOLS)
    assert turn == Turn("I look.", (ToolCall("x", "search", {"query": ["a"]}), search("b", number=2)))
    said = load("native").said(heard, turn)
    assert (said.content, said.tool_calls) == ("I look.", turn.calls)


def test_no_call_is_lost_to_the_id_of_another():
    heard = Reply("", tool_calls=(ToolCall("call_2", "search", {"query": "a"}), ToolCall("", "search", {"query": "b"})))
    read = load("native").read(heard, TOOLS).calls
    assert read == (search("a", number=2), search("b", number=3))


def test_a_server_that_leaves_the_calls_in_the_text_or_takes_them_for_thoughts():
    assert calls(tagged(CALL), "native") == (search("a"),)
    assert calls(CALL, "native") == (search("a"),)
    for dialect_id in DIALECTS.ids():
        assert calls("", dialect_id, reasoning=f"hm {tagged(CALL)}") == (search("a"),)


@pytest.mark.parametrize(
    ("dialect_id", "text", "answer"),
    [
        ("tags", "<answer>\n42\n</answer> That is all.", "42"),
        ("tags", "<think>t</think><answer>42", "42"),
        ("tags", "<answer>41</answer>no: <answer>42</answer>", "42"),
        ("tags", tagged('{"name": "final_answer", "arguments": {"answer": "42"}}'), "42"),
        ("tags", tagged('{"name": "answer", "arguments": "42"}'), "42"),
        ("native", "42", "42"),
        ("native", "<think>t</think>42", "42"),
        ("native", "<answer>42</answer>", "42"),
        ("native", '{"name": "Ada", "born": 1815}', '{"name": "Ada", "born": 1815}'),
        ("react", "Thought: t\nFinal Answer: 42\nAction: a film", "42\nAction: a film"),
        ("react", "**Final Answer:** 42", "42"),
        ("react", "Action: finish[42]", "42"),
        ("react", "Action: Final Answer\nAction Input: 42", "42"),
        ("react", "<answer>42</answer>", "42"),
    ],
)
def test_answers(dialect_id, text, answer):
    turn = load(dialect_id).read(Reply(text), TOOLS)
    assert (turn.answer, turn.calls, turn.problem) == (answer, (), "")


@pytest.mark.parametrize(
    "text",
    [
        'Thought: t\nAction: search\nAction Input: {"query": ["a"]}\nObservation: found\nFinal Answer: 42',
        'Thought: t\nAction: search\nAction Input: {"query": ["a"]}\nFinal Answer: 42',
        "Thought: t\nAction: search\nAction Input: a",
        'Thought: t\nAction: `search`\nAction Input: "a"\n',
        "Thought: t\nAction: search[a]",
        'Thought: t\nAction: search("a")',
        f"Thought: t\nAction: {CALL}",
        'Thought: t\nAction: web_search\nAction Input:\n```json\n{\n  "query": [\n    "a"\n  ]\n}\n```',
        "t\n**Action:** search\n**Action Input:** {'query': ['a']}\n",
        "Thought：t\nAction：search\nAction Input：a",
        f"<think>t</think>{tagged(CALL)}",
    ],
)
def test_actions(text):
    assert load("react").read(Reply(text), TOOLS) == Turn("t", (search("a"),))


@pytest.mark.parametrize(
    ("dialect_id", "text", "told"),
    [
        ("tags", "I will look.", "neither a call nor an answer"),
        ("tags", "<answer> </answer>", "neither a call nor an answer"),
        ("native", "", "neither a call nor an answer"),
        ("react", "I will look.", "neither a call nor an answer"),
        ("tags", tagged('{"name": "python", "arguments": {}}'), "no tool 'python'.*search.*visit.*walk.*find"),
        ("tags", tagged('{"name": "visit", "arguments": {"url": "u"}}'), "visit needs `goal`"),
        ("tags", tagged('{"name": "search", "arguments": {"query": []}}'), "search needs `query`"),
        (
            "tags",
            tagged('{"name": "walk", "arguments": {"url": ["u", "v"], "goal": "g"}}'),
            "`url` of walk must be string",
        ),
        ("tags", tagged('{"arguments": {"query": "a"}}'), "no `name`"),
        ("tags", tagged("search for it"), "no JSON object"),
        ("tags", '<tool_call>{"name": "search", "arguments": {"query": ["a", "b', "not complete"),
        (
            "tags",
            tagged('{"name": "search", "arguments": {"query": [{"a": [{"b": ' + "[" * 20 + "]" * 20 + "}]}]}}"),
            "deep",
        ),
        ("react", 'Action: search\nAction Input: {"query": ["a', "not complete"),
        ("react", "Action: search", "without an `Action Input:`"),
    ],
)
def test_a_problem_says_what_to_mend(dialect_id, text, told):
    dialect = load(dialect_id)
    turn = dialect.read(Reply(text), TOOLS)
    assert (turn.calls, turn.answer) == ((), None)
    assert re.search(told, turn.problem), turn.problem
    assert turn.problem in dialect.mend(turn.problem)[0].content
    assert dialect.said(Reply(text), turn).content


def test_kinds_of_arguments():
    counts = tool(
        "count", n={"type": "integer"}, x={"type": "number"}, all={"type": "boolean"}, kind={"type": ["string", "null"]}
    )
    given = {"n": "3", "x": "1.5", "all": "True", "kind": 7}
    heard = Reply("", tool_calls=(ToolCall("c", "count", given),))
    assert load("native").read(heard, (counts,)).calls[0].arguments == {"n": 3, "x": 1.5, "all": True, "kind": "7"}
    for wrong in ({"n": "three"}, {"x": [1, 2]}, {"all": "maybe"}, {"n": True}, {"kind": {}}):
        turn = load("native").read(Reply("", tool_calls=(ToolCall("c", "count", given | wrong),)), (counts,))
        assert f"`{next(iter(wrong))}` of count must be" in turn.problem


def test_an_answer_tool_of_the_agents_own():
    answer = tool("answer", text={"type": "string"})
    heard = Reply("", tool_calls=(ToolCall("c", "answer", {"text": "42"}),))
    assert load("native").read(heard, (*TOOLS, answer)).answer == "42"
    both = Reply("", tool_calls=(*heard.tool_calls, search("a")))
    assert load("native").read(both, (*TOOLS, answer)).calls == (search("a"),)


def test_guesswork_is_bounded(monkeypatch):
    worked = []
    loads = _json.json_repair.loads
    monkeypatch.setattr(_json.json_repair, "loads", lambda text: worked.append(len(text)) or loads(text))
    body = "{'name': 'search', 'arguments': {'query': ['" + "a" * 900 + "']}}"
    turn = load("tags").read(Reply(tagged(body) * 100), TOOLS)
    assert "broken" in turn.problem
    assert 1 < len(worked) < 6
    assert sum(worked) <= _json.MENDABLE
