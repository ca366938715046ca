"""`webfarer train star`, as a study of the released program's defects."""

import json

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STAR = ("train", "star", "facts", "--labels", 4, "--rounds", 1, "--size", 12, "--held-out", 4, "--epochs", 1)


def test_the_released_program_is_compared_with_the_papers_maths(cli, tmp_path):
    out, report = tmp_path / "out", tmp_path / "star.json"
    said = cli(*STAR, "--released", "all", "--out", out, "--json", report)
    assert said.code == 0, said.err
    names = ["star", "star released:leak+scale+dropout+decay"]
    found = json.loads(report.read_text())
    assert list(found["runs"]) == [row["arm"] for row in found["curves"]] == names
    assert [(row["arm"], row["round"]) for row in found["overlaps"]] == [(name, 1) for name in names]
    assert all(0 <= row["overlap"] <= 1 for row in found["overlaps"])
    assert "| arm | round | overlap | simulated |" in said.out


def test_a_defect_that_is_none_is_named(cli, tmp_path):
    said = cli(*STAR, "--released", "typo", "--out", tmp_path)
    assert said.code != 0
    assert "no defect typo; known: leak, scale, dropout, decay, or all" in said.err
