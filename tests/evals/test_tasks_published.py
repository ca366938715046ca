"""Published sets, in every spelling that circulates; no question here is a published one."""

import base64
import csv
import hashlib
import json
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.evals.task import TASKS, Item, Source
from webfarer.evals.tasks._sealed import decrypted

PASSWORD = "a canary that sings"
CAPITAL = {
    "Question": "When does the harbour museum open?",
    "Answer": "9 am",
    "Root_Url": "https://harbour.example/",
    "Info": {
        "Hop": "multi-source",
        "Domain": "Organization",
        "Language": "English",
        "Difficulty_Level": "Medium",
        "Source_Website": ["https://harbour.example/a", "https://harbour.example/b"],
        "Golden_Path": ["root->a", "root->b"],
    },
}


def lines(folder: Path, *rows: dict[str, Any], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def table(folder: Path, *rows: dict[str, Any], name: str = "rows.csv") -> Path:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return folder / name


async def items(task: str, path: Path, **chosen: Any) -> list[Item]:
    return await TASKS.load(task).items(Source(path=path, **chosen))


async def refused(task: str, path: Path, said: str, **chosen: Any) -> ConfigError:
    with pytest.raises(ConfigError, match=said) as raised:
        await items(task, path, **chosen)
    return raised.value


def lower() -> dict[str, Any]:
    info = {
        "type": "multi_source",
        "domain": "organization",
        "lang": "en",
        "difficulty_level": "medium",
        "source_website": CAPITAL["Info"]["Source_Website"],
    }
    return {"question": CAPITAL["Question"], "answer": "9 am", "root_url": CAPITAL["Root_Url"], "info": info}


def flat() -> dict[str, Any]:
    row = lower()
    return {**row, **row.pop("info")}


@pytest.mark.parametrize("row", [CAPITAL, lower(), flat()], ids=["capital", "lower", "flat"])
async def test_webwalkerqa_is_the_same_in_every_spelling(row, tmp_path):
    (item,) = await items("webwalkerqa", lines(tmp_path, row))
    (known,) = await items("webwalkerqa", lines(tmp_path, CAPITAL, name="known.jsonl"))
    assert item == known
    assert item.gold == ("https://harbour.example/a", "https://harbour.example/b")
    assert item.cells == {
        "type": "multi_source",
        "difficulty": "medium",
        "language": "en",
        "domain": "organization",
    }
    assert item.root == "https://harbour.example/"


async def test_webwalkerqa_keeps_what_the_published_rows_leave_out(tmp_path):
    blank, single = lower(), lower()
    blank["info"]["lang"] = ""
    single["question"], single["info"]["source_website"] = "另一个问题？", "https://harbour.example/c"
    single["info"]["lang"] = "zh"
    path = lines(tmp_path, blank, single)
    first, second = await items("webwalkerqa", path)
    assert first.cells["language"] == ""
    assert second.gold == ("https://harbour.example/c",)
    assert [item.question for item in await items("webwalkerqa", path, subset="zh")] == ["另一个问题？"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question": None}, "row 2: no 'question'"),
        ({"answer": " "}, "row 2: 'answer' is empty"),
        ({"root_url": None}, "row 2: no 'root_url'"),
        ({"info": {"type": "single_source", "difficulty_level": "very hard"}}, "'very hard', not one of easy"),
        ({"info": {"difficulty_level": "easy"}}, "row 2: no 'type'"),
        ({"question": CAPITAL["Question"]}, "rows 1 and 2 have the same id"),
        ({"root_url": "not a url at all"}, "row 2: 'root_url': 'not a url at all' is no address"),
        ({"root_url": "ftp://harbour.example/"}, "row 2: 'root_url': .* is no address"),
        ({"id": ["a"]}, "row 2: 'id' is no text but list"),
    ],
)
async def test_webwalkerqa_names_what_is_wrong(change, said, tmp_path):
    other = {**lower(), "question": "Another question?"}
    await refused("webwalkerqa", lines(tmp_path, CAPITAL, {**other, **change}), said)


async def test_webwalkerqa_takes_the_ids_that_are_given_and_else_no_question_twice(tmp_path):
    await refused("webwalkerqa", lines(tmp_path, lower(), lower()), "rows 1 and 2 have the same id")
    assert (await items("webwalkerqa", lines(tmp_path, {**lower(), "id": 1})))[0].id == "1"


async def test_a_question_with_half_a_character_can_be_written(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**lower(), "question": "Bad \ud83d?"}))
    (item,) = await items("webwalkerqa", path)
    assert item.question == "Bad ??"
    assert Item.model_validate_json(item.model_dump_json()) == item


GAIA = {"task_id": "t1", "Question": "How many?", "Level": 2, "Final answer": "17", "file_name": ""}


async def test_gaia_text_is_what_has_no_file(tmp_path):
    folder = tmp_path / "2023" / "validation"
    folder.mkdir(parents=True)
    lines(folder, GAIA, {**GAIA, "task_id": "t2", "file_name": "a.xlsx"}, name="metadata.jsonl")
    every, text = await items("gaia", tmp_path), await items("gaia", tmp_path, subset="text")
    assert [item.id for item in every] == ["t1", "t2"]
    assert [item.id for item in text] == ["t1"]
    assert every[1].data == {"file": "a.xlsx"}
    assert text[0].cells["difficulty"] == "level 2"
    await refused("gaia", lines(tmp_path, {**GAIA, "Final answer": "?"}), "not published")
    await refused("gaia", lines(tmp_path, GAIA, GAIA), "rows 1 and 2 have the same id 't1'")


def sealed(text: str, password: str = PASSWORD) -> str:
    key = hashlib.sha256(password.encode()).digest()
    return base64.b64encode(bytes(a ^ b for a, b in zip(text.encode(), cycle(key), strict=False))).decode()


@given(st.text(), st.text(min_size=1))
def test_what_is_encrypted_comes_back(text, password):
    assert decrypted(sealed(text, password), password) == text


def browse(problem: str, answer: str) -> dict[str, str]:
    return {"problem": sealed(problem), "answer": sealed(answer), "problem_topic": "Art", "canary": PASSWORD}


async def test_browsecomp_is_decrypted_row_by_row(tmp_path):
    path = table(tmp_path, browse("Which one, of all?", "The 3rd"), browse("And which of those?", "1988"))
    first, second = await items("browsecomp", path)
    assert (first.question, first.answer, first.cells["domain"]) == ("Which one, of all?", "The 3rd", "Art")
    assert (second.answer, second.data["canary"]) == ("1988", PASSWORD)
    assert "Which one" not in path.read_text()
    plain = {"problem": "Which one, of all?", "answer": "1988", "problem_topic": "Art", "canary": PASSWORD}
    (copy,) = await items("browsecomp", table(tmp_path, plain, name="plain.csv"))
    assert (copy.question, copy.answer, copy.id) == (first.question, "1988", first.id)


async def test_a_row_that_cannot_be_decrypted_is_named(tmp_path):
    whole = browse("Which one, of all the ones there are?", "The third of them")
    for change, said in (
        ({"canary": "another"}, "row 2: cannot be decrypted"),
        ({"problem": whole["problem"][:-3]}, "row 2: cannot be decrypted"),
        ({"canary": ""}, "give the password with --key"),
        ({"answer": ""}, "row 2: the answer is empty"),
        ({"problem": ""}, "row 2: 'problem' is empty"),
    ):
        await refused("browsecomp", table(tmp_path, whole, {**whole, **change}), said)
    without = table(tmp_path, {**whole, "canary": ""})
    assert (await items("browsecomp", without, key=PASSWORD))[0].answer == "The third of them"


async def test_browsecomp_zh_has_other_names(tmp_path):
    row = {"Topic": sealed("影视"), "Question": sealed("哪一部？"), "Answer": sealed("第三部"), "canary": PASSWORD}
    (item,) = await items("browsecomp_zh", table(tmp_path, row))
    assert (item.question, item.answer) == ("哪一部？", "第三部")
    assert item.cells == {"domain": "影视", "language": "zh"}
    plain = {"Topic": "影视", "Question": "哪一部？", "Answer": "第三部", "canary": PASSWORD}
    assert await items("browsecomp_zh", lines(tmp_path, plain)) == [item]


async def test_simpleqa_reads_its_python_literal(tmp_path):
    about = "{'topic': 'Art', 'answer_type': 'Date', 'urls': ['https://a.example/1']}"
    row = {"metadata": about, "problem": "When was it painted?", "answer": "1861"}
    (item,) = await items("simpleqa", table(tmp_path, row))
    assert item.gold == ("https://a.example/1",)
    assert item.cells == {"type": "Date", "domain": "Art", "language": "en"}
    assert len(await items("simpleqa", table(tmp_path, row, row))) == 2  # a question may be there twice
    await refused("simpleqa", table(tmp_path, {**row, "metadata": "__import__('os')"}), "row 1: 'metadata'")


WIDE = {
    "instance_id": "ws_en_001",
    "query": "List the lighthouses, with height.",
    "language": "en",
    "evaluation": json.dumps(
        {
            "unique_columns": ["name"],
            "required": ["name", "heightm"],
            "eval_pipeline": {"heightm": {"metric": ["number_near"], "criterion": 0.05}},
        }
    ),
}


async def test_widesearch_puts_the_table_into_the_item(tmp_path):
    (tmp_path / "widesearch_gold").mkdir()
    gold = tmp_path / "widesearch_gold" / "ws_en_001.csv"
    gold.write_text("Height m,Name,Note\n31,North,old\n47,South,\n", encoding="utf-8-sig")
    path = lines(tmp_path, WIDE, name="widesearch.jsonl")
    (item,) = await items("widesearch", tmp_path)
    assert item.data == {
        "columns": ["name", "heightm"],
        "key": ["name"],
        "rows": [["North", "31"], ["South", "47"]],
        "rules": {"heightm": {"metric": ["number_near"], "criterion": 0.05}},
    }
    with pytest.raises(ConfigError, match="no items"):
        await items("widesearch", path, subset="zh")
    gold.write_text("Name,Note\nNorth,old\n")
    await refused("widesearch", path, "no column heightm")
    gold.write_text("Name,Height m\n")
    await refused("widesearch", path, "the table is empty")
    gold.unlink()
    await refused("widesearch", path, r"ws_en_001\.csv cannot be read")
    wrong = json.dumps({"unique_columns": ["town"], "required": ["name"]})
    await refused("widesearch", lines(tmp_path, {**WIDE, "evaluation": wrong}), "unique columns")


HOPS = {
    "task_id": 7,
    "sites": ["wikipedia", "shopping"],
    "start_url": "https://a.example/ |AND| https://b.example/",
    "intent": "Which is older?",
    "eval": {"eval_types": ["string_match"], "reference_answers": {"must_include": ["North", "1861"]}},
}


async def test_multisite_carries_over_the_text_tasks(tmp_path):
    other = {**HOPS, "task_id": 8, "eval": {"eval_types": ["url_match"], "reference_url": "https://a.example/x"}}
    whole = {**HOPS, "task_id": 9, "eval": {"reference_answers": {"exact_match": "North"}}}
    folder = tmp_path / "normal"
    folder.mkdir()
    for number, row in ((10, whole), (9, other), (2, HOPS)):
        (folder / f"{number}.json").write_text(json.dumps(row))
    first, second = await items("multisite", tmp_path, subset="normal")
    assert (first.id, first.parts, first.answer) == ("7", ("North", "1861"), "North; 1861")
    assert (first.root, first.cells["type"]) == ("https://a.example/", "2 sites")
    assert (second.id, second.answer, second.parts) == ("9", "North", ())
    await refused("multisite", lines(tmp_path, {**HOPS, "start_url": "__SHOP__"}), "put an address")
    second = {**HOPS, "task_id": 1, "start_url": "https://a.example/ |AND| https://b c/"}
    await refused("multisite", lines(tmp_path, HOPS, second), "row 2: 'start_url': 'https://b c/' is no address")
    await refused("multisite", lines(tmp_path, other), "no items")


def lamp(folder: Path, task: str, output: str, ids: tuple[str, ...] = ("110",)) -> Path:
    profile = [{"id": "1", "text": "The harbour at night", "title": "Dark water"}, {"id": "2", "text": "Bread"}]
    asked = [{"id": name, "input": "Name this article about the harbour", "profile": profile} for name in ids]
    (folder / "dev_questions.json").write_text(json.dumps(asked))
    golds = [{"id": ids[0], "output": output}]
    (folder / "dev_outputs.json").write_text(json.dumps({"task": task, "golds": golds}))
    return folder


async def test_lamp_joins_questions_and_outputs(tmp_path):
    (item,) = await items("lamp_4", lamp(tmp_path, "LaMP_4", "Dark harbour"))
    assert (item.id, item.answer, item.question) == ("110", "Dark harbour", "Name this article about the harbour")
    (personal,) = await items("lamp_4", tmp_path, subset="1")
    assert "Dark water" in personal.question
    assert "Bread" not in personal.question
    assert personal.question.endswith(item.question)
    (label,) = await items("lamp_1", lamp(tmp_path, "LaMP_1", "[2]"))
    assert label.data == {"labels": ["[1]", "[2]"]}


async def test_lamp_names_what_does_not_fit(tmp_path):
    await refused("lamp_5", lamp(tmp_path, "LaMP_4", "x"), "of the task 'LaMP_4', not of LaMP_5")
    await refused("lamp_2", lamp(tmp_path, "LaMP_2", "opera"), "'opera' is none of the labels")
    await refused("lamp_4", lamp(tmp_path, "LaMP_4", "x", ("1", "2")), "row 2: the outputs have no '2'")
    for outputs, said in (
        ("[]", r"dev_outputs\.json is empty"),
        ('{"task": "LaMP_4", "golds": ["x"]}', "row 1: no object but str"),
    ):
        (tmp_path / "dev_outputs.json").write_text(outputs)
        await refused("lamp_4", tmp_path, said)
    (tmp_path / "dev_outputs.json").unlink()
    await refused("lamp_4", tmp_path, r"dev_outputs\.json is missing")


async def test_longgenbench_packs_questions_and_numbers_them_from_nine(tmp_path):
    rows = [{"question": f"What is {n} and {n}?", "answer": f"so it is\n#### {2 * n}"} for n in range(7)]
    first, second = await items("longgenbench", lines(tmp_path, *rows), subset="3")  # the seventh fills no pack
    assert first.data["answers"] == {"9": "0", "10": "2", "11": "4"}
    assert "Question_11:\nWhat is 2 and 2?" in first.question
    assert "####" not in first.question
    assert second.data["answers"]["9"] == "6"
    await refused("longgenbench", tmp_path / "rows.jsonl", "fewer than 30 questions")
    choice = {"question": "Which?", "choices": ["red", "blue"], "answer": 1}
    (pack,) = await items("longgenbench", lines(tmp_path, choice), subset="1")
    assert pack.data["answers"] == {"9": "B"}
    assert "(B) blue" in pack.question
    await refused("longgenbench", lines(tmp_path, {**choice, "answer": "C"}), "none of its 2 choices", subset="1")


async def test_needles_stand_where_they_were_put():
    task = TASKS.load("needle")
    found = await task.items(Source(seed=1, size=20))
    assert {item.cells["depth"] for item in found} == {"0 %", "25 %", "50 %", "75 %", "100 %"}
    for item in found[::3]:
        for value in item.parts or (item.answer,):
            assert item.question.count(value) == 1
        if not item.parts:
            body = item.question.split("\n\n", 1)[1]
            assert abs(body.index(item.answer) / len(body) - int(item.cells["depth"][:-2]) / 100) < 0.2
    english = next(item for item in found if item.cells["language"] == "en")
    assert 16_000 <= len(english.question) <= 17_000
