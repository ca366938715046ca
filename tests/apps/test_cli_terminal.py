"""Text of strangers on the terminal: no control character gets through, and nothing else is lost."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from webfarer.apps.cli._terminal import clean, one_line

NASTY = st.text(st.one_of(st.characters(), st.sampled_from("\x1b\x07\x9b\u202e\n\t\r\ud800\u200d")))


@given(NASTY)
def test_no_control_character_survives_and_the_rest_does(text):
    cleaned = clean(text)
    kinds = {unicodedata.category(ch) for ch in cleaned if ch not in "\n\u200c\u200d"}
    assert not kinds & {"Cc", "Cf", "Cs"}
    assert clean(cleaned) == cleaned
    assert [ch for ch in text if ch.isalnum()] == [ch for ch in cleaned if ch.isalnum()]


@given(NASTY, st.integers(1, 50))
def test_one_line_is_one_line_of_the_length_asked_for(text, most):
    line = one_line(text, most)
    assert len(line) <= most
    assert "\n" not in line
