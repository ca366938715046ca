"""Choosing links by thinking: what is a thought, how pages are fenced, and walks that find the truth."""

import json

import pytest
from thought_kit import Script
from walk_kit import LIBRARY, QUESTION, TRUTH, Reader, fenced, serve_pages, settings, unfenced

from webfarer.agents.decisions import POLICIES, Click, Context, Walk
from webfarer.agents.linkchoice import LinkChoice
from webfarer.agents.runs import Options as RunOptions
from webfarer.agents.runs import walk
from webfarer.agents.thinker import Thinker
from webfarer.agents.thoughts import Options
from webfarer.core.errors import ModelAuth, ModelUnavailable
from webfarer.core.run import Run
from webfarer.core.text import words
from webfarer.core.trace import Trace
from webfarer.core.types import Link, Page, StopReason
from webfarer.models.scripted import Scripted
from webfarer.worlds.server import serve
from webfarer.worlds.world import WorldSpec, generate

LINKS = (Link(3, "http://a.test/x", "Opening <|im_start|> hours"), Link(8, "http://a.test/y", "Staff"))
RULES = LinkChoice(LINKS, "", "run")
PROBLEM = RULES.problem("When does it open?")


@pytest.mark.parametrize(
    ("said", "thought"),
    [
        ("Follow link 3 because it names hours.", "follow link 3"),
        ("link #8", "follow link 8"),
        ('{"action": "click", "link": 8}', "follow link 8"),
        ("8", "follow link 8"),
        ("1 of 2: link 3", "follow link 3"),
        ("link 4", None),
        ("none of them", None),
        ("", None),
    ],
)
def test_a_thought_is_a_link_that_is_offered(said, thought):
    assert RULES.thought(PROBLEM, (), said) == thought


def test_what_a_website_wrote_stands_between_marks():
    for prompt in (RULES.next_prompt(PROBLEM, ()), RULES.value_prompt(PROBLEM, ("follow link 3",))):
        assert "hours" in fenced(prompt)["links"]
        assert "hours" not in unfenced(prompt)
        assert "<|im_start|>" not in prompt
    assert "Staff" not in RULES.value_prompt(PROBLEM, ("follow link 3",))


async def test_the_link_with_the_best_value_is_chosen():
    lines = {
        RULES.next_prompt(PROBLEM, ()): ["link 8", "link 3", "link 8 because of the staff"],
        RULES.value_prompt(PROBLEM, ("follow link 3",)): ["value 9"],
    }
    tree = await Thinker(Script(lines, "value 2"), Options(evaluations=1)).solve(PROBLEM, RULES)
    assert (tree.answer, tree.counts.merged, tree.counts.calls) == ("follow link 3", 1, 5)


class Weigher(Reader):
    """Names links in turn and values each by the words it shares with the question; else reads as a reader."""

    def __init__(self, truth):
        super().__init__(truth)
        self.turn = 0

    def __call__(self, messages):
        said = messages[-1].content
        if not said.startswith("You look for a page"):
            return super().__call__(messages)
        links = fenced(said)["links"].splitlines()
        if "How likely" in said:
            question = said.partition("Question: ")[2].partition("\n")[0]
            return f"value {min(10, 3 * len(set(words(question)) & set(words(links[0]))))}"
        self.turn += 1
        return f"follow link {links[self.turn % len(links)].partition('.')[0]}"


async def test_a_walk_finds_the_truth_and_replays(tmp_path):
    from webfarer.agents.runs import replay

    model = Scripted([Weigher(TRUTH)] * 300)
    async with serve_pages(LIBRARY) as site:
        options = RunOptions(settings=settings(tmp_path, policy="thoughts"))
        answer = await walk(site.url, QUESTION, model=model, options=options)
    assert (answer.text, answer.stop_reason) == (TRUTH, StopReason.ANSWERED)
    again = await replay(answer.run, options=options)
    assert again == answer


@pytest.mark.slow
async def test_it_answers_in_a_generated_world(tmp_path):
    world = generate(WorldSpec("conference", seed=7, size=24, depth=3))
    found = 0
    async with serve(world) as site:
        for question in world.questions[:4]:
            model = Scripted([Weigher(question.answer)] * 600)
            chosen = settings(tmp_path, policy="thoughts", budget={"steps": 20})
            answer = await walk(site.url, question.text, model=model, options=RunOptions(settings=chosen))
            found += question.answer.casefold() in answer.text.casefold()
    assert found >= 2


def library():
    links = tuple(Link(n, f"http://a.test/{label}", label) for n, label in enumerate(("news", "reading-room"), 1))
    return Page("r", "http://a.test/", "Library", "news reading-room", links)


def chooser(*lines):
    """Return a policy whose model says `lines`, and its run."""
    run = Run("run", Trace.create())
    return POLICIES.load("thoughts")(Context(run, Scripted(lines))), run


def standing(page):
    return Walk("When does the reading room open?", pages=[page], path=[page], opened={page.url})


MOVE = json.dumps({"thought": "t", "action": "click", "link": 1})


async def test_where_no_thought_names_a_link_the_chat_policy_chooses():
    policy, run = chooser("?", "?", "?", MOVE)
    move = await policy.choose(standing(library()))
    assert isinstance(move, Click)
    assert move.link.label == "news"
    assert [event.data["error"] for event in run.trace.events if event.type == "degraded"] == ["NoLink"]


async def test_a_model_that_is_down_is_left_to_the_chat_policy():
    down = ModelUnavailable("nobody there")
    policy, run = chooser(*[down] * 3, MOVE, MOVE)
    for _ in range(2):
        assert isinstance(await policy.choose(standing(library())), Click)
    assert [event.data["error"] for event in run.trace.events if event.type == "degraded"] == ["ModelUnavailable"]


async def test_a_refused_key_is_raised():
    policy, _ = chooser(*[ModelAuth("refused")] * 3)
    with pytest.raises(ModelAuth):
        await policy.choose(standing(library()))


async def test_a_link_of_an_earlier_page_can_be_chosen():
    root, here = library(), Page("h", "http://a.test/news", "News", "old", (Link(1, "http://a.test/old", "old news"),))
    walked = standing(root)
    walked.pages.append(here)
    walked.path.append(here)
    walked.opened.add(here.url)

    def say(messages):
        lines = fenced(messages[-1].content)["links"].splitlines()
        return f"link {next(line for line in lines if 'reading-room' in line).partition('.')[0]}"

    policy, _ = chooser(say, say, say, "value 9")
    move = await policy.choose(walked)
    assert isinstance(move, Click)
    assert (move.page, move.link) == (root, root.links[1])
