"""What the chat policy shows of pages, links and notes."""

from hypothesis import given
from hypothesis import strategies as st

from webfarer.agents.excerpts import best_passages, excerpt, link_lines, note_lines, passages, ranked
from webfarer.core.types import Link, Note, Page, PageKind, Quote, Span

FILLER = "\n\n".join(
    f"Paragraph {n} talks about gardens, rivers and the weather in general terms. " * 4 for n in range(60)
)


def page(markdown, **fields):
    return Page("id", "http://a.test/", "T", markdown, **fields)


@given(st.text(alphabet="ab\n", max_size=4000))
def test_passages_hold_all_the_text_in_order(text):
    spans = passages(text)
    assert "".join(text[span.start : span.end] for span in spans) == text
    assert all(0 < span.end - span.start <= 1200 for span in spans)


def test_a_short_page_is_shown_whole():
    assert excerpt(page("all of it"), "what?", 6000) == "all of it"


def test_a_long_page_is_cut_to_its_beginning_and_what_fits():
    text = f"# Start here\n\n{FILLER}\n\nThe bridge was built in 1921 by Ada Holm.\n\n{FILLER}"
    shown = excerpt(page(text), "When was the bridge built?", 3000)
    assert shown.startswith("# Start here")
    assert "built in 1921 by Ada Holm" in shown
    assert "[…]" in shown
    assert len(shown) <= 3050


def test_a_long_page_begins_at_its_main_text():
    nav = "\n\n".join(f"menu entry {n} of a long navigation bar" * 5 for n in range(40)) + "\n\n"
    text = f"{nav}The main text begins.\n\n{FILLER}"
    spans = (("nav", Span(0, len(nav))), ("main", Span(len(nav), len(text))))
    shown = excerpt(page(text, spans=spans), "zebra", 2000)
    assert "The main text begins." in shown
    assert "menu entry 3 " not in shown


@given(st.text(alphabet="ab \n", max_size=3000), st.integers(50, 2000))
def test_an_excerpt_keeps_to_its_size(text, limit):
    assert len(excerpt(page(text), "a b", limit)) <= limit + 4


def test_links_are_ranked_by_label_surroundings_and_address():
    links = [
        Link(1, "http://a.test/x", "Contact"),
        Link(2, "http://a.test/y", "More", context="opening hours of the museum"),
        Link(3, "http://a.test/museum/opening-hours", "here"),
        Link(4, "http://a.test/z", "Museum: opening hours"),
        Link(5, "http://a.test/%E4%B8%8A%E6%B5%B7", "city"),
    ]
    assert ranked(links, "What are the opening hours of the museum?")[0].id == 4
    assert {link.id for link in ranked(links, "opening hours museum")[:3]} == {2, 3, 4}
    assert ranked(links, "上海在哪里？")[0].id == 5
    assert [link.id for link in ranked(links, "zebra")] == [1, 2, 3, 4, 5]


def test_equal_links_of_the_main_text_come_first():
    links = [Link(1, "http://a.test/1", "a", region="footer"), Link(2, "http://a.test/2", "b")]
    assert [link.id for link in ranked(links, "zebra")] == [2, 1]


def test_a_link_is_one_line_whatever_its_label_holds():
    lines = link_lines(
        [Link(7, "http://a.test/p?q=1", "two\nlines", "around it", "Head"), Link(8, "http://a.test/", "")]
    )
    assert lines.split("\n") == ["7. two lines | Head | around it | /p?q=1", "8. (no label) | /"]


def test_passages_of_all_pages_are_ranked_and_what_fits_nothing_is_left_out():
    rich = page(f"{FILLER}\n\nThe bridge was built in 1921.")
    poor = page("A blocked bridge page.", kind=PageKind.BLOCKED)
    found = best_passages([poor, rich], "When was the bridge built?", 6000)
    assert [shown for shown, _ in found] == [rich]
    assert "1921" in found[0][1]
    assert best_passages([rich], "zebra", 6000) == []


def test_notes_keep_their_numbers_when_the_oldest_are_left_out():
    notes = [
        Note(text=f"fact {n}", quote=Quote(page="", url="http://a.test/p", text="q", start=0)) for n in range(1, 9)
    ]
    assert note_lines(notes, 4000).startswith('1. fact 1 — "q" (/p)')
    short = note_lines(notes, 60).split("\n")
    assert short[-1].startswith("8. fact 8")
    assert len(short) < 4
    assert note_lines([], 100) == ""
