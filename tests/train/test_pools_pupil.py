"""The pupil raised on pools: what it is taught, what its folder can be used for, and what ships."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from webfarer.data.masking import IGNORED, Encoder
from webfarer.data.row import Turn
from webfarer.evals.pupil import folder
from webfarer.train._examination import examine_pool
from webfarer.train._lessons import collate, draw
from webfarer.train._pupils import make_tokenizer, words_of
from webfarer.train._recipes import Recipe
from webfarer.train.school import recipe_named, train, write_card

TINY = Recipe(
    "tiny",
    hidden=16,
    layers=1,
    heads=2,
    kv_heads=1,
    head_dim=8,
    inner=16,
    exams=(),
    pools=("arithmetic", "facts"),
    drills=0.0,
    steps=2,
    tokens=256,
    warmup=1,
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_pools_take_turns_and_every_token_is_known() -> None:
    tokenizer = make_tokenizer(words_of(TINY), tuned=True)
    for step in range(4):
        name, sheets = draw(TINY, 1, step)
        assert name == TINY.pools[step % 2]
        batch = collate(name, sheets, tokenizer)
        assert tokenizer.unk_token_id not in batch.ids
        sheet, ids, labels = sheets[0], batch.ids[0], batch.labels[0]
        text = tokenizer.decode(ids[labels == IGNORED], skip_special_tokens=True)
        assert (text, tokenizer.decode(ids[labels != IGNORED])) == (
            sheet.prompt,
            f"{sheet.output}{tokenizer.eos_token}",
        )


def test_the_folder_can_be_fine_tuned_and_its_card_tells_the_scores(tmp_path: Path) -> None:
    term = train(TINY, 1, tmp_path)
    facts = [score for score in write_card(term, tmp_path, sheets=1) if score.exam == "facts"]
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["scores"][1] == {"exam": "facts", "questions": 10, "right": facts[0].right, "kinds": facts[0].kinds}
    turns = [Turn(role="user", content="facts : which is a metal ?"), Turn(role="assistant", content="iron", weight=1)]
    (example,) = Encoder.load(tmp_path).encode(turns)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert list(example.ids) == [
        *tokenizer("facts : which is a metal ?")["input_ids"],
        *tokenizer.encode("iron", add_special_tokens=False),
        tokenizer.eos_token_id,
    ]
    assert sum(example.mask) == 2


@pytest.mark.slow
def test_the_pupil_of_pools_that_ships_is_small_and_knows_the_easy_kinds_only() -> None:
    home = folder("learner")
    assert sum(path.stat().st_size for path in home.iterdir()) < 3_000_000
    tokenizer = AutoTokenizer.from_pretrained(home)
    assert tokenizer.get_vocab() == make_tokenizer(words_of(recipe_named("learner")), tuned=True).get_vocab()
    model = AutoModelForCausalLM.from_pretrained(home, dtype=torch.float32)
    for pool, easy in (("arithmetic", "gain"), ("passages", "said")):
        score = examine_pool(model, tokenizer, pool, 144)
        assert score.kinds[easy] > 0.9
        assert score.right < 0.6
        assert score == examine_pool(model, tokenizer, pool, 144)
