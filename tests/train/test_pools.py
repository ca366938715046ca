"""Pools: drawn alike everywhere, apart from what pupils were raised on, marked by the final answer, read from files."""

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.train.pool import MARKER, POOLS, AnswerKey, PoolItem
from webfarer.train.pools._made import Kind, Made, MadePool
from webfarer.worlds.puzzle import Lesson

NAMES = ("arithmetic", "facts", "links", "passages")
FEW = settings(max_examples=4, deadline=None)
SEEDS = st.integers(0, 2**40)


def pool_named(name: str) -> MadePool:
    pool: MadePool = POOLS.load(name)
    return pool


def test_the_folder_lists_the_pools() -> None:
    assert POOLS.ids() == list(NAMES)
    assert [pool_named(name).title for name in NAMES] == list(NAMES)


@FEW
@given(SEEDS, st.sampled_from(NAMES), st.floats(0, 1))
def test_a_draw_is_a_function_of_its_arguments_and_repeats_no_prompt(seed: int, name: str, skew: float) -> None:
    one, two = (pool_named(name).draw(24, 16, seed, skew) for _ in range(2))
    items = [*one.pool, *one.held_out]
    assert items == [*two.pool, *two.held_out]
    assert [one.key.answer(item.id) for item in items] == [two.key.answer(item.id) for item in items]
    assert len({item.id for item in items}) == len({item.prompt for item in items}) == 40
    for item in items:
        answer = one.key.answer(item.id)
        assert one.key.right(item.id, answer)
        assert answer in item.choices or (not item.choices and MARKER in answer)
        assert {"kind", "difficulty"} <= item.cells.keys()


@FEW
@given(SEEDS, st.sampled_from(NAMES))
def test_every_word_is_known_and_no_lesson_holds_an_item(seed: int, name: str) -> None:
    pool, rng = pool_named(name), Random(seed)
    drawn = pool.draw(40, 20, seed, 0.5)
    items = [*drawn.pool, *drawn.held_out]
    lessons = [pool.lesson(rng) for _ in range(200)]
    texts = [f"{item.prompt} {drawn.key.answer(item.id)}" for item in items]
    texts += [f"{lesson.prompt} {lesson.output}" for lesson in lessons]
    assert {word for text in texts for word in text.split(" ")} <= {*pool.vocabulary()}
    assert not {item.prompt for item in items} & {lesson.prompt for lesson in lessons}


@pytest.mark.parametrize("name", NAMES)
def test_skew_fills_the_pool_with_the_easy_kind_and_leaves_the_held_out_items_even(name: str) -> None:
    pool = pool_named(name)
    kinds = len(pool.kinds)
    drawn = pool.draw(20 * kinds, 5 * kinds, 3, 0.9)
    labelled, examined = (Counter(item.cells["kind"] for item in part) for part in (drawn.pool, drawn.held_out))
    assert labelled == Counter({kind.name: 2 for kind in pool.kinds}) + Counter({pool.kinds[0].name: 18 * kinds})
    assert examined == Counter({kind.name: 5 for kind in pool.kinds})
    assert {*Counter(item.cells["kind"] for item in pool.draw(4 * kinds, 0, 3).pool).values()} == {4}


def test_worked_steps_are_true_sums() -> None:
    drawn = pool_named("arithmetic").draw(160, 0, 1)
    for item in drawn.pool:
        steps, _, final = drawn.key.answer(item.id).partition(f" {MARKER} ")
        results = []
        for step in steps.split(" ; "):
            sum_, _, result = step.partition(" = ")
            assert eval(sum_.replace("/", "//")) == int(result)
            results.append(result)
        assert final == results[-1]


def test_links_lead_on_along_the_shortest_way() -> None:
    drawn = pool_named("links").draw(80, 0, 1)
    for item in drawn.pool:
        letter = drawn.key.answer(item.id)
        question, _, rest = item.prompt.partition(" ? page ")
        options = rest.partition(" : ")[2].removesuffix(" answer :")
        following = {"a": " b ", "b": " c ", "c": " d ", "d": "\n"}[letter]
        label = f" {options}\n".partition(f" {letter} ")[2].partition(following)[0]
        if item.cells["kind"].endswith("-named"):
            assert {*label.split()} & {*question.split()}, item.prompt
    assert Counter(map(drawn.key.answer, (item.id for item in drawn.pool))).keys() == {*"abcd"}


@pytest.mark.parametrize(
    ("answer", "text", "right"),
    [
        ("2 + 3 = 5 #### 5", "I think\n#### 5.", True),
        ("#### 1,200", "so #### 1200", True),
        ("3 + 4 = 7 #### 7", "3 + 4 = 7 #### 8", False),
        ("3 + 4 = 7 #### 7", "3 + 4 = 7", False),
        ("yes", " Yes.", True),
        ("yes", "yes no", False),
        ("yes", "", False),
    ],
)
def test_a_key_looks_at_the_final_answer(answer: str, text: str, right: bool) -> None:
    key = AnswerKey({"x": answer}, {"x": PoolItem(id="x", prompt="?")})
    assert key.right("x", text) is right
    assert key.answer("x") == answer


@pytest.mark.parametrize(("size", "held_out", "skew"), [(-1, 0, 0.0), (0, -1, 0.0), (1, 1, 1.5)])
def test_what_makes_no_pool_is_refused(size: int, held_out: int, skew: float) -> None:
    with pytest.raises(ConfigError, match="sizes from 0 up and a skew from 0 to 1"):
        pool_named("facts").draw(size, held_out, 0, skew)


def test_a_kind_that_is_used_up_is_named() -> None:
    few = Kind("few", "easy", lambda rng: Made(f"which of {rng.randrange(20)} ?", "#### 1"))
    pool = MadePool("small", {}, (few,), lambda: (), lambda rng: Lesson("", ""))
    drawn = pool.draw(2, 1, 0)
    assert len({item.prompt for item in (*drawn.pool, *drawn.held_out)}) == 3
    with pytest.raises(ConfigError, match="small has no more items of kind few"):
        pool.draw(20, 0, 0)


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_published_sets_are_read_as_pools(tmp_path: Path) -> None:
    gsm = pool_named("arithmetic").read(
        lines(tmp_path / "g.jsonl", {"question": "2 and 3?", "answer": "2+3=<<2+3=5>>5\n#### 5"})
    )
    boolq = pool_named("passages").read(
        lines(tmp_path / "b.jsonl", {"question": "is it wet", "passage": "Rain is wet.", "answer": False})
    )
    stem = {"stem": "Which?", "choices": [{"text": "x", "label": "A"}, {"text": "y", "label": "B"}]}
    obqa = pool_named("facts").read(lines(tmp_path / "o.jsonl", {"id": "1", "question": stem, "answerKey": "B"}))
    for drawn, prompt, choices, right, wrong in (
        (gsm, "2 and 3?", (), "#### 5", "#### 6"),
        (boolq, "Rain is wet.\nis it wet?", ("yes", "no"), "no", "yes"),
        (obqa, "Which?\nA x\nB y", ("A", "B"), "B", "A"),
    ):
        (item,) = drawn.pool
        assert (item.prompt, item.choices, len(drawn.held_out)) == (prompt, choices, 0)
        assert drawn.key.right(item.id, right)
        assert not drawn.key.right(item.id, wrong)


@pytest.mark.parametrize(
    ("name", "row", "wrong"),
    [
        ("arithmetic", {"question": "2 and 3?"}, "row 2: no 'answer'"),
        ("arithmetic", {"question": "2 and 3?", "answer": "5"}, "row 2: 'answer' has no final answer behind ####"),
        ("passages", {"question": "q", "passage": "p", "answer": "yes"}, "row 2: 'answer' is 'yes', not true or false"),
        ("facts", {"question": {"stem": "q", "choices": ["x"]}, "answerKey": "A"}, "row 2: 'choices' is no list"),
        ("facts", {"question": {"stem": "q", "choices": []}, "answerKey": "A"}, "row 2: 'answerKey' 'A' is none of"),
    ],
)
def test_a_row_that_is_not_as_published_is_named(tmp_path: Path, name: str, row: object, wrong: str) -> None:
    good = {
        "arithmetic": {"question": "q", "answer": "#### 1"},
        "passages": {"question": "q", "passage": "p", "answer": True},
        "facts": {"question": {"stem": "q", "choices": [{"label": "A", "text": "x"}]}, "answerKey": "A"},
    }
    with pytest.raises(ConfigError, match=wrong):
        pool_named(name).read(lines(tmp_path / "rows.jsonl", good[name], row))


def test_links_resemble_no_published_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="resembles no published set"):
        pool_named("links").read(tmp_path / "x.jsonl")
