"""Final answers: the same number, letter or word is the same, however it is written; another one never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.train.pool import MARKER, Label, PoolItem, admitted, final_answer

NUMBERS = st.integers(-(10**7), 10**7)


@given(NUMBERS, NUMBERS)
def test_numbers_are_the_same_with_commas_marker_and_full_stop_and_differ_by_value(one, other):
    written = f"{one} is what is left\n{MARKER}  {one:,}."
    assert final_answer(written) == final_answer(f"{one}") == final_answer(f"FINAL ANSWER: {one}")
    assert (final_answer(written) == final_answer(f"{other}")) is (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 + 2 = 4 #### 4", "#### 4."),
        ("Yes.", " yes "),
        ("so #### B", "b"),
        ("so\n#### New York", "new  york"),
        ("-5", "\u22125"),
        ("- 5", "5"),
        ("**A**", "a"),
        ("3/4", "#### 3/4."),
        ("-$5", "\u2212 $5"),
    ],
)
def test_what_is_written_otherwise_is_the_same(one, other):
    assert final_answer(one) == final_answer(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *[("yes", "no"), ("a", "b"), ("7.5", "75"), ("5", "-5"), ("yes no", "yes"), ("3 + 4 = 7", "7"), ("", "yes")],
        *[
            ("C#", "C"),
            ("10%", "10"),
            ("A*", "A"),
            ("a/b", "ab"),
            ("x = -5", "x = 5"),
            ("3/4", "3-4"),
            ("#### -3", "3"),
        ],
    ],
)
def test_what_is_another_answer_differs(one, other):
    assert final_answer(one) != final_answer(other)


@pytest.mark.parametrize(
    ("text", "choices", "meant"),
    [
        ("Yes.", ("yes", "no"), "yes"),
        ("so #### B", ("A", "B"), "B"),
        ("C", ("C", "C#"), "C"),
        ("c#.", ("C", "C#"), "C#"),
        ("- 5", ("5", "-5"), "5"),
        ("#### B", ("B", "b"), "B"),
        ("because #### 1", ("because #### 0", "because #### 1"), "because #### 1"),
    ],
)
def test_a_choice_is_found_by_its_words_or_by_what_it_says(text, choices, meant):
    assert final_answer(text, choices) == meant
    assert admitted(PoolItem(id="q", prompt="q", choices=choices), text) == meant


@given(st.lists(st.text(min_size=1).map(str.strip).filter(bool), min_size=1, unique=True))
def test_every_choice_is_itself(choices):
    item = PoolItem(id="q", prompt="q", choices=choices)
    assert all(final_answer(choice, item.choices) == choice for choice in item.choices)
    assert all(admitted(item, f" {choice} ") == choice for choice in item.choices)


def test_what_is_none_of_the_choices_is_no_answer_and_texts_are_composed():
    item = PoolItem(id="q", prompt="q", choices=("cafe\u0301", "tea"))
    assert admitted(item, "caf\u00e9") == admitted(item, "cafe\u0301") == item.choices[0] == "caf\u00e9"
    assert admitted(item, "milk") == admitted(item, " ") == admitted(PoolItem(id="q", prompt="q"), " ") == ""
    assert Label(item="q", answer="cafe\u0301", by="ann").answer == "caf\u00e9"
