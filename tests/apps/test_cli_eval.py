"""`webfarer eval`: one card from one command, the same from the folders, and clear words for what cannot work."""

import json

import pytest

WORLD = ("eval", "world", "--seed", "3", "--size", "3", "--processes", "1", "--max-steps", "6")


def test_tasks_agents_and_scorers_are_listed(cli):
    said = cli("eval", "list")
    assert said.code == 0
    for name in ("webwalkerqa", "gaia", "--agent oracle", "judge"):
        assert name in said.out


def test_one_card_of_two_agents_and_the_same_from_their_folders(cli, tmp_path):
    made = cli(*WORLD, "--agent", "oracle,random_click", "--out", "runs", "--html", "a.html", "--json", "a.json")
    assert made.code == 0, made.err
    assert "oracle" in made.out
    assert "random_click" in made.out
    again = cli("eval", "report", "runs", "--html", "b.html", "--json", "b.json")
    assert again.out == made.out
    assert (tmp_path / "a.html").read_text() == (tmp_path / "b.html").read_text()
    rows = {row["agent"]: row for row in json.loads((tmp_path / "b.json").read_text())["entries"]}
    assert rows["oracle"]["accuracy"]["mean"] == 1.0
    assert rows["oracle"]["setting"] == "click"


def test_a_run_is_replayed_from_its_recording(cli):
    assert cli(*WORLD, "--agent", "walker", "--out", "run").code == 0
    said = cli("eval", "replay", "run")
    assert (said.code, said.out) == (0, "3 of 3 attempts replayed alike\n")


def test_the_published_table_is_added_up(cli):
    said = cli("eval", "report", "--published", "webwalkerqa")
    assert said.code == 0
    assert "15.29" in said.out
    assert "16.02" in said.out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("eval", "nothing"), "unknown task 'nothing'"),
        ((*WORLD, "--agent", "walker,nobody"), "unknown agent 'nobody'"),
        ((*WORLD, "--agent", "react"), "needs a model"),
        ((*WORLD, "--setting", "nonsense"), "another --setting"),
        ((*WORLD, "--shard", "0/3"), "is no shard"),
        ((*WORLD, "--scorers", "guess"), "unknown scorer 'guess'"),
        (("eval", "webwalkerqa", "--path", "missing.jsonl", "--judge", "ruled:overlap"), "missing.jsonl"),
        (("eval", "webwalkerqa", "--path", "missing.jsonl"), "--judge"),
        (("eval", "report"), "give the folder"),
        (("eval", "report", "."), "no run of an evaluation"),
        (("eval", "replay", "."), "no folder of an evaluation run"),
        (("eval", "report", "--published", "nothing"), "nothing"),
    ],
)
def test_what_cannot_work_is_said(cli, args, words):
    said = cli(*args)
    assert said.code == 2
    assert words in said.err


def test_a_folder_where_a_file_lies(cli, tmp_path):
    (tmp_path / "run").write_text("mine")
    said = cli(*WORLD, "--agent", "oracle", "--out", "run")
    assert said.code == 2
    assert (tmp_path / "run").read_text() == "mine"
