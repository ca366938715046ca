"""Rows: which calls are one conversation, what has weight, and that every usable reply is learnt once."""

import inspect
import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.agents.minds import chat as mind
from webfarer.agents.policies import _chat_prompts
from webfarer.agents.policies import chat as policy
from webfarer.core.types import Answer, StopReason
from webfarer.data import rows as rows_module
from webfarer.data.row import Row, read_rows, write_rows
from webfarer.data.rows import rows_of
from webfarer.data.trajectory import Said, Trajectory
from webfarer.evals.records import Plan, Result
from webfarer.evals.task import Item
from webfarer.models import structured
from webfarer.models.base import Message, Reply, Sampling, ToolCall
from webfarer.models.dialogue import DIALECTS
from webfarer.models.structured import closed_schema

SYSTEM, ASKED = Message("system", "Search."), Message("user", "Who?")
TOOL = {"name": "search", "description": "Search.", "parameters": {"type": "object", "properties": {}}}
SEARCH = ToolCall("call_1", "search", {"query": "bakery"})
RESULT = Message("tool", "Ada Quill", tool_call_id="call_1")
MEND = Message("user", "That reply cannot be used: it is empty.")


def said(messages, reply, tools=(TOOL,), schema=None, refused=""):
    sampling = asdict(Sampling(temperature=0.5, json_schema=schema))
    return Said(
        0, tuple(json.loads(json.dumps(asdict(each))) for each in messages), tuple(tools), sampling, reply, refused
    )


def trajectory(*calls, mark=1.0):
    plan = Plan(task="t", setting="both", agent="dancer", model="m", scorers=("s",), seed=3, items=1, fingerprint="")
    answer = Answer(question="Who?", text="Ada", stop_reason=StopReason.ANSWERED)
    result = Result(item="q", number=2, run="q-1.2", answer=answer, marks={"s": {"correct": mark}})
    item = Item(id="q", question="Who?", answer="Ada Quill", cells={"type": "single"})
    return Trajectory(plan, item, result, tuple(calls), (), hashes={"http://a/": "00"})


def spoken(reply):
    return Message("assistant", reply.text, reply.tool_calls)


def weights(row):
    return [(turn.role, turn.weight) for turn in row.messages]


def test_calls_that_carry_on_are_one_row_with_the_ids_that_were_sent():
    first, last = Reply("", tool_calls=(ToolCall("", "search", {"query": "bakery"}),)), Reply("Ada")
    called = Message("assistant", "", (SEARCH,))
    (row,) = rows_of(trajectory(said([SYSTEM, ASKED], first), said([SYSTEM, ASKED, called, RESULT], last)))
    assert weights(row) == [("system", 0), ("user", 0), ("assistant", 1), ("tool", 0), ("assistant", 1)]
    assert row.messages[2].tool_calls[0].id == row.messages[3].tool_call_id == "call_1"
    assert (row.kind, row.reward, row.answer, row.reference) == ("act", 1.0, "Ada", "Ada Quill")
    assert row.made["seed"] == 4
    assert row.made["temperature"] == 0.5
    assert row.tools == ({"type": "function", "function": TOOL},)


def test_where_the_prompt_shows_a_reply_differently_a_new_row_begins():
    thinking = Reply("", reasoning="Hm.", tool_calls=(SEARCH,))
    rewritten = Reply("", tool_calls=(ToolCall("call_1", "search", {"q": "bakery"}),))
    for first in (thinking, rewritten):
        called = Message("assistant", "", (SEARCH,))
        calls = said([SYSTEM, ASKED], first), said([SYSTEM, ASKED, called, RESULT], Reply("Ada"))
        one, two = rows_of(trajectory(*calls))
        assert one.messages[-1].reasoning == first.reasoning
        assert one.messages[-1].tool_calls[0].arguments == first.tool_calls[0].arguments
        assert weights(two)[2:] == [("assistant", 0), ("tool", 0), ("assistant", 1)]
        assert two.messages[2].tool_calls[0].arguments == SEARCH.arguments


def test_what_the_agent_refused_is_context():
    bad, good = Reply("eh"), Reply("Ada")
    calls = said([SYSTEM, ASKED], bad), said([SYSTEM, ASKED, spoken(bad), MEND], good)
    (row,) = rows_of(trajectory(*calls))
    assert weights(row)[2:] == [("assistant", 0), ("user", 0), ("assistant", 1)]


def test_the_same_reply_may_be_refused_once_and_taken_later():
    calls = said([SYSTEM, ASKED], Reply("Ada")), said([SYSTEM, ASKED, spoken(Reply("Ada")), MEND], Reply("Ada"))
    (row,) = rows_of(trajectory(*calls))
    assert [turn.weight for turn in row.messages if turn.role == "assistant"] == [0, 1]


def test_the_same_reply_may_be_taken_once_and_refused_later():
    first, more = Reply("Thought: on\nAction: back"), Message("user", "Observation: the page")
    again = said([SYSTEM, ASKED, spoken(first), more], first, refused="there is no page before")
    (row,) = rows_of(trajectory(said([SYSTEM, ASKED], first), again))
    assert weights(row)[2:] == [("assistant", 1)]


def test_a_reply_that_nobody_could_use_makes_no_row():
    assert rows_of(trajectory(said([SYSTEM, ASKED], Reply(""), refused="it is empty"))) == []
    assert rows_of(trajectory(said([SYSTEM, ASKED], Reply("Ad", finish="length")))) == []
    assert rows_of(trajectory(said([SYSTEM, ASKED], None))) == []


def test_prompts_of_one_question_are_rows_of_their_own_kind():
    schema = closed_schema(mind._Read)
    read = said([SYSTEM, ASKED], Reply('{"rational": "", "evidence": [], "summary": ""}'), (), schema)
    unusable = [
        said([SYSTEM, ASKED], Reply(text), (), schema) for text in ("no json", '{"foo": 1}', '{"evidence": []}')
    ]
    rows = rows_of(trajectory(said([SYSTEM, ASKED], Reply("Ada")), read, *unusable))
    assert [row.kind for row in rows] == ["act", "read"]


@pytest.mark.parametrize("drawn", [(7, 8), (7, 9)])
def test_tokens_are_one_row_as_long_as_each_prompt_begins_with_all_before(drawn):
    first = Reply("a", prompt_ids=(1, 2), token_ids=(7, 8), logprobs=(-0.1, -0.2))
    then = Reply("b", prompt_ids=(1, 2, *drawn, 3), token_ids=(9,), logprobs=(-0.3,))
    more = Message("user", "And?")
    rows = rows_of(trajectory(said([ASKED], first), said([ASKED, spoken(first), more], then)))
    if drawn == (7, 8):
        (row,) = rows
        assert row.tokens.ids == (1, 2, 7, 8, 3, 9)
        assert row.tokens.mask == (0, 0, 1, 1, 0, 1)
        assert row.tokens.logprobs == (-0.1, -0.2, -0.3)
    else:
        assert [row.tokens.mask for row in rows] == [(0, 0, 1, 1), (0, 0, 0, 0, 0, 1)]


def test_a_refused_reply_is_not_marked_in_the_tokens_either():
    bad = Reply("eh", prompt_ids=(1,), token_ids=(5,), logprobs=(-1.0,))
    good = Reply("Ada", prompt_ids=(1, 5, 2), token_ids=(6,), logprobs=(-2.0,))
    (row,) = rows_of(trajectory(said([ASKED], bad), said([ASKED, spoken(bad), MEND], good)))
    assert (row.tokens.mask, row.tokens.logprobs) == ((0, 0, 0, 1), (-2.0,))


def test_whoever_refuses_a_reply_begins_so():
    for dialect in ("native", "react", "tags"):
        assert DIALECTS.load(dialect).mend("why")[0].content.startswith(rows_module._MENDING)
    source = inspect.getsource(structured) + inspect.getsource(policy)
    assert all(opening in source for opening in rows_module._MENDING)


def test_the_titles_are_those_of_the_prompts():
    titles = {name for module in (mind, _chat_prompts) for name in vars(module)}
    assert rows_module._KINDS.keys() <= titles


REPLIES = st.builds(
    Reply,
    st.sampled_from(["a", "b", ""]),
    reasoning=st.sampled_from(["", "", "hm"]),
    tool_calls=st.sampled_from([(), (SEARCH,)]),
    finish=st.sampled_from(["stop", "stop", "length"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(REPLIES, st.booleans(), st.booleans()), min_size=1, max_size=8))
def test_every_usable_reply_is_learnt_once_and_nothing_else_is(plan):
    history, calls, usable = [SYSTEM, ASKED], [], []
    for number, (reply, shown_as_said, refused) in enumerate(plan):
        reply = Reply(f"{reply.text}{number}", reply.reasoning, reply.tool_calls, reply.finish)
        calls.append(said(history, reply))
        unusable = (refused and number + 1 < len(plan)) or reply.finish == "length"
        usable += [] if unusable else [(reply.text, reply.reasoning, bool(reply.tool_calls))]
        shown = spoken(reply) if shown_as_said else Message("assistant", f"shown {number}")
        history = [*history, shown, MEND if refused else Message("user", f"then {number}")]
    rows = rows_of(trajectory(*calls))
    learnt = [turn for row in rows for turn in row.messages if turn.weight]
    assert sorted((turn.content, turn.reasoning, bool(turn.tool_calls)) for turn in learnt) == sorted(usable)
    assert all(row.messages[-1].weight for row in rows)
    assert len({row.id for row in rows}) == len(rows)


def test_rows_are_read_as_they_were_written(tmp_path):
    rows = rows_of(trajectory(said([SYSTEM, ASKED], Reply("艾达", prompt_ids=(1,), token_ids=(2,), logprobs=(-0.5,)))))
    write_rows(tmp_path / "rows.jsonl", rows)
    assert list(read_rows(tmp_path / "rows.jsonl")) == rows
    assert isinstance(rows[0], Row)


def test_half_a_character_stops_no_file_and_is_not_learnt(tmp_path):
    half, whole = Reply("Ada \ud83d"), Reply("Ada")
    more = said([SYSTEM, ASKED, spoken(half), Message("user", "And?")], whole)
    (row,) = rows_of(trajectory(said([SYSTEM, ASKED], half), more))
    write_rows(tmp_path / "rows.jsonl", [row])
    (read,) = read_rows(tmp_path / "rows.jsonl")
    assert [(turn.content, turn.weight) for turn in read.messages[2:]] == [("Ada ?", 0), ("And?", 0), ("Ada", 1)]
