"""The bench of learning from few labels: what it makes of a study's figures; the studies are the command's own."""

from pathlib import Path

from webfarer.evals.benches._star_figure import draw
from webfarer.evals.benches.star import Options, _curves, _headline, _rows, _works


def _found() -> dict[str, object]:
    def record(labels: int, accuracy: float) -> dict[str, object]:
        return {"labels": labels, "examined": {"accuracy": {"mean": accuracy}, "ece": {"mean": 0.2}}}

    figures = {"area": 0.5, "over_first": 0.1, "accuracy_at_end": 0.6, "accuracy_over_first": 0.1}
    figures |= {"ece_at_end": 0.2, "ece_over_first": -0.05, "brier_over_first": 0.0}
    errors = {f"{name}_se": 0.01 for name in figures}
    runs = [[record(10, 0.2), record(20, 0.4)], [record(10, 0.4), record(20, 0.8)]]
    names = ("random", "pe", "star")
    return {
        "curves": [{"arm": name, "seeds": 2, **figures, **errors} for name in names],
        "runs": dict.fromkeys(names, runs),
    }


def test_rows_hold_means_by_round() -> None:
    rows = _rows(_found())
    assert [row["arm"] for row in rows] == ["random", "pe", "star"]
    assert rows[1]["over first"] == "+0.100 ± 0.010"
    assert rows[1]["ece over"] == "-0.050 ± 0.010"
    assert rows[1]["accuracy by round"] == "0.30 0.60"


def test_the_headline_names_pickers_and_no_way_to_train() -> None:
    told = _headline({"facts, skewed": _rows(_found()), "facts, even: ways to train": _rows(_found())})
    assert told.count("star +0.100 ± 0.010") == 1
    assert "ways to train" not in told


def test_every_pool_is_learnt_skewed_and_even_under_a_title_of_its_own() -> None:
    works = list(_works(Options(pools=("facts", "links"))))
    assert len({work.title for work in works}) == len(works) == 7
    assert {(work.pool, work.skew > 0) for work in works} == {(p, s) for p in ("facts", "links") for s in (True, False)}


def test_the_figure_has_a_line_for_every_arm(tmp_path: Path) -> None:
    curves = _curves(_found())
    assert curves["pe"] == [(10, 0.30000000000000004), (20, 0.6000000000000001)]
    drawn = draw(tmp_path / "plots", {"facts": curves, "two arms": dict(list(curves.items())[:2])}).read_text()
    assert drawn.count("accuracy") == 1
    assert all(name in drawn for name in curves)
