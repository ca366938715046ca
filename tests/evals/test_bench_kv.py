"""The cache benchmark: what it compares, how it marks and pairs, and what its figures are made of."""

import io
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from webfarer.engine.engine import Engine, Limits
from webfarer.engine.planning import Work, holding
from webfarer.engine.policy import parse
from webfarer.engine.sampling import SamplingParams
from webfarer.engine.shapes import Shape
from webfarer.evals import pupil
from webfarer.evals.bench import run_bench
from webfarer.evals.benches import kv
from webfarer.evals.benches._kv_arms import EQUAL, PILOT, UNIFIED, VARIANTS, Lengths, arms
from webfarer.evals.benches._kv_runs import Meter, Outcome, Paper, Task, Writing, ids, model_in, sheets_of, sit
from webfarer.evals.benches._kv_stats import Sheets
from webfarer.evals.benches._svg import Drawing, Panel, ticks
from webfarer.evals.scoring import Share
from webfarer.worlds.exam import Marks

PUPIL = str(Path(pupil.__file__).with_name("pupils") / "longwork")
PAPER = Paper("recall", sheets=3, size=0.125, seed=1)
SHAPE = Shape(layers=4, heads=4, kv_heads=2, head_dim=32, parameters=1e6, weight_bytes=2e6)


@pytest.fixture(scope="module")
def model():
    return model_in(PUPIL)


@settings(max_examples=10)
@given(prompt=st.integers(80, 400), output=st.integers(100, 500), total=st.sampled_from([0.3, 0.5, 0.7]))
def test_every_policy_of_a_total_holds_as_many_slots(prompt, output, total):
    lengths = Lengths(prompt, prompt + 10, output)
    slots = round(total * (prompt + output))
    work = Work(prompt, output, 1)
    for arm in arms(lengths, (), (total,), rest=True):
        policy = parse(arm.spec)
        if arm.table not in (EQUAL, VARIANTS) or arm.spec == "full" or policy.read is not None:
            continue
        held = holding(SHAPE, work, policy).stored / (SHAPE.layers * SHAPE.kv_heads)
        if arm.name == "prompt only":
            assert held == slots
        elif arm.name in UNIFIED:
            assert held == slots + 1  # the new token is attended to before one goes
        else:
            assert slots - 1 <= held + max(0, int(policy.prompt) - prompt) <= slots + 1, arm


def test_what_is_read_and_the_shares_of_the_pilot_are_as_named():
    found = {
        (arm.table, arm.budget, arm.name): parse(arm.spec)
        for arm in arms(Lengths(200, 200, 300), (0.2, 1.0), (0.5,), rest=True)
    }
    assert found[VARIANTS, 0.5, "tokenselect, as many read"].read == 250
    assert found[PILOT, 0.2, "snapkv"].keep(200, 0, 4) == found[PILOT, 0.2, "random"].keep(200, 0, 4) == 40
    assert found[PILOT, 1.0, "snapkv"].keep(200, 0, 4) == 200
    slide, even = found[EQUAL, 0.5, "scope slide"], found[EQUAL, 0.5, "scope slide, even split"]
    assert (slide.prompt, slide.heavy + slide.recent) == (200, 50)
    assert (even.prompt, even.heavy + even.recent) == (100, 150)


@pytest.mark.slow
def test_the_batch_writes_what_the_engine_writes(model):
    prompts = [ids(model, sheet.prompt) for sheet in sheets_of(PAPER)]
    for spec in ("full", "scope:prompt=20,window=4,heavy=3,recent=3", "h2o:budget=30"):
        together = Writing(model, parse(spec), prompts, 15)
        together.run()
        engine = Engine(model, parse(spec), Limits(rows=1))
        completions = engine.generate(prompts, SamplingParams(max_tokens=15))
        written = [[token for token in completion.ids if token not in model.ends] for completion in completions]
        assert together.outputs == written


def test_meters_count_slots_of_all_heads(model):
    prompts = [ids(model, sheet.prompt) for sheet in sheets_of(PAPER)]
    heads = model.spec.layers * model.spec.kv_heads
    for spec, most in (("full", None), ("h2o:budget=30", 31), ("prefill_only:policy=random,budget=10", None)):
        writing = Writing(model, parse(spec), prompts, 25)
        writing.run()
        for number, prompt in enumerate(prompts):
            meter, output = writing.meters[number], writing.outputs[number]
            seen = len(output) if len(output) < 25 else 24  # the last token is drawn and never read
            kept = 10 if spec.startswith("prefill") else len(prompt)
            assert meter.peak == heads * (most or kept + seen)
            assert meter.evicted == (heads * (len(prompt) + seen - 30) - heads * (len(prompt) - 30) if most else 0)
            assert meter.tokens == len(output)


def test_a_task_is_marked_sheet_by_sheet(model):
    outcome = sit(Task(PUPIL, PAPER, "full"))
    assert [marks.asked for marks in outcome.marks] == [3, 3, 3]
    assert outcome.allocated > 0
    assert sheets_of(PAPER) != sheets_of(Paper("recall", sheets=3, size=0.125, seed=2))


def test_intervals_draw_whole_sheets():
    sheets = Sheets(["a"] * 20 + ["b"] * 10, [10] * 30, seed=1)
    all_or_none = [10, 0] * 15
    found = sheets.accuracy(all_or_none)
    assert (found.hits, found.n, found.share) == (150, 300, 0.5)
    answers = Share.of([True] * 150 + [False] * 150)
    assert found.high - found.low > 2 * (answers.high - answers.low)  # answers of a sheet are no independent trials
    assert sheets.accuracy([5] * 30).low == sheets.accuracy([5] * 30).high == 0.5
    assert sheets.accuracy([10] * 20 + [0] * 10, "b").share == 0
    assert sheets.accuracy([10] * 20 + [0] * 10).low == pytest.approx(2 / 3, abs=1e-4)  # exams keep their weight
    assert Sheets(["a"] * 20 + ["b"] * 10, [10] * 30, seed=1).accuracy(all_or_none) == found


def test_differences_are_paired():
    sheets = Sheets(["a"] * 30, [10] * 30, seed=1)
    base = [number % 10 for number in range(30)]
    better = [right + 1 for right in base]
    found = sheets.difference(better, base)
    assert (found.share, found.low, found.high) == (0.1, 0.1, 0.1)  # however much sheets differ
    assert str(found) == "+10.0 (+10.0 to +10.0)"
    assert str(sheets.difference(base, better)).startswith("-10.0")


def outcome(right, peak, tokens=100):
    marks = tuple(Marks(right=r, asked=10, by_order=r // 2, answered=10) for r in right)
    meters = tuple(Meter(tokens, peak, peak // 2, 7) for _ in right)
    return Outcome(marks, meters, allocated=5_000_000, seconds=0.5)


@pytest.fixture
def results():
    papers = [Paper("arithmetic", 3, 1.0, 1), Paper("recall", 3, 1.0, 1)]
    chosen = {paper.exam: list(arms(Lengths(200, 200, 300), (1.0, 0.2), (0.5,), rest=True)) for paper in papers}
    right = {"full": (9, 9, 9), "tova:budget=250": (5, 6, 7), "h2o:budget=250": (1, 2, 3)}
    right[next(arm.spec for arm in chosen["recall"] if arm.name == "scope slide")] = (8, 8, 8)
    done = {
        (exam, arm.spec): outcome(right.get(arm.spec, (0, 0, 0)), 800 if arm.spec == "full" else 400)
        for exam, each in chosen.items()
        for arm in each
    }
    chosen["recall"] = [arm for arm in chosen["recall"] if arm.name != "tokenselect, as many read"]
    return kv._Results(papers, chosen, done, seed=1)


def test_tables_stand_every_policy_beside_the_full_cache_and_h2o(results):
    options = kv.Options(kept=(1.0, 0.2), totals=(0.5,))
    tables = kv._tables(results, options)
    rows = {row["policy"]: row for row in tables[f"{EQUAL}: percent right"]}
    assert rows["full"]["all"].share == 0.9
    assert rows["full"]["minus_h2o"] is None is rows["h2o"]["minus_h2o"]
    assert rows["scope slide"]["minus_full"].share == -0.1
    assert rows["scope slide"]["minus_h2o"].share == 0.6
    assert rows["scope slide"]["recall"].n == 30
    assert rows["scope slide"]["by_order"] == "40 %"
    took = {row["policy"]: row for row in tables[f"{EQUAL}: what it takes"]}
    assert took["h2o"]["cache"] == took["h2o"]["read"] == "50%"
    assert (took["h2o"]["evictions"], took["h2o"]["cache_MB"]) == (7, 5.0)
    assert took["h2o"]["tokens_per_second"] == 600
    pilot = tables[f"{PILOT}: percent right"]
    assert [(row["kept"], row["removed"], row["scopes_GSM8K+"]) for row in pilot] == [
        ("100%", "0%", 42.5),
        ("20%", "80%", 2.7),
    ]
    variants = [row["policy"] for row in tables[f"{VARIANTS}: percent right"]]
    assert "tokenselect, as many read" not in variants  # it was not run on every exam


def test_the_headline_takes_the_best_single_budget(results):
    line = kv._headline(results, kv.Options(totals=(0.5,)))
    assert "n=60 questions on 6 sheets, full cache 90 %" in line
    assert "50% of the cache: 80 %, tova 60 %, difference +20.0" in line


@given(low=st.floats(-1e4, 1e4), width=st.floats(1e-2, 1e5))
def test_ticks_are_round_and_few(low, width):
    found = ticks(low, low + width)
    assert 2 <= len(found) <= 7
    assert all(low - 1e-6 * width <= tick <= low + width + 1e-6 * width for tick in found)


def test_a_drawing_is_a_small_file_of_valid_xml(tmp_path):
    drawing = Drawing(300, 200)
    panel = Panel(drawing, 40, 20, 200, 100, (0, 10), (0, 100))
    panel.axes("a < b", "x & y", "z")
    panel.line([(0, 0), (10, 100)], "#123456", dash="4 3")
    panel.marks([2.5], 0, 50, "#123456")
    drawing.legend(10, 190, [("one", "#123456")])
    drawing.save(tmp_path / "a.svg")
    root = ElementTree.fromstring((tmp_path / "a.svg").read_text())
    assert "a < b – z" in [node.text for node in root]
    assert [node.get("d") for node in root if node.get("stroke-dasharray")] == ["M40.0 120.0L240.0 20.0"]


@pytest.mark.slow
def test_a_quick_run_from_end_to_end(tmp_path):
    options = {"quick": True, "model": PUPIL, "sheets": 2, "size": 0.2, "jobs": 1, "rest": True}
    options |= {"plots": str(tmp_path / "figures"), "exams": "arithmetic,recall"}
    before = torch.get_num_threads()
    report = run_bench("kv", options, tmp_path / "kv.json", Console(file=io.StringIO()))
    torch.set_num_threads(before)
    assert report.n == 4
    assert report.headline.startswith("kv, SCOPE slide")
    by_table: dict[str, set[str]] = {}
    for row in report.rows:
        by_table.setdefault(str(row["table"]), set()).add(str(row.get("policy", row.get("kept"))))
    assert by_table[f"{PILOT}: percent right"] == {"100%", "60%", "20%"}
    assert {"full", "scope slide", "scope adaptive", *UNIFIED} <= by_table[f"{EQUAL}: what it takes"]
    assert "tokenselect, as many read" in by_table[f"{VARIANTS}: percent right"]
    figures = sorted((tmp_path / "figures").glob("*.svg"))
    assert len(figures) == 4
    for figure in figures:
        assert ElementTree.fromstring(figure.read_text()).tag.endswith("svg")
        assert figure.stat().st_size < 60_000
