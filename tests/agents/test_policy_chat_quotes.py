"""Finding a model's quote in the page it was copied from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.agents.quotes import locate, merge
from webfarer.core.types import Note, Page, Quote


def page(markdown):
    return Page("id", "http://a.test/", "T", markdown)


MARKDOWN = """# The *Town* Hall

It opened in **1987** and holds “450 people”; see [the plan] for
details. Entry: 1.5 EUR, not 15 EUR. Use `max_size=10` – or <|less|>.

| Day | Opens |
|---|---|
| Monday | 9 |
| Tuesday | 10 |

大会于2023年7月6日在 **上海世博中心** 举行。"""


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("opened in **1987**", "opened in **1987**"),
        ("It opened in 1987 and holds", "It opened in **1987** and holds"),
        ('holds "450 people"', "holds “450 people"),
        ("the town hall", "The *Town* Hall"),
        ("see the plan for details.", "see [the plan] for\ndetails."),
        ('"Entry: 1.5 EUR"', "Entry: 1.5 EUR"),
        ("max_size=10 - or ‹|less|>", "`max_size=10` – or <|less|>"),
        ("Monday 9", "Monday | 9"),
        ("大会于2023年7月6日在上海世博中心举行", "大会于2023年7月6日在 **上海世博中心** 举行"),
        ("It opened in 1987 ... somewhere else", "It opened in **1987**"),
        ("pene", "opened"),
        ("5 EUR", "1.5 EUR"),
    ],
)
def test_what_is_on_the_page_is_found_as_it_stands_there(said, found):
    quote = locate(page(MARKDOWN), said)
    assert quote is not None
    assert quote.text == found
    assert MARKDOWN[quote.start : quote.start + len(quote.text)] == found
    assert (quote.page, quote.url) == ("id", "http://a.test/")


@pytest.mark.parametrize(
    "said", ["", "e", "…", "It opened in 1988", "Monday 10", "1 987 and holds", "the moon", "holds 45 0 people", "***"]
)
def test_what_is_not_on_the_page_is_not_found(said):
    assert locate(page(MARKDOWN), said) is None


@pytest.mark.parametrize("number", ["-5 °C", "−5 °C", "3-5 °C", "3–5 °C", "1,5 °C", "10:5 °C", "1/5 °C", "105 °C"])
def test_a_number_is_never_cut(number):
    quote = locate(page(f"It was {number} there."), "5 °C")
    assert quote is not None
    assert quote.text == number


def test_a_clean_occurrence_is_preferred_to_one_inside_a_word():
    quote = locate(page("15 EUR now, 5 EUR then"), "5 EUR")
    assert quote is not None
    assert (quote.text, quote.start) == ("5 EUR", 12)


WORDS = st.lists(
    st.sampled_from("alpha beta 12 3.5 **bold** `code` [link](/x) 上海 don’t end.".split()), min_size=3, max_size=30
)


@given(WORDS, st.data())
def test_any_run_of_words_is_found_however_its_space_and_marks_were_changed(words, data):
    start = data.draw(st.integers(0, len(words) - 2))
    end = data.draw(st.integers(start + 2, len(words)))
    gap = data.draw(st.sampled_from([" ", "\n", "  \n "]))
    markdown = gap.join(words)
    plain = " ".join(words[start:end]).translate(str.maketrans("’", "'", "*`[]"))
    quote = locate(page(markdown), plain.upper())
    assert quote is not None
    assert markdown[quote.start : quote.start + len(quote.text)] == quote.text


@given(st.text(alphabet="ab1 .*", max_size=60), st.text(alphabet="ab1 .*", max_size=4))
def test_a_quote_is_always_the_pages_own_text_and_never_missed(markdown, said):
    quote = locate(page(markdown), said)
    if quote is None:
        assert said.strip() not in markdown or sum(ch.isalnum() for ch in said) < 2
    else:
        assert markdown[quote.start : quote.start + len(quote.text)] == quote.text


def note(text, quote):
    return Note(text=text, quote=Quote(page="p", url="u", text=quote, start=0))


def test_notes_that_say_the_same_are_merged():
    kept = [note("It opened in 1987.", "opened in 1987")]
    new = [
        note("it opened in  1987", "another place"),
        note("Opening: 1987", "Opened in **1987**"),
        note("It holds 450 people.", "holds 450"),
        note("It holds 450 people.", "450 people"),
    ]
    assert merge(kept, new) == [new[2]]
    assert merge([], []) == []
