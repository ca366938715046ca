"""Pools in files: what a row may be, and that nobody is examined on what may be labelled."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.train.pool import PoolItem
from webfarer.train.poolfile import hold_out, read_pool


def written(folder, *rows):
    path = folder / "pool.jsonl"
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def test_choices_are_stripped_and_the_answer_is_one_of_them(tmp_path):
    rows = [
        {"prompt": "a", "choices": [" yes", "no "], "answer": "Yes."},
        {"id": "b", "prompt": "b", "choices": [1, 2], "answer": 2},
        {"prompt": "c", "choices": [], "answer": "so #### -5"},
        {"prompt": "d", "answer": None},
    ]
    found = read_pool(written(tmp_path, *rows), 0, 1)
    assert [item.choices for item in found.pool] == [("yes", "no"), ("1", "2"), (), ()]
    assert [found.key.answer(name) for name in ("row-1", "b", "row-3")] == ["yes", "2", "so #### -5"]
    assert found.key.right("row-1", " yes ")
    assert found.key.right("row-3", "\u22125")
    assert not found.key.right("row-3", "5")
    with pytest.raises(ConfigError, match="no answer to 'row-4'"):
        found.key.answer("row-4")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"choices": "yes/no"}, "row 2: choices are a list of different texts"),
        ({"choices": {"a": 1, "b": 2}}, "row 2: choices"),
        ({"choices": 5}, "row 2: choices"),
        ({"choices": [{"text": "a"}, {"text": "b"}]}, "row 2: choices"),
        ({"choices": ["yes", "yes "]}, "row 2: choices"),
        ({"choices": ["", "no"]}, "row 2: choices"),
        ({"choices": ["only"]}, "two at least"),
        ({"choices": ["yes", "no"], "answer": "A"}, "'A' is none of the choices yes, no"),
        ({"answer": ["a"]}, "row 2: the answer .* is no text or number"),
        ({"answer": ""}, "row 2: the answer"),
        ('{"prompt": "q", "answer": NaN}', "row 2: the answer nan"),
    ],
)
def test_a_row_that_is_no_item_is_named(tmp_path, row, message):
    bad = row if isinstance(row, str) else {"prompt": "q"} | row
    with pytest.raises(ConfigError, match=message):
        read_pool(written(tmp_path, {"prompt": "p", "answer": "x"}, bad), 0, 1)


@given(st.lists(st.integers(0, 6), max_size=20), st.integers(0, 8), st.integers(0, 3))
def test_nobody_is_examined_on_a_prompt_of_the_pool(kinds, count, seed):
    items = [PoolItem(id=f"i{place}", prompt=f"kind {kind}") for place, kind in enumerate(kinds)]
    answered = [item.id for item in items[::2]]
    possible = {item.prompt for item in items[::2]}
    if len(possible) < count:
        with pytest.raises(ConfigError, match="--held-out 0"):
            hold_out(items, None, answered, count, seed)
        return
    found = hold_out(items, None, answered, count, seed)
    examined = {item.prompt for item in found.held_out}
    assert len(found.held_out) == len(examined) == count
    assert {item.id for item in found.held_out} <= set(answered)
    assert [item for item in items if item.prompt not in examined] == found.pool
