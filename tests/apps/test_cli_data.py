"""`webfarer data`: from questions to selected rows by one command each, and clear words for what cannot work."""

import json

import pytest

from webfarer.data.question import read_questions
from webfarer.data.row import read_rows

SAMPLE = ("data", "sample", "q.jsonl", "--model", "faulty:q.jsonl:0", "--set", "ask.dialect=tags", "--processes", "1")


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """What the first test that needs questions has made, for the others."""
    return {}


@pytest.fixture
def questions(cli, tmp_path, made) -> None:
    """Six made questions in q.jsonl."""
    if not made:
        said = cli("data", "make", "crawlqa", "--count", "6", "--processes", "1", "--out", "q.jsonl")
        assert (said.code, said.err) == (0, "")
        made["q.jsonl"] = (tmp_path / "q.jsonl").read_bytes()
    (tmp_path / "q.jsonl").write_bytes(made["q.jsonl"])


def test_from_questions_to_selected_rows(cli, tmp_path, questions):
    assert len(read_questions(tmp_path / "q.jsonl")) == 6
    said = cli(*SAMPLE, "--n", "2", "--limit", "1", "--thoughts", "withheld,kept", "--out", "s")
    assert said.code == 0, said.err
    assert said.out.count(": 1 attempts\n") == 2
    said = cli("data", "filter", "s", "--report", "--audit", "--html", "f.html", "--json", "f.json")
    assert said.code == 0, said.err
    funnel = json.loads((tmp_path / "f.json").read_text())
    rows = list(read_rows(tmp_path / "s" / "rows.jsonl"))
    assert f"{len(rows)} rows of {funnel['kept']['count']} trajectories" in said.out
    assert {row.id.rpartition("/")[0] for row in rows} == set(funnel["runs"])
    assert {row.licence for row in rows} == {read_questions(tmp_path / "q.jsonl")[0].licence}
    said = cli("data", "export", "s", "--to", "sharegpt", "--kind", "act")
    assert said.code == 0, said.err
    assert (tmp_path / "s" / "sharegpt.jsonl").read_text()
    said = cli("data", "select", "s", "--by", "diversity", "--count", "1")
    assert said.code == 0, said.err
    assert len(list(read_rows(tmp_path / "selected.jsonl"))) == 1


def test_questions_are_listed_split_reviewed_and_shown(cli, tmp_path, questions):
    listed = cli("data", "list")
    assert all(name in listed.out for name in ("crawlqa", "--ground", "--rule validity", "--to messages", "--by ideal"))
    assert "reads --hops, --from\n" in listed.out
    assert cli("data", "split", "q.jsonl", "--shares", "train:0.5,test:0.5").code == 0
    parts = [read_questions(tmp_path / f"q.{name}.jsonl") for name in ("train", "test")]
    assert sum(map(len, parts)) <= 6
    assert cli("data", "review", "q.jsonl", "--out", "kept.jsonl").code == 0
    assert read_questions(tmp_path / "kept.jsonl") == []  # nobody has judged any
    assert cli("data", "page", "q.jsonl", "--html", "q.html", "--show", "2").out == "q.html: 2 of 6 questions\n"
    assert "<script" not in (tmp_path / "q.html").read_text()


def test_a_limit_on_all_attempts_is_said_and_gone_on_from(cli, questions):
    args = (*SAMPLE, "--n", "1", "--limit", "1", "--out", "s")
    said = cli(*args, "--total-usd", "0")
    assert (said.code, said.err) == (1, "")
    assert "0 of 1 are made" in said.out
    assert cli(*args).code == 0


@pytest.mark.slow
def test_a_judge_is_paid_once_and_counts(cli, tmp_path, questions):
    def filtered(*more: str) -> tuple[dict[str, float], int]:
        said = cli("data", "filter", "s", "--json", "f.json", *more)
        assert said.code == 0, said.err
        kept = tmp_path / "s" / "judged.jsonl"
        fare = json.loads((tmp_path / "f.json").read_text())["fare"]
        return fare, kept.read_text().count("\n") if kept.exists() else 0

    cli(*SAMPLE, "--n", "1", "--limit", "2", "--out", "s")
    judged = ("--rule", "judge", "--judge", "ruled:overlap")
    plain, once = filtered(), filtered(*judged)
    assert (plain[1], once[1]) == (0, 2)
    assert once[0]["tokens"] > plain[0]["tokens"]
    assert filtered(*judged, "--without", "right") == filtered(*judged, "--audit") == once


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((*SAMPLE, "--temperature", "3"), "temperature"),
        ((*SAMPLE, "--temperature", "nan,-1"), "temperature"),
        ((*SAMPLE, "--temperature", "warm"), "--temperature"),
        ((*SAMPLE, "--thoughts", "foo"), "ask.thoughts"),
        ((*SAMPLE, "--agent", "nobody"), "unknown agent"),
        ((*SAMPLE, "--setting", "nonsense"), "another --setting"),
        ((*SAMPLE, "--model", "nosuch:model"), "write provider:model"),
        (("data", "sample", "missing.jsonl"), "missing.jsonl"),
        (("data", "filter", "."), "holds no runs"),
        (("data", "filter", ".", "--rule", "nonsense"), "unknown rule"),
        (("data", "export", "."), "webfarer data filter"),
        (("data", "export", ".", "--to", "nonsense"), "unknown format"),
        (("data", "select", "."), "webfarer data filter"),
        (("data", "make", "nonsense"), "unknown synth"),
        (("data", "make", "webnav", "--hops", "2"), "leave out --hops: webnav reads none of --hops, --quota, --from"),
        (("data", "make", "crawlqa", "--quota", "single:1/1/1"), "leave out --quota: crawlqa reads --hops"),
        (("data", "make", "masked", "--from", "q.jsonl"), "leave out --from: masked reads --hops"),
        (("data", "split", "missing.jsonl"), "missing.jsonl"),
        (("data", "page", "missing.jsonl"), "missing.jsonl"),
        (("data", "review", "missing.jsonl"), "missing.jsonl"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_written(cli, tmp_path, args, words):
    if args[2] == "q.jsonl":
        (tmp_path / "q.jsonl").write_text('{"question": "Who?", "answer": "Ada", "gold": [], "evidence": []}\n')
    before = set(tmp_path.iterdir())
    said = cli(*args)
    assert said.code == 2
    assert words in said.err
    assert set(tmp_path.iterdir()) == before
