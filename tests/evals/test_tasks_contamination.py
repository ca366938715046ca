"""What of a data set an attempt met."""

import pytest

from webfarer.evals.contamination import flags
from webfarer.evals.task import Card

CARD = Card("A set", "a paper", ("search",), ("named",), blocked=("hub.example/datasets/set",))


@pytest.mark.parametrize(
    ("addresses", "texts", "canary", "met"),
    [
        ((), (), "", ()),
        (("https://hub.example/datasets/other",), ("a text", "another"), "", ()),
        (("https://a.example/", "https://hub.example/datasets/set/viewer"), (), "", ("blocked",)),
        ((), ("a text", "with CANARY-5b1f in it"), "CANARY-5b1f", ("canary",)),
        ((), ("with the row's own mark in it",), "row's own", ("canary",)),
        (("http://hub.example/datasets/set",), ("CANARY-5b1f",), "CANARY-5b1f", ("canary", "blocked")),
    ],
)
def test_what_was_met_is_flagged(addresses, texts, canary, met):
    assert flags(CARD, addresses, texts, canary) == met


def test_a_set_without_marks_flags_nothing():
    assert flags(Card("A set", "a paper", ("search",), ("named",)), ["https://a.example/"], ["", "text"], "") == ()
