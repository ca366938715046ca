"""The same tasks in other harnesses and on other machines: inspect_ai, a Ray cluster, and processes that are killed."""

import gc
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from webfarer.core.config import load_settings
from webfarer.core.fare import Budget
from webfarer.core.trace import read_events
from webfarer.evals.card import card
from webfarer.evals.records import Folder
from webfarer.evals.runner import Asked, Spread, evaluate
from webfarer.evals.task import Source

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def asked(model: str = "", agent: str = "walker", size: int = 12) -> Asked:
    settings = load_settings(model=model, budget=Budget(steps=15), seed=3)
    return Asked("world", settings, Source(seed=3, size=size), agent, scorers=("named", "gold_page"))


def timeless(folder: Folder) -> str:
    """The card without what the clock and the machine decide."""
    return json.dumps(card([folder]).model_dump(mode="json", exclude={"circumstances"}), sort_keys=True)


@pytest.fixture
def collected():
    """What a test leaves behind is collected before the next one, whose warnings are errors."""
    yield
    gc.collect()


@pytest.mark.filterwarnings("ignore")  # streams that inspect_ai leaves open
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(("agent", "model"), [("walker", ""), ("walker", "ruled:overlap"), ("react", "ruled:overlap")])
def test_inspect_agrees_item_by_item(tmp_path, monkeypatch, agent, model):
    inspect = pytest.importorskip("inspect_ai")
    monkeypatch.chdir(tmp_path)
    ours = evaluate(asked(model, agent, 8), tmp_path / "ours", Spread(jobs=2))
    (log,) = inspect.eval(
        "webfarer/world",
        model=model.replace(":", "/") or "none",
        task_args={"agent": agent, "size": 8, "seed": 3, "scorers": "named,gold_page"},
        log_dir=str(tmp_path / "logs"),
        display="none",
    )
    assert log.status == "success"
    theirs = {str(sample.id): sample for sample in log.samples}
    results = list(ours.results())
    assert len(theirs) == len(results) == 8
    for result in results:
        sample = theirs[result.item]
        (score,) = sample.scores.values()
        assert score.metadata["marks"] == result.marks
        assert score.as_float() == result.marks["named"]["correct"]
        assert sample.output.completion == result.answer.text
        assert tuple(sample.metadata["opened"]) == result.opened
        assert sample.metadata["answer"]["fare"]["calls"] == result.answer.fare.calls
    (scores,) = log.results.scores[:1]
    right = [result.marks["named"]["correct"] for result in results]
    assert scores.metrics["mean"].value == pytest.approx(sum(right) / len(right))


def test_two_ray_nodes_give_the_same_card(tmp_path):
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    here = evaluate(asked(), tmp_path / "here", Spread(jobs=2))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        begun = Folder(tmp_path / "there")
        evaluate(asked(), begun.path, Spread(jobs=2))
        for result in list(begun.results())[::2]:  # half of them are to be made over there, from half a trace
            begun.marking(result.run).unlink()
            trace = begun.trace(result.run)
            trace.write_bytes(trace.read_bytes()[: trace.stat().st_size // 2])
        there = evaluate(asked(), begun.path, Spread(jobs=2, processes=2, ray=True))
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert timeless(there) == timeless(here)


def test_killed_again_and_again_it_ends_with_the_same_card_and_pays_nothing_twice(tmp_path):
    whole = evaluate(asked("ruled:overlap"), tmp_path / "whole", Spread(jobs=2))
    out = tmp_path / "killed"
    command = [
        *(sys.executable, "-c", "from webfarer.apps.cli.main import main; main()"),
        *("eval", "world", "--seed", "3", "--size", "12", "--agent", "walker", "--model", "ruled:overlap"),
        *("--scorers", "named,gold_page", "--max-steps", "15", "--processes", "2", "--jobs", "2", "--out", str(out)),
    ]
    rng, kills, held = random.Random(5), 0, {}
    folder = Folder(out)

    def recorded(root: Path) -> dict[str, list[bytes]]:
        return {path.name: path.read_bytes().split(b"\n")[:-1] for path in sorted((root / "runs").glob("*.jsonl"))}

    def events(root: Path) -> int:
        return sum(map(len, recorded(root).values()))

    most = events(tmp_path / "whole") // 6
    while True:
        until = events(out) + rng.randint(1, most)  # by what is recorded, not by the clock: machines differ
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while process.poll() is None and events(out) < until:
            time.sleep(0.01)
        if process.poll() is not None:
            break
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        time.sleep(0.1)
        for name, lines in recorded(out).items():
            before = held.get(name, [])
            assert lines[: len(before)] == before  # what was recorded stays, event by event
            held[name] = lines
    assert process.returncode == 0
    assert kills > 2
    assert timeless(folder) == timeless(whole)
    for result in folder.results():
        calls = [event for event in read_events(folder.trace(result.run)) if event.type == "call"]
        answered = [event for event in read_events(folder.trace(result.run)) if event.type == "result"]
        assert len(answered) == len({event.data["call"] for event in answered})
        models = [event for event in calls if event.data["kind"] == "model"]
        assert len(models) == result.answer.fare.calls


def test_processes_end_with_the_one_that_began_them(tmp_path):
    command = [
        *(sys.executable, "-c", "from webfarer.apps.cli.main import main; main()"),
        *("eval", "world", "--seed", "3", "--size", "400", "--processes", "2", "--out", str(tmp_path / "run")),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    scores = tmp_path / "run" / "scores"
    while not (scores.exists() and any(scores.iterdir())):
        assert process.poll() is None
        time.sleep(0.1)
    process.kill()
    process.wait()

    def alive() -> list[str]:
        stats = (path.read_text() for path in map(_stat, os.listdir("/proc")) if path and path.exists())
        groups = (stat.rpartition(")")[2].split()[:3] for stat in stats)
        return [state for state, _, group in groups if int(group) == process.pid and state != "Z"]

    for _ in range(100):
        if not alive():
            break
        time.sleep(0.1)
    assert not alive()


def _stat(name: str) -> Path | None:
    return Path("/proc") / name / "stat" if name.isdecimal() else None
