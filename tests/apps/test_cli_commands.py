"""The program itself, `world`, `bench` and `demo`."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from webfarer import __version__
from webfarer.apps.cli.main import COMMANDS
from webfarer.evals import bench

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-c", "from webfarer.apps.cli.main import main; main()"]


def test_help_names_every_command_and_the_version_is_shown(cli):
    out = cli("--help").out
    assert all(f"  {name} " in out for name in COMMANDS.ids() if name != "main")
    assert cli("--version").out == f"webfarer {__version__}\n"


def test_help_loads_nothing_of_the_web_or_the_models():
    script = "import sys; from webfarer.apps.cli.main import build; build(); print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", script], text=True).split())
    assert not loaded & {"openai", "aiohttp", "selectolax", "pydantic"}


def test_questions_have_the_shape_of_webwalkerqa(cli, world):
    args = ["conference", "--seed", 7, "--size", 24, "--depth", 3, "--root-url", "http://127.0.0.1:9/"]
    rows = [json.loads(line) for line in cli("world", "questions", *args).out.splitlines()]
    assert [(row["question"], row["answer"]) for row in rows] == [(q.text, q.answer) for q in world.questions]
    for row, question in zip(rows, world.questions, strict=True):
        info = row["info"]
        assert row["root_url"] == "http://127.0.0.1:9/"
        assert {"hop", "type", "domain", "language", "difficulty_level", "source_website", "golden_path"} == set(info)
        assert [url.removeprefix("http://127.0.0.1:9") for url in info["source_website"]] == list(question.gold)
        assert all(path.startswith("root->") for path in info["golden_path"])


@pytest.mark.parametrize("args", [["wine"], ["conference", "--language", "fr"], ["conference", "--size", "1"]])
def test_a_world_that_cannot_be_made_is_wrong_usage(cli, args):
    result = cli("world", "questions", *args)
    assert result.code == 2
    assert result.err.startswith("webfarer: ")


@pytest.mark.slow
def test_a_world_is_served_until_ctrl_c():
    with subprocess.Popen(
        [*PROGRAM, "world", "serve", "conference", "--size", "24"],
        stdout=subprocess.PIPE,
        # where the tests run in the background, Ctrl-C is ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as serving:
        assert serving.stdout is not None
        url = serving.stdout.readline().decode().strip()
        with urllib.request.urlopen(url) as answer:
            assert b"<html" in answer.read()
        while b"webfarer walk" not in serving.stdout.readline():
            pass
        serving.send_signal(signal.SIGINT)
        assert serving.wait(20) == 130


def test_a_port_that_is_taken_is_wrong_usage(cli, site):
    result = cli("world", "serve", "conference", "--size", 24, "--port", site.url.split(":")[2].strip("/"))
    assert result.code == 2
    assert "--port 0" in result.err


@pytest.mark.parametrize(
    ("args", "options"),
    [
        (["--worlds", "60", "--seed", "1"], {"worlds": "60", "seed": "1"}),
        (["--quick", "--worlds=6"], {"worlds": "6", "quick": True}),
        (["--option", "worlds=6", "--json", "x.json"], {"worlds": "6"}),
        (["--max-steps", "3"], {"max_steps": "3"}),
    ],
)
def test_bench_hands_the_benchmarks_own_options_on(cli, monkeypatch, args, options):
    asked = []
    monkeypatch.setattr(bench, "run_bench", lambda *given: asked.append(given))
    assert cli("bench", "walk", *args).code == 0
    ((name, given, path),) = asked
    assert (name, given) == ("walk", options)
    assert str(path) == ("x.json" if "--json" in args else "None")


@pytest.mark.parametrize("args", [["nothing"], ["walk", "stray"], ["walk", "--worlds"], ["walk", "--colour", "red"]])
def test_bench_refuses_what_it_does_not_know(cli, args):
    assert cli("bench", *args).code == 2


def test_bench_without_a_name_lists_the_benchmarks(cli):
    assert [line.split()[0] for line in cli("bench").out.splitlines()] == bench.BENCHES.ids()


def test_the_demo_answers_rightly_and_can_keep_its_run(cli, home, tmp_path):
    result = cli("demo", "--home", tmp_path / "kept")
    assert result.code == 0
    assert "the answer holds it" in result.out
    for line in result.out.splitlines():
        if line.startswith(("Question", "Answer", "Known truth", "Ended")):
            assert line in (ROOT / "README.md").read_text(), "the example in the README is out of date"
    assert "✓" in result.out
    assert "no model" in result.out
    assert not home.exists()
    assert "upload limit" in cli("runs", "list", "--home", tmp_path / "kept").out
