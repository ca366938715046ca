"""Writers over a real engine and over chat models."""

import asyncio
import sys
from pathlib import Path

import pytest
from thought_kit import Letters

sys.path.append(str(Path(__file__).parents[1] / "engine"))  # its tiny models

import parrot
import tiny
import torch

from webfarer.agents.thinker import Thinker
from webfarer.agents.thinking import TreeOfThoughts
from webfarer.agents.thoughts import Ask, Options, Written
from webfarer.agents.writers import ChatWriter, EngineWriter
from webfarer.core.errors import ContextOverflow, ModelError, ModelUnavailable
from webfarer.engine.chat import Chat
from webfarer.engine.engine import Engine, Limits
from webfarer.engine.speculation import Speculate
from webfarer.evals.pupil import folder, pupils
from webfarer.models.base import Reply, Usage
from webfarer.models.scripted import Scripted
from webfarer.worlds.puzzle import PUZZLES

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def bird(tmp_path_factory):
    """A model that always says "c"."""
    return parrot.save(tmp_path_factory.mktemp("bird"), "c")


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A model without a chat template, whose text is chance."""
    model = tiny.llama(dtype=torch.float32, layers=1)
    folder = tiny.save(model, tmp_path_factory.mktemp("noise"))
    (folder / "chat_template.jinja").unlink()
    return folder


def running(folder, **limits):
    engine = Engine.load(folder, limits=Limits(**limits))
    engine.start()
    return engine


async def test_a_chat_model_is_asked_as_a_user_asks(bird):
    engine, chat = running(bird), Chat.load(bird)
    try:
        written = await EngineWriter(engine, chat).write("spell", Ask(1))
    finally:
        engine.stop()
    asked = len(chat.prompt([{"role": "user", "content": "spell"}]).tokens)
    assert written == Written("c", asked, 2, "stop")


async def test_a_tree_grows_over_the_engine(bird):
    engine = running(bird, rows=4)
    try:
        rules = Letters("ccc")
        tree = await Thinker(EngineWriter(engine, Chat.load(bird)), Options()).solve(rules.problem, rules)
        stats = engine.stats()
    finally:
        engine.stop()
    assert (tree.answer, tree.right) == ("ccc", True)
    assert tree.counts.merged == 4
    assert stats.completion_tokens >= tree.counts.tokens_out > 0


async def test_the_tree_is_the_same_under_every_schedule_with_and_without_drafts(noise):
    class Bytes(Letters):
        def thought(self, problem, path, text):
            return repr(text) if text else None

    rules, chat, trees = Bytes("ab"), Chat.load(noise), []
    assert not chat.template
    options = Options(branches=4, evaluations=1, temperature=1.0, tokens=6, breadth=2, seed=3)
    ngram = Speculate("ngram", 2)
    arrangements = [(1, None, "batched"), (3, None, "batched"), (16, ngram, "batched")]
    arrangements += [(4, None, "serial"), (4, ngram, "serial"), (4, ngram, "fcfs")]
    for rows, speculate, scheduler in arrangements:
        engine = Engine.load(noise, limits=Limits(rows=rows))
        engine.arrange(speculate, scheduler)
        engine.start()
        try:
            trees.append(await Thinker(EngineWriter(engine, chat), options).solve(rules.problem, rules))
        finally:
            engine.stop()
    assert len({node.thought for node in trees[0].nodes}) > 4
    for tree in trees[1:]:
        assert tree.nodes == trees[0].nodes
        assert tree.counts == trees[0].counts


async def test_one_line_grows_a_tree(noise):
    options = Options(branches=2, evaluations=1, tokens=6, seed=3)
    trees = []
    for draft, scheduler in ((None, None), (None, "serial"), ("ngram", "fcfs"), ("ngram", "batched")):
        thinking = TreeOfThoughts(f"local:{noise}", draft, scheduler, k="2" if draft else None, options=options)
        trees.append(await thinking.solve("Say something."))
    assert len({tree.text() for tree in trees}) == 1
    assert trees[0].counts.calls > 2


async def test_a_cancelled_call_ends_the_sequence(noise):
    engine = running(noise)
    try:
        writer = EngineWriter(engine, Chat.load(noise), at_once=1)
        both = [asyncio.create_task(writer.write("a", Ask(n, 400, 1.0))) for n in range(2)]
        while not engine.stats().completion_tokens:
            await asyncio.sleep(0.005)
        assert engine.stats().active <= 1
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        while engine.stats().active:
            await asyncio.sleep(0.005)
        assert sum(engine.stats().finished.values()) == 1
    finally:
        engine.stop()


async def test_what_cannot_be_written_is_a_failure_of_the_model(noise):
    engine = running(noise)
    writer = EngineWriter(engine, Chat.load(noise))
    with pytest.raises(ContextOverflow, match="context"):
        await writer.write("a" * 500, Ask(1, 100))
    engine.stop()
    waiting = asyncio.create_task(writer.write("a", Ask(1, 400, 1.0)))
    while not engine.stats().waiting:
        await asyncio.sleep(0.005)
    engine.stop()
    with pytest.raises(ModelError, match="broke off") as caught:
        await waiting
    assert caught.value.cost["tokens_in"] == 1


async def test_a_chat_model_is_asked_with_seed_and_limits():
    model = Scripted([Reply("c", usage=Usage(9, 4), finish="length"), ModelUnavailable("nobody there")])
    writer = ChatWriter(model)
    written = await writer.write("spell", Ask(5, 30, 0.7, 0.9, ("\n",)))
    assert written == Written("c", 9, 4, "length")
    (sampling,), ((message,),) = model.samplings, model.asked
    assert (message.role, message.content) == ("user", "spell")
    assert (sampling.seed, sampling.max_tokens, sampling.temperature, sampling.top_p) == (5, 30, 0.7, 0.9)
    assert sampling.stop == ("\n",)
    with pytest.raises(ModelUnavailable):
        await writer.write("spell", Ask(6))


@pytest.mark.slow
@pytest.mark.skipif("thinker" not in pupils(), reason="no pupil was taught to think yet")
@pytest.mark.parametrize("puzzle_id", PUZZLES.ids())
async def test_a_taught_pupil_grows_the_same_tree_in_any_batch(puzzle_id):
    # a small pupil: of several problems it knows a legal step for some
    problems, chat, trees = [PUZZLES.load(puzzle_id).draw(seed) for seed in range(3)], Chat.load(folder("thinker")), []
    for rows in (2, 16):
        engine = running(folder("thinker"), rows=rows)
        try:
            solver = Thinker(EngineWriter(engine, chat), Options(branches=4, evaluations=2, temperature=0.7))
            trees.append([await solver.solve(problem) for problem in problems])
        finally:
            engine.stop()
    nodes = [[node for tree in grown for node in tree.nodes] for grown in trees]
    assert nodes[0] == nodes[1]
    assert len(nodes[0]) > 4
