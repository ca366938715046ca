"""Puzzles: one conformance suite for all of them, and what is particular to each."""

import importlib
import re
from itertools import permutations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.worlds.puzzle import FIRST_TRAINING_SEED, MOST_VALUE, PUZZLES, Path, Problem, Puzzle, read_value

LONGEST_PROMPT = 96
every_puzzle = pytest.mark.parametrize("name", PUZZLES.ids())


def writer(name: str):
    """The teacher of a puzzle: what it writes as a thought, and as a value."""
    module = importlib.import_module(f"webfarer.worlds.puzzles.{name}")
    return module._write, module._judge


def solve(puzzle: Puzzle, problem: Problem, rng: Random) -> Path:
    write, _ = writer(puzzle.name)
    path: Path = ()
    while not puzzle.done(problem, path):
        thought = puzzle.thought(problem, path, write(rng, problem, path, True))
        assert thought is not None
        path = (*path, thought)
        assert puzzle.worth(problem, path) > 0
    return path


def spaced(text: str) -> bool:
    return text == " ".join(text.split())


@every_puzzle
def test_a_problem_is_a_function_of_its_seed_and_can_be_read_back(name: str) -> None:
    puzzle: Puzzle = PUZZLES.load(name)
    problems = [puzzle.draw(seed) for seed in range(20)]
    assert problems == [puzzle.draw(seed) for seed in range(20)]
    assert len({*problems}) > 10
    for problem in problems:
        assert (puzzle.name, problem.puzzle) == (name, name)
        assert puzzle.read(problem.text) == problem
        assert puzzle.worth(problem, ()) == MOST_VALUE
        assert not puzzle.done(problem, ())
        assert not puzzle.hopeless(problem, ())
        assert spaced(puzzle.value_prompt(problem, ()))


@every_puzzle
def test_no_problem_of_an_examination_is_drawn_for_training(name: str) -> None:
    puzzle: Puzzle = PUZZLES.load(name)
    examined = {puzzle.draw(seed).text for seed in range(50)}
    assert examined.isdisjoint(puzzle.draw(FIRST_TRAINING_SEED + seed).text for seed in range(200))


@every_puzzle
def test_good_thoughts_lead_to_a_right_answer(name: str) -> None:
    puzzle: Puzzle = PUZZLES.load(name)
    for seed in range(10):
        problem = puzzle.draw(seed)
        path = solve(puzzle, problem, Random(seed))
        assert puzzle.right(problem, path)
        assert puzzle.worth(problem, path) == MOST_VALUE
        assert len(path) <= problem.depth
        assert puzzle.answer(problem, path)


@every_puzzle
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 999), choices=st.randoms(use_true_random=False))
def test_any_path_keeps_the_contract(name: str, seed: int, choices: Random) -> None:
    puzzle: Puzzle = PUZZLES.load(name)
    write, judge = writer(name)
    problem, path = puzzle.draw(seed), ()
    while not puzzle.done(problem, path):
        prompt, written = puzzle.next_prompt(problem, path), write(choices, problem, path, choices.random() < 0.5)
        thought = puzzle.thought(problem, path, written)
        assert thought is not None
        assert puzzle.thought(problem, path, thought) == thought
        path = (*path, thought)
        assert len(path) <= problem.depth
        asked, judged = puzzle.value_prompt(problem, path), judge(choices, problem, path)
        worth = puzzle.worth(problem, path)
        assert puzzle.value(judged) == worth
        assert 0 <= worth <= MOST_VALUE
        assert not (puzzle.hopeless(problem, path) and worth)
        assert not puzzle.right(problem, path) or (puzzle.done(problem, path) and worth == MOST_VALUE)
        for text in (prompt, asked, written, judged):
            assert spaced(text)
            assert {*text.split()} <= {*puzzle.words}
            assert len(text.split()) <= LONGEST_PROMPT


@every_puzzle
def test_lessons_follow_from_their_generator_and_use_known_words(name: str) -> None:
    puzzle: Puzzle = PUZZLES.load(name)
    lessons = [puzzle.lesson(Random(seed)) for seed in range(60)]
    assert lessons == [puzzle.lesson(Random(seed)) for seed in range(60)]
    assert len({*puzzle.words}) == len(puzzle.words)
    valued = [lesson for lesson in lessons if re.search(r"\bvalue (0|5|10)$", lesson.output)]
    assert 0 < len(valued) < len(lessons)
    for lesson in lessons:
        assert {*lesson.prompt.split(), *lesson.output.split()} <= {*puzzle.words}


@every_puzzle
@pytest.mark.parametrize("text", ["", "hello", "12", "I think so", "value 7", "= 3 left", "move it now"])
def test_what_is_no_thought_is_refused(name: str, text: str) -> None:
    puzzle: Puzzle = PUZZLES.load(name)
    assert puzzle.thought(puzzle.draw(1), (), text) is None


@every_puzzle
@pytest.mark.parametrize("text", ["", "Who won in 1924?", "In a league of 24 teams, 3 play 4 games. How many is that?"])
def test_other_questions_are_left_alone(name: str, text: str) -> None:
    assert PUZZLES.load(name).read(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("value 7", 7),
        ("I try 8 * 3 = 24 , value 10", 10),
        ("Value: 6.5", 6.5),
        ("Score: **8**/10", 8),
        ("First value 3, then value 4", 4),
        ("8", 8),
        ("9/10", 9),
        ("sure", None),
        ("value 24", None),
        ("", None),
    ],
)
def test_values_are_read(text: str, value: float | None) -> None:
    assert read_value(text) == value


def reachable(cards: tuple[int, ...]) -> bool:
    """Whether 24 can be made of four cards, tried over all orders, signs and brackets."""

    def join(one: int | None, sign: str, other: int | None) -> int | None:
        if one is None or other is None or (sign == "/" and (not other or one % other)):
            return None
        result = {"+": one + other, "-": one - other, "*": one * other}.get(sign, one // other if other else 0)
        return result if 0 <= result <= 199 else None

    for (a, b, c, d), (x, y, z) in product(permutations(cards), product("+-*/", repeat=3)):
        if join(join(join(a, x, b), y, c), z, d) == 24 or join(join(a, x, b), z, join(c, y, d)) == 24:
            return True
        if join(d, z, join(join(a, x, b), y, c)) == 24 or join(join(c, y, join(a, x, b)), z, d) == 24:
            return True
        if join(d, z, join(c, y, join(a, x, b))) == 24:
            return True
    return False


def test_game24_knows_what_can_be_reached() -> None:
    game: Puzzle = PUZZLES.load("game24")
    rng = Random(1)
    for cards in [(1, 1, 1, 1), (3, 3, 8, 8), *(tuple(rng.randint(1, 13) for _ in range(4)) for _ in range(8))]:
        problem = game.read(f"Make 24 of {cards}")
        assert problem is not None
        assert game.worth(problem, ()) == 10 * reachable(cards), cards


def test_game24_reads_what_people_write() -> None:
    game: Puzzle = PUZZLES.load("game24")
    problem = game.read("Use 4, 7, 8, 8 to make 24")
    assert problem == game.read("Game of 24: 8 8 7 4")
    assert problem is not None
    first = "8 - 7 = 1 left 1 4 8"
    for text in ("8 - 7 = 1 left 1 4 8", "8-7=1 (left: 8 4 1)", "First, 8 - 7 = 1."):
        assert game.thought(problem, (), text) == first
    assert game.thought(problem, (), "4 + 8 = 12") == "8 + 4 = 12 left 7 8 12"
    assert game.thought(problem, (first,), "8 × 4 = 32") == "8 * 4 = 32 left 1 32"
    for wrong in ("8 - 7 = 2", "9 - 8 = 1", "8 - 7 = 1 left 1 4 7", "7 - 8 = -1", "8 / 7 = 1", "4 - 8 = 4"):
        assert game.thought(problem, (), wrong) is None
    assert game.hopeless(problem, (first, "8 * 4 = 32 left 1 32", "32 + 1 = 33 left 33"))
    assert game.read("Make 24 of 1 2 3 4 5") is None


def test_arithmetic_follows_the_solution_and_no_other() -> None:
    sums: Puzzle = PUZZLES.load("arithmetic")
    text = "Mia has 12 eggs. Mia buys 4 bags of 5. Mia gives away 2."
    assert sums.read(text) is None
    text += " Mia packs them in boxes of 6. How many boxes are there?"
    problem = sums.read(text)
    assert problem is not None
    assert problem.depth == 4
    path = ("5 * 4 = 20", "20 + 12 = 32", "32 - 2 = 30", "30 / 6 = 5")
    for n, step in enumerate(path):
        assert sums.thought(problem, path[:n], f"How many now ? {step}") == step
        assert sums.worth(problem, path[: n + 1]) == 10
    assert sums.thought(problem, (), "4 * 5 = 20 eggs") == path[0]
    assert sums.answer(problem, path) == "5 boxes"
    assert sums.worth(problem, ("12 - 2 = 10",)) == 0
    for wrong in ("4 * 5 = 21", "4 * 4 = 16", "12 * 20 = 240", "5 / 4 = 1"):
        assert sums.thought(problem, (), wrong) is None
    assert sums.thought(problem, path[:1], "12 + 5 = 17") is None
    for other in (text[:-1], text.replace("boxes of 6", "boxes of 7"), "Mia has 12 eggs.", text + " Mia finds 3 more."):
        assert sums.read(other) is None


def test_blocksworld_counts_moves() -> None:
    blocks: Puzzle = PUZZLES.load("blocksworld")
    problem = blocks.read("Stacks, bottom first: red blue; green. Goal: green blue red.")
    assert problem is not None
    assert problem.depth == 3
    assert blocks.thought(problem, (), "Move the blue block onto the green one") == "move blue onto green"
    assert blocks.right(problem, ("move blue onto green", "move red onto blue"))
    wasted = ("move blue onto table",)
    assert (blocks.worth(problem, ()), blocks.worth(problem, wasted)) == (10, 5)
    assert blocks.worth(problem, ("move green onto blue",)) == 0
    assert blocks.hopeless(problem, ("move blue onto green", "move blue onto red"))
    for wrong in ("move red onto green", "move blue onto red", "move green onto table", "move pink onto red"):
        assert blocks.thought(problem, (), wrong) is None
    assert blocks.read("Stacks, bottom first: red blue. Goal: red green.") is None
    assert blocks.read("Stacks, bottom first: red red. Goal: red.") is None


def test_constraints_check_order_ending_and_beginning() -> None:
    writing: Puzzle = PUZZLES.load("constraints")
    problem = writing.read(
        "Two sentences: one uses river then lamp and ends with tower, the next uses mill then fog and ends with sea."
    )
    assert problem is not None
    assert problem.depth == 2
    first = writing.thought(problem, (), '"A River carries the lamp, quietly, past a tower." And so on.')
    assert first == "a river carries the lamp quietly past a tower ."
    second = "the tower sees a mill in the fog by the sea ."
    assert writing.right(problem, (first, second))
    assert writing.answer(problem, (first, second)).endswith("by the sea.")
    for wrong in (
        second.replace("the tower", "the harbor"),
        second.replace("mill", "inn"),
        second.replace("sea", "bay"),
    ):
        assert writing.thought(problem, (first,), wrong) == wrong
        assert writing.worth(problem, (first, wrong)) == 0
    assert writing.hopeless(problem, (first, second.replace("sea", "bay")))
    assert not writing.hopeless(problem, ("the lamp lights a river near the tower .",))
    assert writing.worth(problem, ("the lamp lights a river near the tower .",)) == 0
