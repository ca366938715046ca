"""The school: same recipe and seed, same pupil, interrupted or not; what it writes loads without a network."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from webfarer.core.errors import ConfigError, UnknownPlugin
from webfarer.evals.pupil import folder, pupils
from webfarer.train._examination import examine
from webfarer.train._lessons import DRILL, IGNORED, collate, draw
from webfarer.train._pupils import make_tokenizer
from webfarer.train._recipes import Recipe
from webfarer.train.school import CHECKPOINT, Term, enrol, recipe_named, train, write_card
from webfarer.worlds.exam import EXAMS, vocabulary

TINY = Recipe(
    "tiny", hidden=16, layers=1, heads=2, kv_heads=1, head_dim=8, inner=16, drills=0.9, steps=5, tokens=192, warmup=1
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def same(one: Term, two: Term) -> bool:
    pairs = zip(one.model.state_dict().values(), two.model.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs) and one.losses == two.losses and one.seen == two.seen


def test_same_seed_same_pupil_and_another_seed_another(tmp_path: Path) -> None:
    one, two, other = (train(TINY, seed, tmp_path / name) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert same(one, two)
    assert not same(one, other)


def test_a_resumed_training_ends_where_the_uninterrupted_one_ends(tmp_path: Path) -> None:
    whole = train(TINY, 1, tmp_path / "whole")
    half = enrol(TINY, 1)
    half.advance()
    half.advance()
    (tmp_path / "resumed").mkdir()
    half.save(tmp_path / "resumed" / CHECKPOINT)
    assert same(whole, train(TINY, 1, tmp_path / "resumed"))


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    train(TINY, 1, tmp_path)
    for recipe, seed in ((TINY, 2), (replace(TINY, rate=1.0), 1)):
        with pytest.raises(ConfigError, match="another recipe or seed"):
            train(recipe, seed, tmp_path)


def test_the_folder_loads_offline_and_its_card_tells_the_scores(tmp_path: Path) -> None:
    term = train(TINY, 1, tmp_path)
    scores = write_card(term, tmp_path, sheets=1, papers=(2,))
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert model.dtype == torch.bfloat16
    assert model.config.vocab_size == len(tokenizer)
    assert tokenizer("recall : calm dock 73")["input_ids"][0] == tokenizer.bos_token_id
    chat = [{"role": "user", "content": "recall : calm dock 73"}]
    assert tokenizer.apply_chat_template(chat)["input_ids"] == tokenizer("recall : calm dock 73")["input_ids"]
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["recipe"]["name"] == "tiny"
    assert card["steps"] == card["loss"][-1]["step"] == 5
    assert [(s["exam"], s["right"]) for s in card["scores"]] == [(s.exam, s.right) for s in scores]


def test_only_outputs_count_and_every_word_is_known() -> None:
    tokenizer = make_tokenizer()
    for step in range(4):
        batch = collate(*draw(TINY, 1, step), tokenizer)
        assert tokenizer.unk_token_id not in batch.ids
        counted = batch.labels != IGNORED
        assert torch.equal(batch.labels[counted], batch.ids[counted])
        for ids, mask in zip(batch.ids, counted, strict=True):
            prompt, output = tokenizer.decode(ids[~mask & (ids != 0)]), tokenizer.decode(ids[mask])
            assert prompt.endswith("answers :") or batch.exam == DRILL
            assert output.endswith("<eos>")


def test_exams_take_turns_sheets_grow_and_drills_end() -> None:
    recipe = replace(TINY, steps=100, tokens=3072, drills=0.1, grow=(0.1, 0.9))
    early, late = (dict(draw(recipe, 1, step) for step in steps) for steps in (range(4), range(96, 99)))
    assert early.keys() == {*recipe.exams, DRILL}
    assert late.keys() == {*recipe.exams}
    for exam in recipe.exams:
        assert len(late[exam][0].questions) > len(early[exam][0].questions)
    assert [recipe.growth(step) for step in (0, 10, 90, 99)] == pytest.approx([recipe.smallest] * 2 + [1.0] * 2)


def test_drills_are_copied() -> None:
    sheets = dict(draw(TINY, 1, step) for step in range(4))[DRILL]
    assert sheets
    assert all(sheet.prompt == sheet.output for sheet in sheets)


def test_the_rate_rises_then_falls() -> None:
    recipe = replace(TINY, steps=100, warmup=10, rate=1.0)
    rates = [recipe.rate_at(step) for step in range(100)]
    assert rates.index(max(rates)) in (9, 10)
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)


def test_an_unknown_recipe_names_the_known() -> None:
    with pytest.raises(ConfigError, match="known: learner, longwork"):
        recipe_named("shortwork")


@pytest.mark.slow
def test_the_pupil_of_exams_knows_them_and_is_small() -> None:
    assert pupils() == ["learner", "longwork", "thinker", "thinker-draft"]
    home = folder("longwork")
    assert sum(path.stat().st_size for path in home.iterdir()) < 4_000_000
    tokenizer = AutoTokenizer.from_pretrained(home)
    assert tokenizer.get_vocab().keys() >= {*vocabulary()}
    model = AutoModelForCausalLM.from_pretrained(home, dtype=torch.float32)
    for name in EXAMS.ids():
        assert examine(model, tokenizer, name, questions=8, sheets=2).right >= 0.8, name
    with pytest.raises(UnknownPlugin, match="known: learner, longwork"):
        folder("shortwork")
