"""`webfarer eval`: one card from one command, the same from the folders, and clear words for what cannot work."""

import json
from pathlib import Path

import pytest
from cli_kit import beside

from webfarer.worlds.searchserver import serve_search
from webfarer.worlds.searchwires import Document

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


def test_with_a_refused_key_nothing_is_wrong_and_with_a_good_one_it_goes_on(cli, tmp_path, monkeypatch):
    (tmp_path / "q.csv").write_text("metadata,problem,answer\n{},How high is the lighthouse?,31 metres\n")
    document = Document("https://a.example/l", "The lighthouse", "The lighthouse is 31 metres high.", "2024-03-05")
    args = ("eval", "simpleqa", "--path", "q.csv", "--agent", "one_shot_rag", "--scorers", "named", "--out", "run")
    with beside(serve_search([document], key="good")) as stub:
        monkeypatch.setenv("WEBFARER_SEARCH__ENGINES", '["serper"]')
        monkeypatch.setenv("WEBFARER_SEARCH__BASES", json.dumps(stub.bases()))
        monkeypatch.setenv("SERPER_API_KEY", "bad")
        said = cli(*args, "--processes", "1")
        assert said.code == 2
        assert "refused its key" in said.err
        monkeypatch.setenv("SERPER_API_KEY", "good")
        said = cli(*args, "--processes", "1", "--set", "web.retries=0")
        assert said.code == 2  # another plan
        said = cli(*args, "--processes", "1")
        assert said.code == 0
        assert "1 of 1" in said.out
        assert len(stub.asked) == 2


def test_the_model_is_that_of_the_settings_unless_one_is_named(cli, monkeypatch):
    monkeypatch.setenv("WEBFARER_MODEL", "ruled:overlap")
    assert cli(*WORLD, "--agent", "walker", "--out", "a", "--json", "a.json").code == 0
    assert cli(*WORLD, "--agent", "walker", "--model", "none", "--out", "b", "--json", "b.json").code == 0
    models = [json.loads(Path(name).read_text())["entries"][0]["model"] for name in ("a.json", "b.json")]
    assert models == ["ruled:overlap", ""]


def test_a_file_that_cannot_be_written_is_said_before_anything_is_run(cli, tmp_path):
    said = cli(*WORLD, "--agent", "oracle", "--out", "run", "--json", "missing/card.json")
    assert said.code == 2
    assert "missing/card.json cannot be written" in said.err
    assert not (tmp_path / "run").exists()
