"""`webfarer think`."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "engine"))  # its tiny models

TASK = "Use 4, 6 to make 24"


@pytest.fixture
def script(tmp_path):
    """`script("…", …)` names a model that says these lines."""

    def write(*lines):
        path = tmp_path / "replies.json"
        path.write_text(json.dumps(lines))
        return f"scripted:{path}"

    return write


@pytest.fixture(scope="module")
def bird(tmp_path_factory):
    """A folder with a model that always makes 24."""
    import parrot

    return parrot.save(tmp_path_factory.mktemp("bird"), "6 * 4 = 24")


def test_the_tree_the_answer_and_the_fare_are_shown(cli, script):
    model = script("6 + 4 = 10", "6 * 4 = 24", "value 2")
    result = cli("think", TASK, "--model", model, "--branches", 2, "--evaluations", 1)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == TASK
    assert [" ".join(line.split()) for line in lines[1:3]] == [
        "6 + 4 = 10 left 10 (cut)",
        "* 6 * 4 = 24 left 24 (done)",
    ]
    assert "Answer  6 * 4 = 24 (right)" in lines
    assert lines[-1].startswith("Fare    2 calls, ")


def test_json_holds_the_whole_tree(cli, script):
    out = cli("think", TASK, "--model", script("6 * 4 = 24"), "--branches", 1, "--json").out
    told = json.loads(out)
    assert (told["answer"], told["right"], told["checked"], told["stop"]) == ("6 * 4 = 24", True, True, "right")
    assert [node["status"] for node in told["nodes"]] == ["done"]
    assert told["counts"]["calls"] == 1


def test_a_question_of_no_known_kind_is_thought_about_in_plain_text(cli, script):
    lines = ["Paris is the capital.", "value 9", "So Paris.", "value 9", "Paris", "Lyon", "value 8", "value 1"]
    options = ("--branches", 1, "--evaluations", 1)
    out = cli("think", "What is the capital of France?", "--model", script(*lines[:5], "value 7"), *options).out
    assert "Answer  Paris (not checked)" in out.splitlines()
    told = cli("think", TASK, "--puzzle", "free", "--model", script(*lines[:5], "value 7"), *options, "--json").out
    assert (json.loads(told)["puzzle"], json.loads(told)["checked"]) == ("free", False)


@pytest.mark.parametrize("depth", [1, 4])
def test_a_question_of_no_known_kind_is_answered_at_the_depth_asked_for(cli, script, depth):
    lines = [f"step {number}" for number in range(1, depth)] + ["Paris"]
    options = ("--branches", 1, "--evaluations", 0, "--depth", depth)
    out = cli("think", "What is the capital of France?", "--model", script(*lines), *options).out
    assert "Answer  Paris (not checked)" in out.splitlines()
    assert f"{depth} calls" in out


def test_a_search_without_a_complete_path_exits_with_1(cli, script):
    result = cli("think", "Use 1, 2, 3, 4 to make 24", "--model", script("I do not know."), "--branches", 1)
    assert result.code == 1
    assert "Answer  none: no complete path was found" in result.out


def test_what_a_model_says_cannot_command_the_terminal(cli, script):
    out = cli(
        "think", "Why?", "--model", script("\x1b[2JGo", "on"), "--branches", 1, "--evaluations", 0, "--depth", 1
    ).out
    assert "\x1b" not in out
    assert "[2JGo" in out


@pytest.mark.parametrize("drive", [(), ("--draft", "ngram", "--k", 2), ("--scheduler", "serial")])
def test_a_model_in_this_process(cli, bird, drive):
    result = cli("think", TASK, "--model", f"local:{bird}", "--branches", 3, *drive)
    assert result.code == 0
    assert "Answer  6 * 4 = 24 (right)" in result.out.splitlines()
    assert " passes" in result.out.splitlines()[-1]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "--model local:FOLDER"),
        (("--model", "local:nowhere"), "no folder nowhere"),
        (("--model", "scripted:x.json", "--draft", "ngram"), "--draft is for models in this process"),
        (("--model", "scripted:x.json", "--scheduler", "fcfs"), "--scheduler is for models in this process"),
        (("--model", "scripted:x.json", "--puzzle", "chess"), "known: "),
        (("--model", "scripted:x.json", "--puzzle", "blocksworld"), "--puzzle free"),
        (("--model", "scripted:x.json", "--search", "astar"), "bfs, dfs, beam"),
    ],
)
def test_wrong_usage(cli, args, said):
    result = cli("think", TASK, *args)
    assert result.code == 2
    assert said in result.err


def test_a_length_of_drafts_without_drafts_is_refused(cli, bird):
    result = cli("think", TASK, "--model", f"local:{bird}", "--k", 2)
    assert result.code == 2
    assert "name what drafts" in result.err


def test_without_the_engine_extra_it_is_said_what_to_install(cli, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "webfarer.engine.chat", None)
    result = cli("think", TASK, "--model", f"local:{tmp_path}")
    assert (result.code, "pip install 'webfarer[engine]'" in result.err) == (2, True)
