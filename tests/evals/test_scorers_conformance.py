"""What holds for every scorer, and for the helpers they compare with."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scorer_kit import attempt, claim, finished

from webfarer.evals.matching import alike, f1, iso_dates, key, listed, page_key, paired
from webfarer.evals.quantities import chinese_number, quantities, quantity
from webfarer.evals.scorer import SCORERS
from webfarer.models.scripted import Scripted

YES = json.dumps({"reason": "r", "verdict": "correct"})
URL = "http://site.test/a"
ITEM = {
    "gold": (URL,),
    "data": {
        "columns": ["name"],
        "key": ["name"],
        "rows": [["4"]],
        "labels": ["4", "5"],
        "answers": {"1": "4"},
    },
}
COUNTS = {"steps", "given", "gold", "labels", "mae", "rmse"}  # no shares
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text("0123456789.,;:-+%$ 年月日号一二三十百万亿和andfe|\n\"'[]{}()", max_size=25),
)


def mark(scorer, said, truth="4", **kwargs):
    made = attempt(said, truth, (claim(URL),), (URL,), Scripted([YES] * 3), **{**ITEM, **kwargs})
    return finished(SCORERS.load(scorer).mark(made))


SAID = [None, "", "4", "4 " * 20_000, "\x00\ud800\u202e🦊", "ｔｈｅ ４"]


HOSTILE = [
    *(
        "九" * 400 + "年",
        "九" * 5000,
        "亿" * 60,
        "亿 " * 2000,
        "1e999 e999 9e99",
        "1/0",
        "9" * 5000,
        "[" + "9" * 4400 + "]",
    ),
    *("[" * 900 + "]" * 900, '{"verdict":' * 900, " \n" * 20_000, "- \n" * 5000, "_\n" * 20_000, "|-|\n" * 5000),
    *("0000-00-00 0年0月0日 ²月③日", "\ud800\udfff" * 500, "a, " * 5000, "1万" * 2000, "https://[a", "```csv\n" * 2000),
]
PIECES = [
    "九",
    "万",
    "亿",
    "十",
    "年",
    "月",
    "日",
    "9",
    "1,000",
    ".",
    "e9",
    "/",
    "-",
    ":",
    "%",
    "²",
    "٣",
    "\n",
    "|",
    "|-|",
]
PIECES += [
    "```csv\n",
    '"',
    "[",
    "]",
    "{",
    "}",
    "\ud800",
    " ",
    "yes",
    "no",
    "and ",
    "answer is ",
    "Answer_1:",
    "may ",
    "$",
]


@pytest.mark.parametrize("name", SCORERS.ids())
def test_no_answer_makes_a_scorer_fail(name):
    for said in HOSTILE:
        assert mark(name, said).values.keys() <= set(SCORERS.load(name).metrics)


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 70)), max_size=6), st.sampled_from(SCORERS.ids()))
def test_no_pieces_make_a_scorer_fail(pieces, name):
    said = "".join(piece * times for piece, times in pieces)
    assert mark(name, said).values.keys() <= set(SCORERS.load(name).metrics)


@pytest.mark.parametrize("name", SCORERS.ids())
def test_marks_are_finite_named_and_recordable(name):
    scorer = SCORERS.load(name)
    for said in SAID:
        found = mark(name, said)
        assert found.values.keys() <= set(scorer.metrics)
        json.dumps(dict(found.detail))
        for metric, value in found.values.items():
            assert 0 <= value <= 1 or metric in COUNTS, metric
        total = scorer.total([found.values, found.values])
        assert total.keys() <= set(scorer.metrics)
        both = total.keys() & found.values.keys()
        assert [total[metric] for metric in both] == pytest.approx([found.values[metric] for metric in both])
    assert scorer.total([]) == {}


@pytest.mark.parametrize("name", [name for name in SCORERS.ids() if "correct" in SCORERS.load(name).metrics])
def test_no_answer_is_never_right(name):
    if name != "gold_page":  # asks for pages, not for an answer
        assert mark(name, None).values["correct"] == mark(name, "").values["correct"] == 0.0


@pytest.mark.parametrize("name", ["exact", "quasi_exact", "token_f1", "list_match", "judge"])
@given(truth=TEXTS)
def test_the_reference_itself_is_right(name, truth):
    if any(truth.split(sign) and sign in truth for sign in "：:") and name == "quasi_exact":
        return  # "final answer:" leads in
    decided = mark(name, truth, truth).values
    filled = bool(truth.strip()) if name != "list_match" else bool(listed(truth) or listed(truth, False, False))
    assert next(iter(decided.values())) == float(filled)


@pytest.mark.parametrize("name", ["named", "needle", "recall", "rouge"])
@given(truth=st.from_regex(r"[0-9\u4e00-\u4fff]{1,12}( [a-z0-9]{1,8}){0,3}", fullmatch=True))
def test_words_of_the_reference_are_found_in_it(name, truth):
    assert next(iter(mark(name, truth, truth).values.values())) == 1.0


@given(number=st.one_of(st.integers(-(10**9), 10**9), st.decimals(-9999, 9999, places=2)))
def test_a_number_is_itself_however_it_is_written(number):
    grouped = f"{number:,}"
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in grouped)
    for said in (str(number), grouped, wide, f"{grouped}.", f"about {grouped} km"):
        assert mark("numeric", said, str(number)).values["correct"] == 1.0
        if "about" not in said:
            assert mark("quasi_exact", said, str(number)).values["correct"] == 1.0


@given(TEXTS, TEXTS)
def test_comparing_is_the_same_both_ways(one, other):
    assert alike(one, other) == alike(other, one)
    assert alike(one, one) == bool(one.strip())
    some, others = listed(one), listed(other)
    assert paired(some, others) == paired(others, some) <= min(len(some), len(others))


@given(*[st.lists(st.sampled_from(["5", "5 m", "5 km", "5000 m", "a", "A.", "b"]), max_size=5)] * 2)
def test_as_many_as_can_be_are_paired(some, others):
    def most(left, right):
        if not left:
            return 0
        rest = [
            most(left[1:], right[:n] + right[n + 1 :]) + 1 for n, other in enumerate(right) if alike(left[0], other)
        ]
        return max([most(left[1:], right), *rest])

    assert paired(some, others) == most(some, others)


def test_long_lists_are_paired():
    assert paired(["a"] * 1100, ["a"] * 1100) == 1100


@given(st.dates())
def test_a_date_is_itself_in_every_format(day):
    year = f"{day.year:04}"
    forms = [
        f"{year}-{day.month}-{day.day}",
        f"{year}/{day.month:02}/{day.day:02}",
        f"{year}年{day.month}月{day.day}日",
        f"{day.day} {day:%B} {year}",
        f"{day:%B} {day.day}, {year}",
        f"{day:%b}. {day.day}, {year}",
    ]
    assert {iso_dates(form) for form in forms} == {day.isoformat()}
    assert len({key(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("text", "dated"),
    [
        ("the 3rd of May 1950", "the 1950-05-03"),
        ("3/4/2025", "3/4/2025"),
        ("16/4/2025", "2025-04-16"),
        ("4.16.2025", "2025-04-16"),
        ("2025年4月", "2025-04"),
        ("Sept. 2025", "2025-09"),
        ("十二月五日", "--12-05"),
        ("2025-13-45", "2025-13-45"),
        ("30 February", "30 february"),
        ("marching 5", "marching 5"),
        ("10:30", "10:30"),
    ],
)
def test_dates_that_read_in_one_way_only(text, dated):
    assert iso_dates(text) == dated


@pytest.mark.parametrize(
    ("text", "number", "kind"),
    [
        ("三百二十一", 321, ""),
        ("一万二千", 12_000, ""),
        ("两亿", 2e8, ""),
        ("二〇二五年", 2025, "year"),
        ("3万5千", 35_000, ""),
        ("1.5 million km²", 1.5e6, "area"),
        ("US$5", 5, "usd"),
        ("￥30", 30, "yen_or_yuan"),
        ("−40 ℃", -40, "celsius"),
        ("1e3", 1000, ""),
        ("12 Monkeys", None, None),
        ("1,23", None, None),
        ("10:30", None, None),
        ("", None, None),
    ],
)
def test_quantities(text, number, kind):
    found = quantity(text)
    assert (found and found.number, found and found.kind) == (number, kind)


@given(TEXTS)
def test_what_is_a_quantity_is_found_in_a_text(text):
    found = quantity(text)
    if found is not None and any(sign.isdigit() for sign in text):
        assert found in quantities(text) or len(quantities(text)) > 1


@given(st.integers(1, 9999))
def test_chinese_numerals_are_read_back(number):
    signs, steps = "零一二三四五六七八九", ["", "十", "百", "千"]
    digits = [int(sign) for sign in str(number)][::-1]
    parts = [signs[digit] + steps[place] if digit else "零" for place, digit in enumerate(digits)][::-1]
    assert chinese_number("".join(parts).rstrip("零")) == number


@given(st.text(max_size=60))
def test_any_text_is_an_address_of_some_page(text):
    assert page_key(text) == page_key(text.strip())


def test_the_harmonic_mean():
    assert (f1(0, 0), f1(1, 0), f1(1, 1), f1(0.5, 1)) == pytest.approx((0, 0, 1, 2 / 3))
