"""Scorers of particular sets: tables, ratings, labels, ROUGE, long outputs, needles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scorer_kit import marks, right, values

from webfarer.core.errors import ConfigError
from webfarer.evals.scorer import SCORERS
from webfarer.evals.scorers._tables import best_table
from webfarer.evals.scorers.long_answers import answers
from webfarer.evals.scorers.rouge import common_subsequence, overlap

TABLE = {
    "columns": ["University", "City", "Students"],
    "key": ["University"],
    "rows": [["Alpha", "Rome", "12,000"], ["Beta", "Oslo", "800"]],
}
WHOLE = """Here it is:

| Students | university | City |
| --- | :---: | --- |
| 800 | **Beta** | Oslo |
| １２０００ | Alpha | Rome |
"""


def table(text, **data):
    return values("table", text, data=TABLE | data)


def test_a_table_in_any_order_of_rows_and_columns_is_right():
    assert set(table(WHOLE).values()) == {1.0}
    assert set(table('```csv\nUniversity,City,Students\nBeta,Oslo,800\nAlpha,Rome,"12,000"\n```').values()) == {1.0}


def test_a_table_by_hand():
    # three rows given, one cell wrong, one row not in the reference: 5 of 9 cells, 1 of 3 rows
    found = table(WHOLE.replace("Oslo", "Bergen") + "| 5 | Gamma | Bern |\n")
    assert found["correct"] == 0.0
    assert (found["item_precision"], found["item_recall"]) == pytest.approx((5 / 9, 5 / 6))
    assert (found["row_precision"], found["row_recall"], found["row_f1"]) == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    assert found["item_f1"] == pytest.approx(2 * 5 / 15)


def test_rows_given_twice_count_once_and_a_missing_column_is_wrong():
    assert set(table(WHOLE + "| 800 | Beta | Oslo |\n").values()) == {1.0}
    found = table("| University | City |\n|---|---|\n| Alpha | Rome |\n| Beta | Oslo |")
    assert (found["item_precision"], found["item_recall"], found["row_f1"]) == pytest.approx((4 / 6, 4 / 6, 0))


def test_a_second_row_that_contradicts_the_first_counts_as_another_row():
    found = table(WHOLE + "| 900 | Beta | Oslo |\n")
    assert (found["correct"], found["row_recall"], found["row_precision"]) == pytest.approx((0, 1, 2 / 3))
    assert found["item_precision"] == pytest.approx(6 / 9)
    assert table(WHOLE.replace("| 800", "| 900 | Beta | Oslo |\n| 800"))["row_recall"] == 0.5  # the first counts


def test_a_key_with_a_mark_between_its_digits_is_another_key():
    text = "| University | City | Students |\n|-|-|-|\n| {} | Rome | 1 |"
    assert table(text.format("12"), rows=[["12", "Rome", "1"]])["correct"] == 1.0
    assert set(table(text.format("1-2"), rows=[["12", "Rome", "1"]]).values()) == {0.0}


def test_a_line_of_dashes_after_the_head_is_a_row():
    assert best_table("| a | b |\n|-|-|\n|-|-|\n| 1 | 2 |\n| 3 | 4 |", ["-"])[0] == {"a": "-", "b": "-"}


def test_addresses_that_cannot_be_read_are_compared_as_they_are():
    data = {"rules": {"City": {"metric": ["url_match"]}}, "rows": [["A", "https://[one", "1"]]}
    text = "| University | City | Students |\n|-|-|-|\n| A | https://[{} | 1 |"
    assert table(text.format("one"), **data)["correct"] == 1.0
    assert table(text.format("two"), **data)["correct"] == 0.0


def test_an_empty_cell_is_right_where_the_reference_is_empty():
    rows = [["Alpha", "", "1"]]
    assert table("| University | City | Students |\n|-|-|-|\n| Alpha | | 1 |", rows=rows)["correct"] == 1.0
    assert table("| University | City | Students |\n|-|-|-|\n| Alpha | x | 1 |", rows=rows)["correct"] == 0.0


@pytest.mark.parametrize(
    "text", ["", None, "no table", "| a |\n|---|", "|---|", "| a | b |\n| 1 | 2 |", "```csv\n\n```"]
)
def test_no_table_scores_nothing(text):
    assert set(table(text).values()) == {0.0}


def test_published_rules_for_a_column():
    near = {"rules": {"Students": {"metric": ["number_near"], "criterion": 0.1}}}
    assert table(WHOLE.replace("800", "860"), **near)["correct"] == 1.0
    assert table(WHOLE.replace("800", "900"), **near)["correct"] == 0.0
    hosts = {"rules": {"City": {"metric": ["url_match"]}}, "rows": [["A", "https://x.test/one", "1"]]}
    text = "| University | City | Students |\n|-|-|-|\n| A | see [x](https://x.test/two) | 1 |"
    assert table(text, **hosts)["correct"] == 1.0
    assert table(text.replace("x.test", "y.test"), **hosts)["correct"] == 0.0


def test_of_several_tables_the_one_with_the_columns_is_read():
    other = "| Step | Done |\n|---|---|\n| 1 | yes |\n| 2 | yes |\n| 3 | yes |\n\n"
    assert table(other + WHOLE)["correct"] == 1.0


def test_a_criterion_for_a_judge_is_no_tolerance():
    rules = {"Students": {"metric": ["llm_judge", "number_near"], "criterion": "about the same"}}
    assert table(WHOLE.replace("800", "830"), rules=rules)["correct"] == 1.0


def test_an_item_without_a_table_is_an_error():
    for data in ({}, TABLE | {"key": ["Country"]}, TABLE | {"rows": []}, TABLE | {"rows": [["A"]]}):
        with pytest.raises(ConfigError, match="table"):
            values("table", "x", data=data)


@pytest.mark.parametrize(
    ("said", "gold", "error"),
    [("4", "5", 1), (" 5.0\n", "5", 0), ("great", "5", 4), ("great", "2", 3), ("great", "3", 2), ("", "1", 4),
     (None, "4", 3), ("nan", "5", 4), ("inf", "5", 4), ("1e300", "5", 4), ("7", "5", 2)],
)  # fmt: skip
def test_ratings(said, gold, error):
    assert values("error", said, gold) == {"mae": error, "rmse": error}


def test_a_tie_of_both_ends_goes_to_the_upper():
    assert marks("error", "great", "3").detail == {"read": 5.0}
    assert values("error", "x", "2", data={"range": [0, 10]}) == {"mae": 8, "rmse": 8}


def test_errors_part_in_the_total():
    total = SCORERS.load("error").total([{"mae": error, "rmse": error} for error in (0.0, 1.0, 4.0)])
    assert total == pytest.approx({"mae": 5 / 3, "rmse": math.sqrt(17 / 3)})
    assert SCORERS.load("error").total([]) == {}


def test_labels_by_hand():
    labels = {"data": {"labels": ["a", "b", "c"]}}
    pairs = [("a", "a"), ("a", "b"), ("b", "b"), ("A", "a"), (None, "b")]
    each = [values("labels", said, true, **labels) for said, true in pairs]
    total = SCORERS.load("labels").total(each)
    # a: 1 hit, given 2, right 2; b: 1 hit, given 1, right 3; c never: F1 1/2, 1/2, 0
    assert total == pytest.approx({"accuracy": 2 / 5, "f1": 1 / 3})
    assert SCORERS.load("labels").total([]) == {}


def test_a_reference_that_is_no_label_is_an_error():
    with pytest.raises(ConfigError, match="none of its 2 labels"):
        values("labels", "x", "x", data={"labels": ["a", "b"]})


@pytest.mark.parametrize(
    ("said", "truth", "one", "longest"),
    [
        # the package's own example: 3 of 3 and 3 of 4 words; in order, 2
        ("the cat sat", "the cat sat down", 6 / 7, 6 / 7),
        ("sat cat the", "the cat sat down", 6 / 7, 2 / 7),
        ("police killed the gunman", "police kill the gunman", 3 / 4, 3 / 4),  # Lin 2004
        ("the gunman kill police", "police kill the gunman", 1, 1 / 2),  # Lin 2004
        ("Re-use: it's", "re use it s", 1, 1),
        ("北京大学", "北京", 2 / 3, 2 / 3),
        ("", "x", 0, 0),
        ("?", "?", 0, 0),
    ],
)
def test_rouge(said, truth, one, longest):
    found = overlap(said, truth)
    assert (found["rouge_1"], found["rouge_l"]) == pytest.approx((one, longest))


def test_stemming_is_of_words_of_more_than_three_letters():
    found = overlap("police killed the gunmen", "police killing the gunmen")
    assert (found["rouge_1"], found["rouge_1_stemmed"]) == (0.75, 1.0)
    assert overlap("the ties", "the tie")["rouge_1_stemmed"] == 0.5  # "ties" → "ti", and "tie" stays


def test_rouge_takes_the_best_form_and_bears_long_answers():
    assert values("rouge", "red", forms=("blue", "red"))["rouge_l"] == 1.0
    assert values("rouge", "word " * 100_000, "word")["rouge_l"] < 0.01


@given(st.lists(st.sampled_from("ab"), max_size=6), st.lists(st.sampled_from("ab"), max_size=6))
def test_the_longest_common_subsequence(one, other):
    def slow(mine, yours):
        if not mine or not yours:
            return 0
        if mine[0] == yours[0]:
            return 1 + slow(mine[1:], yours[1:])
        return max(slow(mine[1:], yours), slow(mine, yours[1:]))

    assert common_subsequence(one, other) == slow(one, other) == common_subsequence(other, one)


LONG = {"data": {"answers": {"9": "18", "10": "B", "11": "1,200", "12": "3"}}}


def test_long_outputs_are_scored_by_number():
    text = """Answer_9: 9 * 2 = 18. The answer is 18.
**Answer_10:** It barks, so the answer is (B) dog.
Answer_12: The answer is 3
Answer_13: The answer is 5."""
    assert values("long_answers", text, **LONG) == pytest.approx(
        {"accuracy": 3 / 4, "answered": 3 / 4, "by_order": 2 / 4}
    )
    assert marks("long_answers", text, **LONG).detail == {"wrong": [11]}


def test_numbers_of_a_long_output_may_come_in_any_order():
    text = "Answer_12: The answer is $3.00.\nAnswer 9: so the answer is: 18 apples? The answer is 18."
    assert values("long_answers", text, **LONG) == {"accuracy": 0.5, "answered": 0.5, "by_order": 0.0}
    assert answers("Answer_3: no end") == []


def test_a_part_begins_on_the_line_of_its_number():
    assert answers("Answer_9: no end. The answer is\n\n--\n\nAnswer_12: The answer is 3.") == [(9, "--"), (12, "3")]
    assert answers("\n" * 60_000 + "**Answer_9:** The answer is 18.") == [(9, "18")]


def test_two_answers_to_one_question_must_agree():
    text = "Answer_9: The answer is 18.\nAnswer_9: The answer is 19."
    assert values("long_answers", text, **LONG)["accuracy"] == 0.0
    assert values("long_answers", None, **LONG) == {"accuracy": 0, "answered": 0, "by_order": 0}
    with pytest.raises(ConfigError, match="answers"):
        values("long_answers", text)


def test_needles():
    parts = ("amber 17", "琥珀")
    assert values("needle", "One says Amber 17.", parts=parts) == {"correct": 0.0, "share": 0.5}
    assert right("needle", "琥珀，amber 17", parts=parts)
    assert values("needle", "amber 17 琥珀 " + "hay " * 1000, parts=parts) == {"correct": 0.0, "share": 0.0}
    assert right("needle", "It is N.Y.C.", "New York", forms=("New York", "N.Y.C."))
    assert values("needle", None, "x") == {"correct": 0.0, "share": 0.0}
