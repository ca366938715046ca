"""The school of puzzles: lessons, vocabulary, examination, and the two pupils that ship."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from webfarer.evals.pupil import folder
from webfarer.train import _puzzling
from webfarer.train._lessons import collate, draw
from webfarer.train._pupils import make_tokenizer, words_of
from webfarer.train._puzzling import examine_puzzle
from webfarer.train._recipes import Recipe
from webfarer.train.school import recipe_named, train, write_card
from webfarer.worlds.exam import vocabulary
from webfarer.worlds.puzzle import PUZZLES, Puzzle

TINY = Recipe(
    "tiny", hidden=16, layers=1, heads=2, kv_heads=1, head_dim=8, inner=16, exams=(), puzzles=("game24",), drills=0.0
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_lessons_are_a_function_of_the_step_and_hold_known_words_only() -> None:
    recipe = replace(recipe_named("thinker"), tokens=320)
    tokenizer = make_tokenizer(words_of(recipe))
    for step in range(len(recipe.puzzles)):
        name, sheets = draw(recipe, 1, step)
        assert name == recipe.puzzles[step]
        assert (name, sheets) == draw(recipe, 1, step)
        assert sheets != draw(recipe, 1, step + len(recipe.puzzles))[1]
        batch = collate(name, sheets, tokenizer)
        assert tokenizer.unk_token_id not in batch.ids
        assert batch.ids.ne(tokenizer.pad_token_id).float().mean() > 0.6


def test_a_recipe_has_the_words_of_what_it_teaches() -> None:
    exams, thinker = recipe_named("longwork"), recipe_named("thinker")
    assert words_of(exams) == vocabulary()
    assert words_of(replace(exams, puzzles=("game24",)))[: len(vocabulary())] == vocabulary()
    assert {*words_of(thinker)} == {word for name in PUZZLES.ids() for word in PUZZLES.load(name).words}
    assert words_of(thinker) == words_of(recipe_named("thinker-draft"))


def test_a_pupil_of_puzzles_gets_a_card(tmp_path: Path) -> None:
    term = train(replace(TINY, steps=2, tokens=128, warmup=1), 1, tmp_path)
    (score,) = write_card(term, tmp_path, sheets=1)
    assert (score.exam, score.questions, score.right) == ("game24", 1, 0.0)
    assert '"right_in_samples": 0.0' in (tmp_path / "card.json").read_text()


def texts_of(puzzle: Puzzle, problems: int, good: bool) -> dict[str, str]:
    """What a teacher would write after each prompt on the way through some problems."""
    teacher = importlib.import_module(f"webfarer.worlds.puzzles.{puzzle.name}")
    texts = {}
    for seed in range(problems):
        problem, path = puzzle.draw(seed), ()
        while not puzzle.done(problem, path):
            text = teacher._write(Random(seed), problem, path, good)
            texts[puzzle.next_prompt(problem, path)] = text
            thought = puzzle.thought(problem, path, text)
            assert thought is not None
            path = (*path, thought)
            texts[puzzle.value_prompt(problem, path)] = teacher._judge(Random(seed), problem, path)
    return texts


@pytest.mark.parametrize("name", PUZZLES.ids())
def test_the_teacher_passes_the_examination_and_a_mute_does_not(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_with(write: Callable[[str], str]) -> None:
        monkeypatch.setattr(_puzzling, "write_texts", lambda model, tokenizer, prompts, *_: [write(p) for p in prompts])

    texts = texts_of(PUZZLES.load(name), 4, good=True)
    write_with(texts.__getitem__)
    score = examine_puzzle(None, None, name, 4)
    assert (score.right, score.right_in_samples, score.legal, score.keeps, score.values) == (1, 1, 1, 1, 1)
    assert score.valued >= 8
    write_with(lambda prompt: "")
    mute = examine_puzzle(None, None, name, 4)
    assert (mute.right, mute.legal, mute.keeps, mute.values, mute.valued) == (0, 0, 0, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most_bytes"), [("thinker", 7_000_000), ("thinker-draft", 500_000)])
def test_the_pupils_of_puzzles_that_ship_are_small_and_meet_constraints(name: str, most_bytes: int) -> None:
    home = folder(name)
    assert sum(path.stat().st_size for path in home.iterdir()) < most_bytes
    tokenizer = AutoTokenizer.from_pretrained(home)
    assert tokenizer.get_vocab() == make_tokenizer(words_of(recipe_named(name))).get_vocab()
    model = AutoModelForCausalLM.from_pretrained(home, dtype=torch.float32)
    score = examine_puzzle(model, tokenizer, "constraints", 4)
    assert score.right == score.right_in_samples == 1
    assert score.keeps > 0.8
