"""The model that errs on purpose: it knows the answers, and makes just the fault that fell to a conversation."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.models.base import Message, Reply, Sampling, Tool
from webfarer.models.dialogue import DIALECTS
from webfarer.models.faulty import KINDS, RATE, Faulty, planted
from webfarer.models.load import load_model
from webfarer.models.prompts import fence

QUESTION = "When was the Alder Observatory opened?"
ROOT, NEAR, GOLD = "http://alder.test/", "http://alder.test/near", "http://alder.test/gold"
ROW = {
    "question": QUESTION,
    "answer": "1931",
    "root": ROOT,
    "gold": [GOLD],
    "paths": [["Near", "Gold"]],
    "evidence": [{"url": GOLD, "text": "| Opened | 1931 |"}],
}
TOOLS = (
    Tool("search", "", {"type": "object", "properties": {"query": {"type": "array"}}, "required": ["query"]}),
    Tool(
        "visit",
        "",
        {
            "type": "object",
            "properties": {"url": {"type": "array"}, "goal": {"type": "string"}},
            "required": ["url", "goal"],
        },
    ),
)
TAGS = DIALECTS.load("tags")
HEAD = [Message("system", TAGS.rules(TOOLS)), Message("user", f"{QUESTION}\nThe user names this address: {ROOT}")]


def known(tmp_path: Path, how: str = "") -> Faulty:
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    model = load_model(f"faulty:{path}{how}", load_settings())
    assert isinstance(model, Faulty)
    return model


async def conversation(model: Faulty, *results: str, seed: int = 0) -> list[Reply]:
    """Return what the model says when its calls bring `results`; what cannot be used is said to be so."""
    messages, replies, left = [*HEAD], [], list(results)
    while len(replies) < 12:
        reply = await model.complete(messages, sampling=Sampling(seed=seed))
        replies.append(reply)
        turn = TAGS.read(reply, TOOLS)
        if turn.answer is not None:
            break
        if turn.problem:
            messages += [TAGS.said(reply, turn), *TAGS.mend(turn.problem)]
        else:
            text = left.pop(0) if left else "Nothing came of it."
            messages += [TAGS.said(reply, turn), *TAGS.observed([(turn.calls[0], text)])]
    return replies


def read(url: str, text: str) -> str:
    return f"Read:\n{fence(f'Page — {url}{text}', nonce='0' * 16, source='page')}"


FOUND = f"Results:\n{fence(f'1. The page — {GOLD}', nonce='0' * 16, source='results')}"
PAGE = read(GOLD, '\nEvidence:\n[1] "| Opened | 1931 |"\nSummary: yes')


async def test_it_searches_reads_and_answers(tmp_path: Path) -> None:
    search, visit, answer = (reply.text for reply in await conversation(known(tmp_path, ":0"), FOUND, PAGE))
    assert f'{{"name": "search", "arguments": {{"query": ["{QUESTION}"]}}}}' in search
    assert f'{{"name": "visit", "arguments": {{"url": ["{GOLD}"], "goal": "{QUESTION}"}}}}' in visit
    assert answer.endswith("<answer>\n1931 [1]\n</answer>")


async def test_what_no_search_finds_it_clicks_to(tmp_path: Path) -> None:
    home, near = read(ROOT, f"\nLinks:\n- Near: {NEAR}"), read(NEAR, f"\nLinks:\n- Gold: {GOLD}")
    said = await conversation(known(tmp_path, ":0"), "Nothing came of it.", home, near, PAGE)
    visits = [TAGS.read(reply, TOOLS).calls[0].arguments["url"] for reply in said[1:-1]]
    assert visits == [[ROOT], [NEAR], [GOLD]]
    assert "1931 [1]" in said[-1].text
    lost = await conversation(known(tmp_path, ":0"), "Nothing came of it.", read(ROOT, ""))
    assert TAGS.read(lost[-1], TOOLS).answer == "1931"


async def test_it_reads_evidence_off_the_page_and_leaves_the_rest_to_the_rule(tmp_path: Path) -> None:
    model = known(tmp_path)
    schema = {"title": "R", "properties": {"evidence": {"type": "array"}, "summary": {"type": "string"}}}
    page = fence("Alder\nhttp://alder.test/gold\n\n| Opened | 1931 |", nonce="0" * 16, source="page")
    for goal, evidence in ((QUESTION, ["| Opened | 1931 |"]), ("something else", [])):
        asked = [Message("system", ""), Message("user", f"Question: {goal}\n\nThe page:\n{page}")]
        reply = await model.complete(asked, sampling=Sampling(json_schema=schema))
        assert json.loads(reply.text)["evidence"] == evidence
    verdict = {"title": "V", "properties": {"sufficient": {"type": "boolean"}}}
    reply = await model.complete([Message("user", "Question: x")], sampling=Sampling(json_schema=verdict))
    assert json.loads(reply.text) == {"sufficient": False}


@pytest.mark.parametrize("kind", KINDS)
async def test_each_fault_is_made_and_the_search_goes_on(tmp_path: Path, kind: str) -> None:
    clean = [reply.text for reply in await conversation(known(tmp_path, ":0"), FOUND, PAGE)]
    for seed in range(4):
        said = await conversation(known(tmp_path, f":{kind}"), FOUND, PAGE, PAGE, seed=seed)
        texts = [reply.text for reply in said]
        assert texts != clean
        answer = TAGS.read(said[-1], TOOLS).answer
        assert answer is not None
        assert answer.startswith("1931") == (kind != "wrong_answer")
        assert texts == [
            reply.text for reply in await conversation(known(tmp_path, f":{kind}"), FOUND, PAGE, PAGE, seed=seed)
        ]


@given(st.text(), st.integers(0, 10_000), st.integers(0, 8))
def test_what_is_planted_follows_from_question_and_seed(question: str, seed: int, rate: int) -> None:
    kind = planted(question, seed, rate)
    assert kind == planted(question, seed, rate)
    assert kind in (KINDS if rate else ("",)) or kind == ""


def test_each_kind_falls_to_its_share() -> None:
    kinds = Counter(planted(QUESTION, seed) for seed in range(5000))
    assert set(kinds) == {"", *KINDS}
    assert all(0.7 * RATE <= kinds[kind] / 50 <= 1.3 * RATE for kind in KINDS)


async def test_what_cannot_work_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a file of made questions"):
        load_model(f"faulty:{tmp_path}/none.jsonl", load_settings())
    (tmp_path / "odd.jsonl").write_text("[1]\n")
    with pytest.raises(ConfigError, match="needs a file of made questions"):
        Faulty(f"{tmp_path}/odd.jsonl")
    model = known(tmp_path)
    with pytest.raises(ConfigError, match="ASK__DIALECT=tags"):
        await model.complete([Message("system", "You …"), Message("user", QUESTION)], TOOLS)
    with pytest.raises(ConfigError, match="does not know the question"):
        await model.complete([HEAD[0], Message("user", "What else?")])
