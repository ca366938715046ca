"""Words and their ranking: the same terms on both sides, and the formula as printed."""

import json
import math
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.text import BM25, is_chinese, stem, words

TERMS = st.lists(st.sampled_from("abcdefg"), max_size=12)


def slow_bm25(docs: list[list[str]], query: list[str], k1: float, b: float) -> list[float]:
    """Robertson and Zaragoza's formula, term by term and document by document."""
    average = max(1.0, sum(map(len, docs)) / len(docs))
    scores = []
    for doc in docs:
        score = 0.0
        for term in set(query) & set(doc):
            df = sum(term in other for other in docs)
            tf = doc.count(term)
            idf = math.log(1 + (len(docs) - df + 0.5) / (df + 0.5))
            score += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(doc) / average))
        scores.append(score)
    return scores


@given(st.lists(TERMS, min_size=1, max_size=8), TERMS, st.floats(0.1, 3), st.floats(0, 1))
def test_bm25_is_the_formula(docs, query, k1, b):
    index = BM25(k1, b)
    assert [index.add(doc) for doc in docs] == list(range(len(docs)))
    assert len(index) == len(docs)
    assert index.scores(query) == pytest.approx(slow_bm25(docs, query, k1, b))


@given(st.lists(TERMS, min_size=1, max_size=8), st.sampled_from("abcdefgz"))
def test_idf_is_never_negative_and_falls_as_more_documents_hold_the_term(docs, term):
    index = BM25()
    for doc in docs:
        index.add(doc)
    before = index.idf(term)
    index.add([term])
    assert 0 <= index.idf(term) <= max(before, BM25().idf(term))


def test_an_empty_index_and_an_empty_query_score_nothing():
    assert BM25().scores(["a"]) == []
    index = BM25()
    index.add([])
    index.add(["a"])
    assert index.scores([]) == [0, 0]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The connections were closed", ["connect", "close"]),
        ("What's the model's price?", ["model", "price"]),
        ("Zoë’s café in São Paulo, Straße 5", ["zoë", "café", "são", "paulo", "straße", "5"]),
        ("max_size and _emphasis_", ["max_siz", "max", "size", "_emphasis_", "emphasi"]),
        ("__init__ ___ _", ["__init__", "init"]),
        ("北京大学", ["北京", "京大", "大学"]),
        ("猫 的 Python教程", ["猫", "python", "教程"]),
        ("请问什么", ["问什"]),
        ("…—!", []),
    ],
)
def test_words(text, terms):
    assert words(text) == terms


@given(st.text())
def test_words_do_not_depend_on_case_and_are_never_blank(text):
    found = words(text)
    assert all(word.strip("_") for word in found)
    assert found == words(text.lower())
    assert len(found) <= 3 * len(text)


HAN = st.text(alphabet="甲乙丙丁", max_size=4)


@given(HAN, HAN.filter(lambda text: len(text) > 1), HAN)
def test_a_chinese_query_finds_every_text_that_holds_it(before, query, after):
    assert set(words(query)) <= set(words(before + query + after))


def test_stems_join_inflections():
    assert stem("connected") == stem("connecting") == stem("connection") == "connect"


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("", False),
        ("12 !", False),
        ("what is 汉字 in plain English", False),
        ("Python 教程与文档", True),
        ("汉字", True),
    ],
)
def test_is_chinese(text, chinese):
    assert is_chinese(text) is chinese


@pytest.mark.slow
def test_scores_do_not_depend_on_the_hash_seed():
    script = """
import json
from webfarer.core.text import BM25, words
index = BM25()
for text in ("one two three max_size", "two three four café", "五六七 three"):
    index.add(words(text))
query = words("one two max_size 五六七 four café")
print(json.dumps([query, index.scores(query)]))
"""
    outputs = {
        subprocess.check_output([sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1
    assert json.loads(outputs.pop())[1][0] > 0
