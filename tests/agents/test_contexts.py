"""What sets the context policies apart: dropping, blanking and folding."""

from itertools import pairwise

import pytest
from test_contexts_conformance import HEAD, Summariser, room, step

from webfarer.agents.history import CONTEXTS
from webfarer.core.errors import BudgetExceeded, ModelAuth
from webfarer.models.tokens import estimate_prompt

STEPS = [step(number, 100, native=False) for number in range(30)]
ONE = estimate_prompt([STEPS[0].said, *STEPS[0].observed])


def texts(prompt):
    return "\n".join(message.content for message in prompt[len(HEAD) :])


async def grown(policy, tokens, summariser=None, steps=STEPS):
    """Return the prompts of a run that takes `steps`."""
    limits = room(tokens, summariser)
    return [await policy.view(HEAD, steps[: count + 1], limits) for count in range(len(steps))]


async def test_keep_all_says_how_many_it_left_out_and_drops_several_at_a_time():
    prompts = await grown(CONTEXTS.load("keep_all")(), 10 * ONE)
    left = []
    for count, prompt in enumerate(prompts, 1):
        shown = texts(prompt).count("result ")
        left.append(count - shown)
        assert (f"Earlier steps left out for lack of room: {left[-1]}." in texts(prompt)) == (left[-1] > 0)
    changes = sum(before != after for before, after in pairwise(left))
    assert left[-1] > 18
    assert changes < left[-1] / 2


async def test_keep_last_shows_five_results_in_full_and_every_call():
    prompt = (await grown(CONTEXTS.load("keep_last")(), 100_000))[-1]
    shown = [message.content for message in prompt]
    assert [f"call {number}" in shown for number in range(30)] == [True] * 30
    assert [text.split(":")[0] for text in shown if text.startswith("result ")] == [
        f"result {n}" for n in range(25, 30)
    ]
    size = len(STEPS[0].observed[0].content)
    assert f"(What came back is no longer shown: {size} characters. Make the call again to see it.)" in shown


async def test_keep_last_names_the_tool_and_leaves_short_results_alone():
    steps = [step(0, 100, native=True), step(1, 1, native=False), *STEPS[2:7]]
    prompt = await CONTEXTS.load("keep_last")().view(HEAD, steps, room(100_000))
    assert texts(prompt).count("The result of search is no longer shown") == 2
    assert steps[1].observed[0] in prompt


async def test_keep_last_gives_up_results_before_steps():
    prompt = await CONTEXTS.load("keep_last")().view(HEAD, STEPS[:8], room(6 * ONE))
    assert "left out" not in texts(prompt)
    assert 1 <= texts(prompt).count("result 7: ") + texts(prompt).count("result 6: ") <= 2
    assert "call 0" in texts(prompt)


async def test_fold_reads_each_step_once_and_shows_one_summary():
    summariser = Summariser()
    prompts = await grown(CONTEXTS.load("fold")(), 10 * ONE, summariser)
    assert summariser.read == [f"call {number}" for number in range(len(summariser.read))]
    assert len(summariser.read) > 18
    assert texts(prompts[-1]).count("Summary of the earlier steps:\n<untrusted-1 summary>") == 1
    assert "left out" not in texts(prompts[-1])
    for count, prompt in enumerate(prompts, 1):
        folded = count - texts(prompt).count("result ")
        assert not folded or f"\n{folded} fact " in texts(prompt)


async def test_fold_gives_the_summary_so_far_to_the_next():
    given = []

    async def summarise(messages, before):
        given.append(before)
        return f"summary {len(given)}"

    await grown(CONTEXTS.load("fold")(), 8 * ONE, summarise)
    assert len(given) > 2
    assert given == ["", *(f"summary {number}" for number in range(1, len(given)))]


class Failing:
    """Fails, or says nothing, when its number comes up."""

    def __init__(self, outcome):
        self.outcome, self.calls = outcome, 0

    async def __call__(self, messages, before):
        self.calls += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize("outcome", [BudgetExceeded("no room"), "", "  \n"])
async def test_fold_drops_steps_when_it_gets_no_summary(outcome):
    summarise = Failing(outcome)
    prompts = await grown(CONTEXTS.load("fold")(), 10 * ONE, summarise)
    assert "Summary" not in texts(prompts[-1])
    assert "Earlier steps left out for lack of room: " in texts(prompts[-1])
    assert texts(prompts[-1]).count("result ") >= 4
    assert 1 < summarise.calls < 15


async def test_fold_leaves_a_refused_key_to_the_user():
    with pytest.raises(ModelAuth):
        await grown(CONTEXTS.load("fold")(), 10 * ONE, Failing(ModelAuth("refused")))


async def test_fold_keeps_its_summary_beside_steps_that_were_dropped_later():
    policy = CONTEXTS.load("fold")()
    await grown(policy, 8 * ONE, steps=STEPS[:10])
    prompts = [await policy.view(HEAD, STEPS[: 10 + more], room(8 * ONE, Failing(""))) for more in range(1, 20)]
    assert "Summary of the earlier steps" in texts(prompts[-1])
    assert "Earlier steps left out for lack of room: " in texts(prompts[-1])
