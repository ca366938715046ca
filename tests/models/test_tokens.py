"""The estimate against counts made with OpenAI's cl100k_base (the first five stand in OpenAI's cookbook too)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.models.base import Message, Tool
from webfarer.models.tokens import estimate, estimate_prompt

COUNTED = [
    ("tiktoken is great!", 6),
    ("antidisestablishmentarianism", 6),
    ("2 + 2 = 4", 7),
    ("お誕生日おめでとう", 9),
    ("Hello, world!", 4),
    ("The town hall opened in 1987 and was rebuilt after the fire of 2003; it seats 450 people.", 25),
    ("信息检索智能体在预算之内浏览网页，给出答案、来源与费用。北京大学成立于1898年。", 40),
    ("臺灣大學創立於一九二八年，為臺灣歷史最悠久的高等學府。", 45),
    ("Москва является столицей Российской Федерации.", 24),
    ("Der Informationsagent durchsucht Webseiten innerhalb eines Budgets und liefert Antwort, Quellen und Kosten.", 25),
    ("서울특별시의 날씨는 맑음입니다. 정보 검색 에이전트는 비용을 제공합니다.", 35),
    ("| Name | Price | Stock |\n|---|---:|---:|\n| Alpha | 12.50 | 3 |\n| Beta | 8.00 | 120 |\n", 38),
    ("See https://docs.python.org/3/library/asyncio-task.html#asyncio.TaskGroup for details.", 22),
    ("def add(self, terms: Sequence[str]) -> int:\n    return len(self._docs) - 1\n", 23),
    ('{"thought": "the page lists three links", "action": "click", "link": 12}', 22),
    ("القاهرة هي عاصمة جمهورية مصر العربية.", 27),
    ("Zażółć gęślą jaźń, powiedział Grzegorz Brzęczyszczykiewicz.", 30),
]


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_never_too_low_by_more_than_a_tenth(text, tokens):
    assert 0.9 * tokens <= estimate(text) <= 2 * tokens + 2


@given(st.text(max_size=60), st.text(max_size=60))
def test_more_text_is_never_fewer_tokens_than_its_parts_by_much(left, right):
    assert estimate(left + right) <= estimate(left) + estimate(right) + 1
    assert estimate(left) >= 1


def test_a_prompt_counts_its_template_and_tools():
    message = Message("user", "hello there")
    tool = Tool("visit", "Open a page.", {"type": "object", "properties": {"url": {"type": "string"}}})
    alone = estimate_prompt([message])
    assert alone > estimate("hello there")
    assert estimate_prompt([message, message]) == 2 * alone
    assert estimate_prompt([message], [tool]) > alone + estimate("Open a page.")
