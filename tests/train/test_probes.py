"""Probes: figures of recorded rounds against sums done by hand, and a page that says what they say."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from webfarer.data.log import read_log
from webfarer.train.calibration import calibration
from webfarer.train.probes import calibrations, differences, gaps, page, verdicts
from webfarer.train.rounds import ROUNDS, Record


def record(number: int, sure: float, right: int, unsure: tuple[float, float] | None = None) -> Record:
    """A round of ten labels, after which ten answers are each so sure, and so many right."""
    return Record(
        number=number,
        items=tuple(f"{number}-{place}" for place in range(10)),
        labels=10 * (number + 1),
        examined=calibration([sure] * 10, [place < right for place in range(10)]),
        unsure=dict(zip(("base", "adapted"), unsure, strict=True)) if unsure else {},
    )


PLAIN = [
    [record(0, 0.9, 5), record(1, 0.9, 6, (2.0, 0.5))],
    [record(0, 0.8, 5), record(1, 0.9, 7, (1.0, 0.7))],
]
HELD = [[record(0, 0.6, 5), record(1, 0.7, 6)], [record(0, 0.6, 5), record(1, 0.8, 7)]]
ARMS = {"lora": PLAIN, "constrained": HELD}


def test_the_gap_is_that_of_the_model_that_was_asked() -> None:
    assert gaps(ARMS) == [
        {"trained as": "lora", "labels": 10, "runs": 2, "base": 1.5, "adapted": 0.6, "gap": -0.9, "gap ±": 0.6}
    ]


def test_calibration_by_labels_is_the_mean_of_the_runs() -> None:
    rows = calibrations(ARMS)
    assert [(row["trained as"], row["labels"]) for row in rows] == [
        ("lora", 10),
        ("lora", 20),
        ("constrained", 10),
        ("constrained", 20),
    ]
    assert (rows[0]["ece"], rows[0]["ece ±"]) == (0.35, 0.05)
    assert (rows[1]["accuracy"], rows[1]["confidence"], rows[1]["ece"]) == (0.65, 0.9, 0.25)
    assert rows[1]["brier"] == pytest.approx((0.6 * 0.01 + 0.4 * 0.81 + 0.7 * 0.01 + 0.3 * 0.81) / 2)


def test_differences_are_taken_run_by_run() -> None:
    rows = differences(ARMS)
    assert [row["trained as"] for row in rows] == ["constrained − lora"] * 2
    assert (rows[1]["ece"], rows[1]["ece ±"]) == (-0.15, 0.05)  # 0.1 - 0.3 and 0.1 - 0.2
    assert (rows[1]["accuracy"], rows[1]["accuracy ±"]) == (0, 0)


def test_a_run_or_a_round_without_its_like_is_left_out() -> None:
    assert differences({"lora": PLAIN[:1], "constrained": [HELD[0][1:], HELD[1]]}) == [
        row | {"runs": 1} for row in differences({"lora": [PLAIN[0][1:]], "constrained": [HELD[0]]})
    ]
    assert differences({"lora": PLAIN}) == differences({}) == verdicts({"lora": PLAIN}) == []


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (PLAIN, HELD, "calibration error lower (-0.150 ± 0.050), accuracy as before (+0.000 ± 0.000)"),
        (HELD, PLAIN, "calibration error higher (+0.150 ± 0.050), accuracy as before"),
        (PLAIN[:1], HELD[:1], "calibration error -0.200, of a single run, accuracy +0.000, of a single run"),
        (PLAIN, [HELD[0], PLAIN[1]], "calibration error lower (-0.100 ± 0.100)"),
        (PLAIN, [HELD[0], [record(0, 0.9, 5), record(1, 1.0, 7)]], "calibration error as before (-0.050 ± 0.150)"),
    ],
)
def test_the_verdict_says_where_it_does_not_help(one, other, said: str) -> None:
    (verdict,) = verdicts({"one": one, "other": other})
    assert said in verdict


class Page(HTMLParser):
    """Counts what a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)


def test_the_page_shows_both_probes_and_runs_nothing() -> None:
    text = page("Plain <b>against</b> constrained", ARMS)
    made = Page(text)
    assert made.open == []
    assert "script" not in made.seen
    assert "b" not in made.seen
    assert made.seen.count("svg") == 6
    assert made.seen.count("table") == 3
    assert verdicts(ARMS)[0] in text
    assert text == page("Plain <b>against</b> constrained", ARMS)


def test_a_page_of_nothing_recorded_says_so() -> None:
    bare = [[each.model_copy(update={"examined": None, "unsure": {}}) for each in PLAIN[0]]]
    text = page("Nothing", {"lora": bare, "none": []})
    assert Page(text).seen.count("svg") == 0
    assert "No round recorded it." in text
    assert "No round was examined." in text


def test_rounds_come_back_from_their_file(tmp_path: Path) -> None:
    (tmp_path / ROUNDS).write_text("".join(f"{each.model_dump_json()}\n" for each in PLAIN[1]))
    assert page("", {"lora": [read_log(tmp_path / ROUNDS, Record)]}) == page("", {"lora": [PLAIN[1]]})
