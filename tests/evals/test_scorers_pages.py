"""Scorers of pages and claims: gold pages, retrieval, citations, support, steps."""

import math

import pytest
from scorer_kit import answer, claim, values

from webfarer.evals.scorer import Attempt
from webfarer.evals.scorers.actions import scorer as actions
from webfarer.evals.scorers.retrieval import ndcg
from webfarer.evals.task import Item

A, B, C = (f"http://site.test/{name}" for name in "abc")


@pytest.mark.parametrize(
    ("gold", "opened", "correct", "share", "last"),
    [
        ((A,), (C, A), 1, 1, 1),
        ((A,), (A, C), 1, 1, 0),
        ((A, B), (C, A), 0, 0.5, 1),
        ((A, B), (B, C, A, C), 1, 1, 0),
        ((A,), (), 0, 0, 0),
        ((A,), ("https://www.SITE.test:443/a/#top",), 1, 1, 1),
        ((A,), ("http://site.test/a?x=1",), 0, 0, 0),
        ((A,), ("http://[broken",), 0, 0, 0),
        (("http://site.test/%E4%B8%AD",), ("http://site.test/中",), 1, 1, 1),
    ],
)
def test_gold_page(gold, opened, correct, share, last):
    assert values("gold_page", None, gold=gold, opened=opened) == {"correct": correct, "share": share, "last": last}


def test_without_gold_pages_nothing_is_said():
    for scorer in ("gold_page", "retrieval", "citations"):
        assert values(scorer, "x", opened=(A,)) == {}


def test_retrieval_by_hand():
    found = values("retrieval", "x", gold=(A, B), opened=(C, A, A, C, B), claims=(claim(B), claim(C)))
    # distinct pages in order: C, A, B
    gain, best = 1 / math.log2(3) + 1 / 2, 1 + 1 / math.log2(3)
    assert found == pytest.approx({"ndcg_10": gain / best, "recall_5": 1, "recall_10": 1, "recall": 1, "cited": 0.5})


def test_graded_judgements_go_before_gold_pages():
    found = values("retrieval", "x", gold=(C,), opened=(B, C, A), data={"qrels": {A: 3, B: 1, C: 0}})
    assert found["ndcg_10"] == pytest.approx((1 + 3 / 2) / (3 + 1 / math.log2(3)))
    assert found["recall"] == 1.0


def test_what_is_opened_late_counts_in_the_full_recall_only():
    opened = [f"http://site.test/{number}" for number in range(10)] + [A]
    found = values("retrieval", None, gold=(A,), opened=opened)
    assert (found["recall_5"], found["recall_10"], found["recall"], found["ndcg_10"]) == (0, 0, 1, 0)
    assert ndcg([A], {A: 1.0}, 10) == 1.0


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        (
            (claim(A), claim(A), claim(C, verified=False)),
            {"f1": 0.5, "precision": 0.5, "recall": 0.5, "verified": 2 / 3},
        ),
        ((claim(A), claim(B)), {"f1": 1, "precision": 1, "recall": 1, "verified": 1}),
        ((claim(C),), {"f1": 0, "precision": 0, "recall": 0, "verified": 1}),
        ((), {"f1": 0, "recall": 0}),
    ],
)
def test_citations(claims, expected):
    assert values("citations", "x", gold=(A, B), claims=claims) == pytest.approx(expected)


def test_a_claim_without_a_quote_cites_nothing():
    bare = claim(A).model_copy(update={"quote": None, "verified": False})
    assert values("citations", "x", gold=(A,), claims=(bare,)) == {"f1": 0, "recall": 0, "verified": 0}
    assert values("citations", None, gold=(A,)) == {"f1": 0, "recall": 0}
    assert values("citations", "x", claims=(claim(A),)) == {"verified": 1.0}


@pytest.mark.parametrize(
    ("said", "truth", "quoted", "recall", "precision"),
    [
        ("It opened in Paris in 1889.", "Paris, 1889", "The tower opened in Paris in 1889", 1, 5 / 6),
        ("It opened in Rome.", "Paris 1889", "", 0, 0),
        ("巴黎铁塔", "巴黎", "巴黎", 1, 0.5),
        ("red", "red green", "red", 0.5, 1),
    ],
)
def test_recall_of_verbose_answers(said, truth, quoted, recall, precision):
    found = values("recall", said, truth, claims=(claim(A, quoted),))
    assert (found["recall"], found["knowledge_precision"]) == pytest.approx((recall, precision))


def test_no_answer_has_recall_0_and_no_precision():
    for said in (None, "", "the"):
        assert values("recall", said, "Paris") == {"recall": 0.0}


async def test_steps_are_those_of_the_fare():
    item = Item(id="1", question="?")
    assert (await actions.mark(Attempt(item, answer("x", steps=7)))).values == {"steps": 7.0}
    assert (await actions.mark(Attempt(item, None))).values == {}
    assert actions.total([{"steps": 7.0}, {}, {"steps": 4.0}]) == {"steps": 5.5}
