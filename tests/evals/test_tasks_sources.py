"""How the rows of published files are read, and what is said of those that cannot be."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, address_of, checked, locate, parsed, read, row_id, stable_id
from webfarer.evals.task import Card, Item, Source

CARD = Card("A set", "a paper", ("search",), ("named",), "some/set", {"main": "data/main.jsonl", "more": "more.csv"})
ROWS = [{"question": "谁？", "answer": "a, b"}, {"question": "Who\nelse?", "answer": "7"}]


def write(folder: Path, kind: str) -> Path:
    path = folder / f"rows.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n\n" for row in ROWS), encoding="utf-8-sig")
    elif kind == "json":
        path.write_text(json.dumps(ROWS, ensure_ascii=False))
    else:
        comma = "," if kind == "csv" else "\t"
        lines = [f'"{row["question"]}"{comma}"{row["answer"]}"' for row in ROWS]
        path.write_text("\n".join([f"question{comma}answer", *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "tsv"])
def test_every_format_gives_the_same_rows(kind, tmp_path):
    assert [dict(row.values) for row in read(write(tmp_path, kind))] == ROWS


def test_a_workbook_is_a_table_too(tmp_path, monkeypatch):
    cells = [["Question", "canary", "Answer", 7.0], ["q", "c", 2024.0, 0.5]]
    sheet = SimpleNamespace(to_python=lambda: cells)
    book = SimpleNamespace(from_path=lambda path: SimpleNamespace(get_sheet_by_index=lambda number: sheet))
    monkeypatch.setitem(sys.modules, "python_calamine", SimpleNamespace(CalamineWorkbook=book))
    assert [row.values for row in read(tmp_path / "a.xlsx")] == [
        {"Question": "q", "canary": "c", "Answer": 2024, "7.0": 0.5}
    ]
    assert next(read(tmp_path / "a.xlsx")).text("answer") == "2024"  # a workbook keeps every number with a point
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(ConfigError, match=r"webfarer\[docs\]"):
        list(read(tmp_path / "a.xlsx"))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"a": 1}\n{broken\n', "row 2"),
        ("a.jsonl", '{"a": 1}\n[1]\n', "row 2: no object but list"),
        ("a.json", "[1", "cannot be read as JSON"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "row 2: more cells"),
        ("a.parquet", "PAR1", "convert it first"),
        ("a", "", "without suffix"),
    ],
)
def test_what_is_damaged_is_named_with_its_row(name, text, said, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=said):
        list(read(tmp_path / name))


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"a": "\xff"}\n')
    with pytest.raises(ConfigError, match=r"a\.jsonl"):
        list(read(tmp_path / "a.jsonl"))


def test_rows_are_read_one_at_a_time(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{broken\n')
    assert next(read(path)).values == {"a": 1}  # the broken one is not reached


@given(st.sampled_from(["Root_Url", "root_url", "ROOT URL", "rootUrl", "root-url"]))
def test_the_spelling_of_a_name_does_not_count(name):
    assert Row(Path("f"), 1, {name: " x "}).text("root_url") == "x"


def test_a_missing_or_empty_value_names_row_and_key():
    row = Row(Path("f.csv"), 4, {"a": "", "b": None, "c": [1]})
    for name, said in (("a", "'a' is empty"), ("b", "no 'b'; it has a, b, c"), ("c", "no text but list")):
        with pytest.raises(ConfigError, match=said) as raised:
            row.text(name)
        assert raised.value.detail == {"row": 4, "key": name}
        assert raised.value.message.startswith("f.csv, row 4")
    assert row.find("b", "nothing") is None


def test_an_inner_object_may_be_json_text_or_absent():
    flat = {"type": "x"}
    assert Row(Path("f"), 1, {"Info": flat}).inner("info").get("type") == "x"
    assert Row(Path("f"), 1, {"info": json.dumps(flat)}).inner("info").get("type") == "x"
    assert Row(Path("f"), 1, flat).inner("info").get("type") == "x"
    with pytest.raises(ConfigError, match="'info' is no JSON"):
        Row(Path("f"), 1, {"info": "{"}).inner("info")


def test_a_folder_holds_the_file_as_the_hub_does_or_by_its_name(tmp_path):
    (tmp_path / "main.jsonl").write_text("{}")
    assert locate(Source(tmp_path), CARD) == tmp_path / "main.jsonl"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "main.jsonl").write_text("{}")
    assert locate(Source(tmp_path), CARD) == tmp_path / "data" / "main.jsonl"
    with pytest.raises(ConfigError, match=r"more\.csv"):
        locate(Source(tmp_path, "more"), CARD)
    with pytest.raises(ConfigError, match="known: main, more"):
        locate(Source(tmp_path, "test"), CARD)


def test_without_a_path_the_hub_is_asked_and_only_then(tmp_path, monkeypatch):
    asked = []

    def download(**given):
        asked.append(given)
        if given["filename"] == "more.csv":
            raise OSError("no network")
        return str(tmp_path / "cached")

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(hf_hub_download=download))
    assert locate(Source(), CARD) == tmp_path / "cached"
    assert asked == [{"repo_id": "some/set", "filename": "data/main.jsonl", "repo_type": "dataset"}]
    with pytest.raises(ConfigError, match="give the file's path"):
        locate(Source(split="more"), CARD)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ConfigError, match=r"webfarer\[eval\]"):
        locate(Source(), CARD)
    with pytest.raises(ConfigError, match="on no hub"):
        locate(Source(), Card("A set", "a paper", ("search",), ("named",)))


def test_two_rows_that_are_one_item_are_named():
    rows = [Row(Path("f"), number, {}) for number in (1, 2, 9)]
    made = {1: Item(id="a", question="x"), 2: Item(id="b", question="x"), 9: Item(id="a", question="z")}
    with pytest.raises(ConfigError, match="rows 1 and 9 have the same id 'a'"):
        checked(rows, lambda row: made[row.number])
    assert checked(rows[:2], lambda row: made[row.number]) == [made[1], made[2]]
    assert checked(rows, lambda row: made[2] if row.number == 2 else None) == [made[2]]
    with pytest.raises(ConfigError, match="no items"):
        checked([], lambda row: made[1])


@pytest.mark.parametrize("make", [lambda row: row.values["x"], lambda row: Item(id="a", question="\ud83d")])
def test_a_row_that_makes_no_item_or_one_that_cannot_be_written_is_named(make):
    with pytest.raises(ConfigError, match=r"^f, row 4 makes no question: ") as raised:
        checked([Row(Path("f"), 4, {})], make)
    assert raised.value.detail == {"row": 4}


@given(st.recursive(st.text(st.characters()), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_is_read_from_json_can_be_written_and_is_else_as_it_was(value):
    read_back = parsed(json.dumps(value))
    json.dumps(read_back, ensure_ascii=False).encode()
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        assert read_back != value
    else:
        assert read_back == value


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_half_a_character_becomes_a_question_mark(name, tmp_path):
    text = r'{"q": "bad \uD83D emoji, good \ud83d\ude00 one", "info": "{\"a\": \"\\ud83d\"}"}'
    (tmp_path / name).write_text(text)
    (row,) = read(tmp_path / name)
    assert row.text("q") == "bad ? emoji, good \U0001f600 one"
    assert row.inner("info").text("a") == "?"


def test_the_address_of_a_page_is_given_whole_or_refused():
    assert address_of("a.example/x", "f, row 1") == "https://a.example/x"
    assert address_of("http://127.0.0.1:9/", "f, row 1") == "http://127.0.0.1:9/"
    for wrong in ("not a url at all", "ftp://x.example/", "mailto:a@b.example", "http://", ""):
        with pytest.raises(ConfigError, match=r"^f, row 1: .* is no address of a page"):
            address_of(wrong, "f, row 1")


@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_ids_follow_from_what_is_said_and_from_where_it_is_cut(one, other):
    no_nul = [[part.replace("\0", "") for part in parts] for parts in (one, other)]
    assert (stable_id(*no_nul[0]) == stable_id(*no_nul[1])) is (no_nul[0] == no_nul[1])
    assert row_id(Row(Path("f"), 3, {}), *no_nul[0]).startswith("3-")
