"""Scorers of short answers: cases computed by hand, the published definitions, and tricks."""

import pytest
from scorer_kit import right, values

WIDE = "".join(chr(ord(sign) + 0xFEE0) for sign in "1234")


@pytest.mark.parametrize(
    ("said", "truth", "same"),
    [
        ("The Eiffel Tower!", "eiffel tower", True),
        ("An apple a day", "apple day", True),
        (f"Room {WIDE}", "room 1234", True),
        ("北京大学。", "北京大学", True),
        ("Eiffel", "eiffel tower", False),
        ("", "the", False),
        ("?", "!", False),
        ("C++", "c++", True),
        (None, "x", False),
        ("1.5", "15", True),  # as published: the point is punctuation
    ],
)
def test_exact(said, truth, same):
    assert right("exact", said, truth) is same


def test_exact_takes_any_accepted_form():
    assert right("exact", "NYC", "New York City", forms=("New York City", "NYC"))


@pytest.mark.parametrize(
    ("said", "truth", "f1", "precision", "recall"),
    [
        ("New York City", "New York", 0.8, 2 / 3, 1.0),
        ("the cat cat sat", "cat cat mat mat", 4 / 7, 2 / 3, 0.5),
        ("北京大学", "北京", 2 / 3, 0.5, 1.0),
        ("在 Berlin", "Berlin", 2 / 3, 0.5, 1.0),
        ("dog", "cat", 0.0, 0.0, 0.0),
        ("", "cat", 0.0, 0.0, 0.0),
        (None, "cat", 0.0, 0.0, 0.0),
    ],
)
def test_token_f1(said, truth, f1, precision, recall):
    found = values("token_f1", said, truth)
    assert (found["f1"], found["precision"], found["recall"]) == pytest.approx((f1, precision, recall))
    assert found["exact"] == 0.0


@pytest.mark.parametrize(
    ("said", "truth", "official", "lenient"),
    [
        # numbers: $ % , are dropped from the answer
        ("$1,234%", "1234", True, True),
        ("1234.0", "1234", True, True),
        ("1234 km", "1234", False, True),
        (f"{WIDE} 人", "1234", False, True),
        ("１７", "17", True, True),  # Python's float reads full-width digits
        ("１７％", "17", False, True),
        ("17 thousand", "17", False, False),
        ("-17", "17", False, False),
        ("1.2万", "12000", False, True),
        ("17", "17 km", False, True),
        ("17 m", "17 km", False, False),
        ("17000 m", "17 km", False, True),
        ("€17", "$17", False, False),
        # strings: white space, case and punctuation do not matter
        ("Sea gull", "seagull", True, True),
        ("St. Petersburg", "st petersburg", True, True),
        ("seagulls", "seagull", False, False),
        ("北 京", "北京", True, True),
        # lists: the same order, the same length
        ("red, green", "red,green", True, True),
        ("green, red", "red, green", False, False),
        ("red; 4", "red, 4.0", True, True),
        ("red, green, blue", "red, green", False, False),
        ("红，绿", "红、绿", False, True),
        ("3,5", "3, 5", True, True),
        # dates
        ("16 April 2025", "2025-04-16", False, True),
        ("2025年4月16日", "April 16, 2025", False, True),
        ("二〇二五年四月十六日", "16th of April 2025", False, True),
        ("2025-04-17", "April 16, 2025", False, False),
        ("3/4/2025", "April 3, 2025", False, False),  # or the fourth of March
        ("Thinking…\nFINAL ANSWER: **Paris**", "paris", True, True),
        ("最终答案：巴黎", "巴黎", True, True),
        ("", "x", False, False),
        ("", "?", False, False),
        (None, "x", False, False),
        ("inf", "1234", False, False),
        # a mark between digits is part of what they say, and a list is compared with lists only
        ("1-2", "12", False, False),
        ("1/2", "12", False, False),
        ("1, 2", "12", False, False),
        ("12, 3", "1, 23", False, False),
        ("3-0", "30", False, False),
        ("1:30", "130", False, False),
        ("1 0", "10", False, False),
        ("3.5", "3,5", False, False),
        ("1-2", "1.2", False, False),
        ("ab", "a, b", False, False),
        ("2025-0416", "April 16, 2025", False, False),
        ("1990–95", "1990-95", False, True),
        ("1 234 567 people", "1,234,567 people", False, True),
        ("555 123 4567", "555-123-4567", True, True),
        ("2,", "2", True, True),
        ("13800138001", "13800138000", False, False),
        ("九" * 400 + "年", "九年", False, False),
        ("nan", "nan", True, True),
    ],
)
def test_quasi_exact(said, truth, official, lenient):
    found = values("quasi_exact", said, truth)
    assert (found["official"] == 1.0, found["correct"] == 1.0) == (official, lenient)


@pytest.mark.parametrize(
    ("said", "item", "found"),
    [
        ("It opens at 08:40 in F166.", {"parts": ("08:40", "F166")}, True),
        ("It opens at 08:40.", {"parts": ("08:40", "F166")}, False),
        ("On 16 April 2025, in Ｆ１６６.", {"parts": ("2025年4月16日", "F166")}, True),
        ("By 2025-04-16.", {"truth": "April 16"}, True),
        ("NYC", {"truth": "New York", "forms": ("New York", "NYC")}, True),
        ("12 " + "and so on " * 30, {"truth": "12"}, False),
        ("There are 112.", {"truth": "12"}, False),
        ("", {"truth": ""}, False),
        ("anything", {"truth": ""}, False),
        ("", {"truth": "?!"}, False),
        (None, {"truth": "12"}, False),
    ],
)
def test_named(said, item, found):
    assert right("named", said, **item) is found
    assert "misled" not in values("named", said, **item)


@pytest.mark.parametrize(
    ("said", "truth", "found"),
    [
        ("It has 5.", "5", True),
        ("- 5", "5", True),
        ("5 floors, 12 m high", "12", True),
        ("5.5", "5", False),
        ("1,5", "5", False),
        ("1,5", "1", False),
        ("-5", "5", False),
        ("5", "-5", False),
        ("12:30", "12", False),
        ("5/6", "5", False),
        ("5k", "5", False),
        ("the 12th", "12", False),
        ("1200", "1,200", True),
        ("about 1,200 people", "1200", True),
        ("4 May 2020", "2020", True),
        ("2020-05-04", "2020", True),
        ("二〇二〇年", "2020", True),
        ("7 rooms since April 2020", "4", False),
        ("5 stops over 8 km", "5 km", False),
        ("5000 m", "5 km", True),
        ("$5", "5 €", False),
        ("91 employees", "91 MB", False),
        ("91", "91 MB", True),
        ("12，15", "15", True),
        ("1,430 words", "430 words", False),
        ("5.5 apples", "5 apples", False),
        ("EUR 676000", "EUR 676,000", True),
        ("the 1,200 students", "1200 students", True),
        ("2:12:40", "12:40", False),
        ("at 12:40.", "12:40", True),
        ("一", "一", True),
        ("yes", "yes", True),
        ("no, not yes", "yes", False),
        ("Yes, not no.", "No", False),
        ("Not known", "no", False),
    ],
)
def test_numbers_are_named_whole_and_yes_without_no(said, truth, found):
    assert right("named", said, truth) is found
    assert right("needle", said, truth) is found


def test_who_names_a_wrong_value_is_misled():
    data = {"wrong": ["March 3"]}
    assert values("named", "2 March or 3 March", "March 2", data=data) == {"correct": 0.0, "misled": 1.0}
    assert values("named", "2 March. " + "word " * 150, "March 2", data=data) == {"correct": 1.0, "misled": 0.0}
    assert values("named", "2 March. " + "word " * 300, "March 2", data=data)["correct"] == 0.0


@pytest.mark.parametrize(
    ("said", "truth", "item", "same"),
    [
        ("1,234 km", "1234 km", {}, True),
        ("It is 1.234 km long.", "1234 m", {}, True),
        ("约３.５万人", "35000", {}, True),
        ("一共二十一名", "21", {}, True),
        ("1亿2000万", "120 million", {}, True),
        ("In 2020 there were 3.5 million people.", "3500000", {}, True),
        ("On 4 May 2021 it had 12 floors.", "12", {}, True),
        ("In April 2021 it had 12 floors.", "12", {}, True),
        ("Founded in 1954", "1954", {}, True),
        ("3 or 4", "4", {}, False),
        ("between 1 and 100", "100", {}, False),
        ("about 103", "100", {"data": {"tolerance": 0.05}}, True),
        ("about 106", "100", {"data": {"tolerance": 0.05}}, False),
        ("-5", "5", {}, False),
        ("5 %", "5 €", {}, False),
        ("20 °C", "20", {}, True),
        ("none", "0", {}, False),
        ("", "0", {}, False),
        (None, "0", {}, False),
        ("5", "five", {}, False),
        ("9" * 5000, "9", {}, False),
        ("1", "1/2", {}, False),
        ("It opens at 10:30 and has 12 rooms", "12", {}, True),
        ("- 12 rooms", "12", {}, True),
        ("the 5th", "5", {}, False),
    ],
)
def test_numeric(said, truth, item, same):
    assert right("numeric", said, truth, **item) is same


@pytest.mark.parametrize(
    ("said", "truth", "parts", "correct", "precision", "recall"),
    [
        ("blue, red and green", "red, green, blue", (), 1, 1, 1),
        ("The colours are: green, red.", "red, green", (), 1, 1, 1),
        ("1. red\n2. green", "green; red", (), 1, 1, 1),
        ('["green", "red"]', "red, green", (), 1, 1, 1),
        ("绿、红和蓝", "红，绿，蓝", (), 1, 1, 1),
        ("Chile, Trinidad and Tobago", "", ("Trinidad and Tobago", "Chile"), 1, 1, 1),
        ("2025年4月16日, ３", "", ("3.0", "16 April 2025"), 1, 1, 1),
        ("1,234, 5", "", ("5", "1234"), 1, 1, 1),
        ("red, red", "red, green", (), 0, 0.5, 0.5),
        ("red, green, blue", "red, green", (), 0, 2 / 3, 1),
        ("red", "red, green", (), 0, 1, 0.5),
        ("", "red, green", (), 0, 0, 0),
        (None, "red", (), 0, 0, 0),
        ("red", "", (), 0, 0, 0),
        ("1/2, 3", "", ("12", "3"), 0, 0.5, 0.5),
        ("red, green" + " " * 50_000 + ", blue", "red, green", (), 0, 0, 0),
    ],
)
def test_list_match(said, truth, parts, correct, precision, recall):
    found = values("list_match", said, truth, parts=parts)
    assert (found["correct"], found["precision"], found["recall"]) == pytest.approx((correct, precision, recall))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Linux; Linus", True),
        ("The first is Linux, the second Linus.", True),
        ("Linus; Linux", False),
        ("Linux", False),
    ],
)
def test_parts_that_have_an_order_are_named_in_it(said, found):
    assert right("named", said, "", parts=("Linux", "Linus"), data={"ordered": True}) is found
