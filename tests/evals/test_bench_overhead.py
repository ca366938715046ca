"""The overhead benchmark at its smallest: what it counts, not how fast this machine is."""

import io

import pytest
from rich.console import Console

from webfarer.evals.bench import run_bench
from webfarer.evals.benches import _overhead_reading as reading
from webfarer.evals.benches._overhead_walks import memory_row, step_rows


async def test_steps_are_taken_by_all_kinds_of_walks():
    rows = await step_rows(steps=3, rounds=1)
    assert [(row["policy"], row["trace"]) for row in rows] == [
        ("chat, scripted model", "memory"),
        ("chat, scripted model", "file"),
        ("lexical", "memory"),
    ]
    assert all(0 < row["least"] <= row["cpu_ms_per_step"] <= row["most"] for row in rows)


@pytest.mark.slow
async def test_memory_is_counted_between_batches():
    row = await memory_row(walks=2)
    assert row["walks"] == 2
    assert row["held_kb_after_1"] > 0


def test_reading_takes_turns_and_names_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_markdownify", lambda: None)
    monkeypatch.setattr(reading, "_trafilatura", lambda: lambda body: body.decode()[:10])
    (tmp_path / "page.html").write_text("<p>A page of documentation that says nothing much at all.</p>")
    rows = reading.reading_rows(tmp_path, count=4, rounds=2)
    sides = [(row["pages"], row["reader"]) for row in rows]
    assert sides == [
        (kind, side)
        for kind in ("generated", "documentation")
        for side in ("webfarer", "trafilatura", "markdownify (not installed)")
    ]
    assert [row["n"] for row in rows] == [4, 4, 4, 1, 1, 1]
    assert rows[0]["webfarer_is_faster"] == 1
    assert rows[1]["out_kb_per_page"] == 0.0


def test_a_reader_that_breaks_on_a_page_is_counted():
    def endless(body: bytes) -> str:
        return endless(body)

    assert reading._timed(endless, b"<p>").chars is None


@pytest.mark.slow
def test_the_whole_benchmark(tmp_path):
    options = {"steps": 2, "rounds": 1, "walks": 2, "latency": 0.01, "slow_latency": 0.02, "pages": 2}
    path = tmp_path / "overhead.json"
    report = run_bench("overhead", {**options, "sites": str(tmp_path)}, path, Console(file=io.StringIO()))
    crowds = [row for row in report.rows if row["table"] == "Many walks at once"]
    assert [(row["walks"], row["calls"]) for row in crowds] == [(2, 24), (2, 24)]
    assert all(0 < row["of_ideal"] <= 1 for row in crowds)
    assert all(row["ceiling_s"] > 0 and row["of_ceiling"] > 0 for row in crowds)
    assert "of the bare client at 10 ms" in report.headline
