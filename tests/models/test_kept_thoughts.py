"""Thoughts in the conversation: gone by default, and when they are kept, there as each dialect says them."""

import pytest
from dialect_kit import TOOLS, load, reply, search
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.models.base import Reply
from webfarer.models.dialogue import Turn

WHY = "The first page did not say."


@pytest.mark.parametrize(
    ("dialect", "turn", "kept"),
    [
        ("native", Turn(WHY, (search("a"),)), WHY),
        ("native", Turn(WHY, answer="At eight."), f"{WHY}\nAt eight."),
        ("tags", Turn(WHY, answer="At eight."), f"<think>\n{WHY}\n</think>\n<answer>\nAt eight.\n</answer>"),
        ("react", Turn(WHY, answer="At eight."), f"Thought: {WHY}\nFinal Answer: At eight."),
    ],
)
def test_a_thought_is_said_again_when_it_is_kept(dialect: str, turn: Turn, kept: str) -> None:
    heard = reply(dialect, turn)
    assert load(dialect).said(heard, load(dialect).read(heard, TOOLS), thoughts=True).content == kept


@pytest.mark.parametrize("dialect", ["native", "tags", "react"])
def test_what_was_thought_apart_from_the_text_is_kept_once(dialect: str) -> None:
    speaker = load(dialect)
    heard = Reply('<tool_call>{"name": "search", "arguments": {"query": ["a"]}}</tool_call>', reasoning=WHY)
    turn = speaker.read(heard, TOOLS)
    assert WHY not in speaker.said(heard, turn).content
    assert speaker.said(heard, turn, thoughts=True).content.count(WHY) == 1
    if not speaker.native:
        again = speaker.read(Reply(speaker.said(heard, turn, thoughts=True).content), TOOLS)
        assert (again.thought, again.problem, again.calls) == (WHY, "", turn.calls)


@given(st.text(alphabet="ab <>/think_call\n思", max_size=60))
@settings(max_examples=10)
def test_thoughts_change_nothing_else_of_what_is_said(text: str) -> None:
    for name in ("native", "tags", "react"):
        speaker = load(name)
        heard = Reply(text, reasoning=WHY)
        turn = speaker.read(heard, TOOLS)
        plain, kept = speaker.said(heard, turn), speaker.said(heard, turn, thoughts=True)
        assert plain.tool_calls == kept.tool_calls
        assert (plain == kept) == bool(turn.problem)
