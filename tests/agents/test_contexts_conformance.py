"""What every context policy must keep: the head whole, steps whole, the last one shown, and the room."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.agents.history import CONTEXTS, Room, Step
from webfarer.core.errors import ModelTimeout
from webfarer.models.base import Message, ToolCall
from webfarer.models.tokens import estimate_prompt

IDS = pytest.mark.parametrize("context_id", CONTEXTS.ids())
HEAD = [Message("system", "rules " * 20), Message("user", "Who built the lighthouse?")]


def step(number: int, size: int, native: bool) -> Step:
    """Return a step of about `size` words whose call, result and number can be told from all others."""
    text = f"result {number}: " + "word " * size
    if not native:
        return Step(Message("assistant", f"call {number}"), (Message("user", text),))
    calls = tuple(ToolCall(f"{number}-{part}", "search", {"query": [f"call {number}"]}) for part in (1, 2))
    results = tuple(Message("tool", f"{text} {call.id}", tool_call_id=call.id) for call in calls)
    return Step(Message("assistant", f"call {number}", calls), results)


STEPS = st.builds(
    lambda sizes, native: [step(number, size, native) for number, size in enumerate(sizes)],
    st.lists(st.integers(0, 400), min_size=1, max_size=14),
    st.booleans(),
)
ROOMS = st.integers(150, 2500)


class Summariser:
    """Makes summaries that say what they stand for, or fails."""

    def __init__(self, fails: bool = False, size: int = 5) -> None:
        self.fails, self.size = fails, size
        self.read: list[str] = []

    async def __call__(self, messages, before):
        if self.fails:
            raise ModelTimeout("no summary")
        self.read += [message.content for message in messages if message.role == "assistant"]
        return f"<untrusted-1 summary>\n{len(self.read)} " + "fact " * self.size + "\n</untrusted-1>"


def room(tokens, summariser=None):
    return Room(tokens, estimate_prompt, summariser or Summariser())


def well_formed(prompt, steps):
    """Check heads, roles, and that each step is there as call and results or not at all; return the steps shown."""
    assert prompt[: len(HEAD)] == HEAD
    shown = [place for place, message in enumerate(prompt) if any(message == step.said for step in steps)]
    numbers = [next(n for n, step in enumerate(steps) if step.said == prompt[place]) for place in shown]
    assert numbers == list(range(len(steps) - len(numbers), len(steps)))
    for place, number in zip(shown, numbers, strict=True):
        results = prompt[place + 1 : place + 1 + len(steps[number].observed)]
        expected = [(message.role, message.tool_call_id) for message in steps[number].observed]
        assert [(message.role, message.tool_call_id) for message in results] == expected
    rest = len(HEAD) + (2 if shown and shown[0] > len(HEAD) else 0)
    assert not shown or shown[0] == rest
    for before, after in pairwise(prompt):
        assert before.role != after.role or before.role == "tool"
    return numbers


@IDS
@given(STEPS, ROOMS, st.booleans(), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
async def test_it_fits_and_keeps_head_and_last_step(context_id, steps, tokens, fails, size):
    policy, summariser = CONTEXTS.load(context_id)(), Summariser(fails, size)
    for count in range(1, len(steps) + 1):
        so_far = steps[:count]
        prompt = await policy.view(HEAD, so_far, room(tokens, summariser))
        numbers = well_formed(prompt, so_far)
        assert numbers[-1] == count - 1
        used, last = estimate_prompt(prompt), so_far[-1]
        if estimate_prompt([*HEAD, last.said, *last.observed]) <= tokens:
            assert used <= tokens
            assert prompt[-len(last.observed) :] == list(last.observed)
        everything = [*HEAD, *(m for s in so_far for m in (s.said, *s.observed))]
        if estimate_prompt(everything) <= tokens * 0.7:  # nobody drops or folds while there is ample room
            assert len(numbers) == count
            if CONTEXTS.load(context_id).stable_prefix:
                assert prompt == everything


@pytest.mark.parametrize("context_id", [name for name in CONTEXTS.ids() if CONTEXTS.load(name).stable_prefix])
@given(STEPS, ROOMS)
@settings(max_examples=40, deadline=None)
async def test_the_prefix_is_stable_where_it_is_said_to_be(context_id, steps, tokens):
    policy, before, left = CONTEXTS.load(context_id)(), [], 0
    for count in range(1, len(steps) + 1):
        prompt = await policy.view(HEAD, steps[:count], room(tokens))
        now_left = count - len(well_formed(prompt, steps[:count]))
        assert now_left >= left
        if now_left == left and estimate_prompt(before) <= tokens:
            assert prompt[: len(before)] == before
        before, left = prompt, now_left


def test_who_promises_a_stable_prefix():
    assert {name: CONTEXTS.load(name).stable_prefix for name in CONTEXTS.ids()} == {
        "keep_all": True,
        "keep_last": False,
        "fold": True,
    }


@IDS
@given(STEPS, ROOMS)
@settings(max_examples=30, deadline=None)
async def test_the_same_history_gives_the_same_prompts_and_no_step_is_changed(context_id, steps, tokens):
    first, second = CONTEXTS.load(context_id)(), CONTEXTS.load(context_id)()
    kept = list(steps)
    for count in range(len(steps) + 1):
        asked = [await policy.view(HEAD, steps[:count], room(tokens)) for policy in (first, second)]
        assert asked[0] == asked[1]
    assert steps == kept


@IDS
@pytest.mark.parametrize("tokens", [200, 400, 1000, 10_000])
async def test_a_last_step_that_is_too_long_is_trimmed(context_id, tokens):
    fenced = "<tool_response>\n<untrusted-1f page>\n" + "word " * 3000 + "\n</untrusted-1f>\n</tool_response>"
    steps = [step(0, 50, False), Step(Message("assistant", "call 1"), (Message("user", fenced),))]
    prompt = await CONTEXTS.load(context_id)().view(HEAD, steps, room(tokens))
    assert prompt[:2] == HEAD
    assert prompt[-2] == steps[-1].said
    assert estimate_prompt(prompt) <= tokens
    assert prompt[-1].content.endswith("\n</untrusted-1f>\n</tool_response>")
    assert ("left out for lack of room" in prompt[-1].content) == (tokens < 3000)


@IDS
async def test_no_steps_yet_and_no_room_at_all(context_id):
    policy = CONTEXTS.load(context_id)()
    assert await policy.view(HEAD, [], room(1)) == HEAD
    prompt = await policy.view(HEAD, [step(0, 50, True)], room(1))
    assert prompt[:3] == [*HEAD, step(0, 50, True).said]
    assert [message.tool_call_id for message in prompt[3:]] == ["0-1", "0-2"]
