"""The search: what is kept, merged, cut and found, and that nothing depends on what finishes first."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thought_kit import Letters, Script, Shuffled

from webfarer.agents.thinker import Thinker
from webfarer.agents.thoughts import SEARCHES, SELECTS, Options, Tree
from webfarer.core.errors import BudgetExceeded, ConfigError, ModelAuth, ModelError, ModelUnavailable
from webfarer.worlds.puzzle import PUZZLES

CAB = Letters("cab")


async def grow(writer, rules=CAB, **options) -> Tree:
    tree = await Thinker(writer, Options(**options)).solve(rules.problem, rules)
    assert len(asyncio.all_tasks()) == 1, "something is still under way"
    return tree


def fates(tree):
    """Return what became of each thought, by its path, twins left out."""
    return {"".join(node.path): node.status for node in tree.nodes[1:] if node.twin is None}


def babble(prompt, random):
    """Say a letter or a value, sometimes neither."""
    if prompt.startswith("next"):
        return random.choice("aabbccc-?")
    return random.choice(["value 0", "value 3", "value 8", "value 10", "who knows"])


OPTIONS = st.fixed_dictionaries(
    {
        "branches": st.integers(1, 5),
        "evaluations": st.integers(0, 3),
        "breadth": st.integers(1, 3),
        "search": st.sampled_from(SEARCHES),
        "select": st.sampled_from(SELECTS),
        "seed": st.integers(0, 9),
        "cut": st.sampled_from([0.0, 2.0]),
        "most": st.integers(4, 60),
    }
)


@given(options=OPTIONS, tells=st.booleans(), orders=st.tuples(st.integers(0, 99), st.integers(100, 199)))
@settings(max_examples=60, deadline=None)
async def test_the_tree_is_the_same_whatever_finishes_first(options, tells, orders):
    rules = Letters("cab", tells)
    first, second = [await grow(Shuffled(babble, order), rules, **options) for order in orders]
    assert first.nodes == second.nodes
    assert (first.best, first.answer, first.stop) == (second.best, second.answer, second.stop)
    if not first.right:  # what an early stop breaks off is paid for or not
        assert first.counts == second.counts


@given(options=OPTIONS, tells=st.booleans(), order=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
async def test_the_tree_is_sound(options, tells, order):
    writer = Shuffled(babble, order)
    tree = await grow(writer, Letters("cab", tells), **options)
    assert tree.counts.calls <= options["most"]
    assert not any(writer.under_way.values())
    for place, node in enumerate(tree.nodes):
        assert node.id == place
        if node.parent is not None:
            parent = tree.nodes[node.parent]
            assert parent.id < node.id
            assert parent.status == "kept"
            assert node.path == ((*parent.path, node.thought) if node.thought else parent.path)
        if node.twin is not None:
            assert tree.nodes[node.twin].path == node.path
    paths = [node.path for node in tree.nodes[1:] if node.thought and node.twin is None]
    assert len(paths) == len(set(paths))
    assert tree.right == (tells and tree.answer == "cab") == (tree.stop == "right")
    assert (tree.best is None) == (tree.answer == "") == ("done" not in fates(tree).values())
    assert json.loads(json.dumps(tree.to_dict()))["nodes"][-1]["id"] == len(tree.nodes) - 1


@pytest.mark.parametrize("search", SEARCHES)
async def test_a_writer_that_values_rightly_finds_the_word(search):
    lines = {"next ": "abc", "next c": "bac", "next ca": "cab", "value c": ["value 9"] * 3, "value ca": ["value 9"] * 3}
    tree = await grow(Script(lines), search=search)
    assert (tree.answer, tree.right, tree.stop, tree.path) == ("cab", True, "right", ("c", "a", "b"))
    assert fates(tree) == {
        "a": "dropped",
        "b": "dropped",
        "c": "kept",
        "cb": "dropped",
        "ca": "kept",
        "cc": "dropped",
        "cac": "done",
        "caa": "done",
        "cab": "done",
    }
    assert tree.text().splitlines()[:5] == [
        "Spell cab",
        "   5.0  a  (dropped)",
        "   5.0  b  (dropped)",
        "*  9.0  c",
        "       5.0  b  (dropped)",
    ]


async def test_what_is_alike_is_merged_and_what_is_hopeless_or_malformed_is_not_valued():
    writer = Script({"next ": ["a", "a ", "-", "two words", "a."]}, "value 7")
    tree = await grow(writer, branches=5, depth=1)
    assert [node.status for node in tree.nodes] == ["kept", "kept", "duplicate", "cut", "malformed", "duplicate"]
    assert [node.twin for node in tree.nodes] == [None, None, 1, None, None, 1]
    assert writer.asked == ["next "] * 5 + ["value a"] * 3
    assert (tree.counts.merged, tree.counts.cut, tree.counts.calls) == (2, 1, 8)
    assert (tree.counts.tokens_in, tree.counts.tokens_out) == (56, 16)
    assert tree.text().splitlines()[1:] == ["   7.0  a  x3", "        -  (cut)", "        two words  (malformed)"]
    assert (tree.answer, tree.stop) == ("", "searched")


async def test_paths_that_lead_to_the_same_numbers_are_one_state():
    game = PUZZLES.load("game24")
    problem = game.read("Use 1, 2, 3, 4 to make 24")
    lines = {
        game.next_prompt(problem, ()): ["3 + 1 = 4", "4 * 2 = 8"],
        game.next_prompt(problem, ("3 + 1 = 4 left 2 4 4",)): ["4 * 2 = 8", "4 - 2 = 2"],
        game.next_prompt(problem, ("4 * 2 = 8 left 1 3 8",)): ["3 + 1 = 4", "8 * 3 = 24"],
    }
    options = Options(branches=2, breadth=2, evaluations=1, depth=2)
    tree = await Thinker(Script(lines), options).solve(problem)
    (twin,) = [node for node in tree.nodes if node.twin is not None]
    assert twin.path == ("4 * 2 = 8 left 1 3 8", "3 + 1 = 4 left 4 8")
    assert tree.nodes[twin.twin].path == ("3 + 1 = 4 left 2 4 4", "4 * 2 = 8 left 4 8")


async def test_dfs_turns_back_where_nothing_is_left():
    lines = {
        "next ": ["a", "c"],
        "value a": ["value 9"],
        "value c": ["value 2"],
        "next a": ["-", "-"],
        "next c": ["a", "a"],
        "next ca": ["-", "b"],
    }
    deep = await grow(Script(lines), search="dfs", branches=2, breadth=2, evaluations=1)
    assert (deep.answer, deep.right) == ("cab", True)
    wide = await grow(Script(lines), search="bfs", branches=2, breadth=1, evaluations=1)
    assert (wide.answer, wide.stop) == ("", "searched")


async def test_beam_ranks_whole_paths_and_bfs_the_last_state():
    lines = {
        "next ": ["a", "b"],
        "value a": ["value 10"],
        "value b": ["value 4"],
        "next a": ["x", "x"],
        "next b": ["y", "y"],
        "value ax": ["value 5"],
        "value by": ["value 6"],
    }
    kept = {}
    for search in ("bfs", "beam"):
        tree = await grow(Script(lines), search=search, branches=2, breadth=2, evaluations=1, depth=2)
        deep = [node for node in tree.nodes if len(node.path) == 2 and node.twin is None]
        kept[search] = [("".join(node.path), node.score) for node in deep]
    assert kept == {"bfs": [("ax", 5.0), ("by", 6.0)], "beam": [("ax", 7.5), ("by", 5.0)]}


async def test_without_a_check_the_values_name_the_best_path():
    rules = Letters("ab", tells=False)
    lines = {"next ": ["a"] * 3, "next a": ["x", "y", "z"], "value ay": ["value 8"] * 3}
    tree = await grow(Script(lines), rules)
    assert (tree.answer, tree.right, tree.stop) == ("ay", False, "searched")
    assert fates(tree) == {"a": "kept", "ax": "done", "ay": "done", "az": "done"}


async def test_a_thought_is_valued_while_others_are_still_being_written():
    asked = asyncio.Event()

    async def slow():
        await asked.wait()
        return "b"

    async def value():
        asked.set()
        return "value 3"

    async with asyncio.timeout(20):  # a search that waits for all thoughts never gets there
        tree = await grow(Script({"next ": ["a", slow], "value a": [value]}), branches=2, evaluations=1, depth=1)
    assert fates(tree) == {"a": "dropped", "b": "kept"}


async def test_a_right_path_ends_the_search_and_breaks_off_what_comes_after_it():
    rules, forever = Letters("a"), asyncio.Event()

    async def late():
        for _ in range(5):
            await asyncio.sleep(0)
        return "b"

    async with asyncio.timeout(20):
        writer = Script({"next ": [late, "a", forever.wait, forever.wait]})
        tree = await grow(writer, rules, branches=4)
    assert (tree.answer, tree.stop) == ("a", "right")
    assert writer.cancelled[:2] == ["next ", "next "]
    assert [node.text for node in tree.nodes[1:]] == ["b", "a"]
    assert [node.value for node in tree.nodes[1:]] == [None, None]


async def test_a_value_is_the_mean_of_what_can_be_read_and_the_default_when_nothing_can():
    lines = {"next ": ["a", "b"], "value a": ["value 9", "hm", "value 6"], "value b": ["?", "hm", ModelError("down")]}
    tree = await grow(Script(lines), branches=2, depth=1, default=4.0)
    assert [(node.values, node.value) for node in tree.nodes[1:]] == [((9, None, 6), 7.5), ((None, None, None), 4.0)]
    assert tree.counts.failed == 1


async def test_states_below_the_cut_are_given_up():
    lines = {"next ": ["a", "b"], "value a": ["value 1"], "value b": ["value 2"]}
    tree = await grow(Script(lines), branches=2, breadth=2, evaluations=1, depth=1, cut=2.0)
    assert fates(tree) == {"a": "cut", "b": "kept"}


async def test_the_limit_on_calls_holds_and_narrows_the_tree_first():
    lines = {"next ": list("abcdefgh"), "next a": list("abcdefgh")}
    tree = await grow(Script(lines), branches=8, evaluations=1, most=10)
    assert tree.counts.calls == 10
    assert [len(node.path) for node in tree.nodes[1:]] == [1] * 5
    assert tree.stop == "calls"


async def test_sampling_follows_the_values():
    lines = {"next ": ["a", "b"], "value a": ["value 8"], "value b": ["value 2"]}
    taken = []
    for seed in range(200):
        tree = await grow(Script(lines), branches=2, evaluations=1, depth=1, select="sample", seed=seed)
        taken += [node.thought for node in tree.nodes[1:] if node.status == "kept"]
    assert len(taken) == 200
    assert 140 <= taken.count("a") <= 180  # 160 expected, 5.7 the standard deviation


async def test_every_call_has_a_seed_of_its_own_that_follows_the_seed():
    async def asks(seed):
        writer = Script({"next ": ["a", "b"]})
        await grow(writer, branches=2, depth=1, seed=seed, temperature=0.5, tokens=30)
        return writer.asks

    first, same, other = [await asks(seed) for seed in (1, 1, 2)]
    assert first == same
    assert len({ask.seed for ask in first} | {ask.seed for ask in other}) == 16
    assert {(ask.temperature, ask.max_tokens) for ask in first} == {(0.5, 30)}


async def test_a_failed_call_is_a_failed_thought():
    down = ModelUnavailable("nobody there", cost={"tokens_in": 5, "tokens_out": 1})
    tree = await grow(Script({"next ": [down, "a"]}), branches=2, evaluations=1, depth=1)
    assert [(node.text, node.status) for node in tree.nodes[1:]] == [("nobody there", "failed"), ("a", "kept")]
    assert (tree.counts.calls, tree.counts.failed) == (3, 1)
    assert (tree.counts.tokens_in, tree.counts.tokens_out) == (19, 5)


async def test_when_every_call_fails_it_is_an_error():
    with pytest.raises(ModelUnavailable, match="nobody there"):
        await grow(Script({"next ": [ModelUnavailable("nobody there")] * 3}))


@pytest.mark.parametrize("error", [ModelAuth("refused"), BudgetExceeded("spent", meter="usd"), ConfigError("no")])
async def test_what_is_no_failure_of_the_model_is_raised_once_all_has_ended(error):
    ended = []

    async def slow():
        for _ in range(9):
            await asyncio.sleep(0)
        ended.append(1)
        return "a"

    with pytest.raises(type(error)):
        await grow(Script({"next ": [error, slow]}), branches=2)
    assert ended == [1]


async def test_a_search_that_is_cancelled_leaves_nothing_behind():
    writer = Script({"next ": ["a", asyncio.Event().wait]})
    search = asyncio.create_task(grow(writer, branches=2))
    while "value a" not in writer.asked:
        await asyncio.sleep(0)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    assert "next " in writer.cancelled
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"branches": 0}, "at least 1"),
        ({"evaluations": -1}, "0 or more"),
        ({"depth": 0}, "depth"),
        ({"search": "astar"}, "bfs, dfs, beam"),
        ({"select": "best"}, "greedy, sample"),
        ({"cut": 11}, "between 0 and 10"),
        ({"most": 3}, "4 calls"),
    ],
)
def test_options_that_cannot_work(wrong, said):
    with pytest.raises(ConfigError, match=said):
        Options(**wrong)
