"""A model's folder on the command line: served over HTTP, and asked in this process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_kit import page, pages

sys.path.append(str(Path(__file__).parents[1] / "engine"))  # its tiny models

import parrot
import tiny

PROGRAM = [sys.executable, "-c", "from webfarer.apps.cli.main import main; main()"]
QUESTION = "When does it open?"
SITE = page("Library", "<p>The library opens at eight.</p><p><a href='/hours'>Opening hours</a></p>")


NONSENSE = {
    "text": ("Perhaps ", "at ", "noon."),
    "half a call": ("<tool_call>", '{"name": "visit", "argu'),
    "unknown tool": ("<tool_call>", '{"name": "dance", "arguments": {}}', "</tool_call>"),
    "thoughts only": ("<think>", "and then"),
    "an answer": ('{"answer": "At eight. [1]", "useful": true}',),
}


@pytest.fixture(scope="module")
def bird(tmp_path_factory):
    return parrot.save(tmp_path_factory.mktemp("bird"), "At eight.", template=tiny.TEMPLATE)


@pytest.mark.slow
def test_a_model_is_served_until_it_is_told_to_stop(bird, home):
    from openai import OpenAI

    environment = {**os.environ, "WEBFARER_SERVE_TOKEN": "sesame"}
    command = [*PROGRAM, "serve", str(bird), "--port", "0", "--rows", "2", "--threads", "1", "--dtype", "float32"]
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **piped) as server:
        said, _, how = (server.stdout.readline() for _ in range(3))
        url = said.split(" served at ")[1].split(",")[0]
        assert said.startswith(f"{bird.name} is served at http://127.0.0.1:")
        with OpenAI(base_url=url, api_key="sesame", max_retries=0) as client:
            answer = client.chat.completions.create(
                model=bird.name, messages=[{"role": "user", "content": "When?"}], temperature=0
            )
        server.send_signal(signal.SIGTERM)
        _, err = server.communicate(timeout=30)
    assert answer.choices[0].message.content == "At eight."
    assert f"--model endpoint:{bird.name} --base-url {url}" in how
    assert server.returncode == 0, err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--adapter", "name"], "write NAME=FOLDER"),
        (["--adapter", "a=x", "--adapter", "a=y"], "two adapters"),
        (["--dtype", "int4"], "there is no dtype 'int4'"),
        (["--cache", "nothing"], "unknown"),
    ],
)
def test_what_cannot_be_served(cli, bird, options, said):
    result = cli("serve", bird, *options)
    assert result.code == 2
    assert said in result.err


def test_a_port_that_is_taken(cli, bird):
    with pages(root=SITE) as site:
        result = cli("serve", bird, "--port", site.url.rstrip("/").rpartition(":")[2])
    assert result.code == 2
    assert "--port 0 takes a free one" in result.err


@pytest.mark.slow
@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("command", ["walk", "ask"])
def test_whatever_a_local_model_says_the_run_ends(cli, tmp_path_factory, command, said):
    model = parrot.save(tmp_path_factory.mktemp("bird"), *said, context=16_384)
    with pages(root=SITE, hours=SITE) as site:
        host = site.url.split("/")[2]
        start = ["--start", site.url, "--site", host, "--set", 'ask.tools=["visit", "find"]']
        where = [site.url, QUESTION] if command == "walk" else [QUESTION, *start]
        limits = ["--max-steps", "2", "--max-tokens", "60000", "--max-usd", "1", "--max-seconds", "20"]
        result = cli(command, *where, "--model", f"local:{model}", *limits, "--json")
    events = [json.loads(line) for line in result.out.splitlines()]
    assert events[-1]["type"] == "end", result.err
    answer = events[-1]["data"]["answer"]
    assert answer["fare"]["calls"] > 0
    assert answer["fare"]["usd"] == 0
    assert result.code in (0, 1, 3, 4, 5, 6, 7)
