"""Work that asks a model again is paid once: a reply is found by what was asked, whatever else is asked beside it."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.config import load_settings
from webfarer.core.errors import BudgetExceeded, ConfigError, ModelError
from webfarer.core.fare import Budget
from webfarer.data.paid import paid_model
from webfarer.models.base import Message

TEXTS = st.lists(st.sampled_from("abcd"), max_size=8)


async def asked(folder: Path, texts: Sequence[str], script: Sequence[object], **limits: int) -> tuple[list[str], int]:
    """Ask a model that has so many replies, and return its replies and the tokens they count for."""
    spec = folder / "script.json"
    spec.write_text(json.dumps(script))
    settings = load_settings(model=f"scripted:{spec}", budget=Budget(**limits))
    async with paid_model(settings, folder / "calls.jsonl", "work") as (run, model):
        assert run
        assert model
        said = [(await model.complete([Message("user", text)])).text for text in texts]
        return said, run.ledger.fare.tokens


@given(first=TEXTS, second=TEXTS)
async def test_what_was_asked_is_found_again_in_any_order(first: list[str], second: list[str]) -> None:
    lacking = (Counter(second) - Counter(first)).total()
    with TemporaryDirectory() as folder:
        await asked(Path(folder), first, [f"1.{number}" for number in range(len(first))])
        more = [f"2.{number}" for number in range(lacking)]
        said, tokens = await asked(Path(folder), second, more)  # a reply too many asked for would be an error
        assert len(set(said)) == len(said)
        assert [text for text in said if text.startswith("2.")] == more
        assert await asked(Path(folder), second, []) == (said, tokens)


async def test_what_failed_is_asked_again_and_no_half_reply_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        await asked(tmp_path, "a", [{"error": "ModelError", "message": "down"}])
    assert await asked(tmp_path, "a", ["well"]) == await asked(tmp_path, "a", [])
    cut = {"text": "ha", "finish": "length", "usage": {"tokens_in": 1, "tokens_out": 64}}
    assert (await asked(tmp_path, "b", [cut]))[0] == ["ha"]
    assert (await asked(tmp_path, "b", ["half"]))[0] == ["half"]


async def test_a_lone_surrogate_is_kept_and_a_file_has_one_writer(tmp_path: Path) -> None:
    assert await asked(tmp_path, "a", ["\ud83d"]) == await asked(tmp_path, "a", [])
    with pytest.raises(BudgetExceeded):
        await asked(tmp_path, "b", ["never sent"], tokens=1)
    async with paid_model(load_settings(model="ruled:overlap"), tmp_path / "calls.jsonl", "other"):
        with pytest.raises(ConfigError, match="another process"):
            await asked(tmp_path, "a", [])
