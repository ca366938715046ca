"""The model that plays by rule: it reads this program's prompts, and the same prompt always gets the same reply."""

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.models.base import Message, Reply, Sampling, Tool, ToolCall
from webfarer.models.load import load_model
from webfarer.models.prompts import fence, nonce
from webfarer.models.ruled import Ruled
from webfarer.models.structured import closed_schema

QUESTION = "When does the reading room open on Sunday?"
TRUTH = "The reading room opens at 13:45 on Sunday."
TRAIL = "Home > Visit > Reading room"
PAGE = f"Reading room\nhttp://127.0.0.1:7/room\n\n{TRAIL}\n\n# Reading room\n\nIt has seats. {TRUTH}"
TOOLS = [Tool(name, "", {"type": "object", "properties": {}}) for name in ("search", "visit", "walk")]


class Choice(BaseModel):
    """As the explorer is asked."""

    thought: str
    action: Literal["click", "back", "enough"]
    link: int | None


class Verdict(BaseModel):
    """As the critic is asked."""

    sufficient: bool
    answer: str
    used: list[int]


class Findings(BaseModel):
    """As the reader is asked."""

    useful: bool
    notes: list[dict[str, str]]


class Judgement(BaseModel):
    """As a judge is asked."""

    reason: str
    verdict: str


class Odd(BaseModel):
    """As nobody asks."""

    wine: str
    women: bool
    songs: list[str]


def fenced(**parts: str) -> str:
    return "\n\n".join(f"Shown:\n{fence(text, nonce=nonce('r', text), source=name)}" for name, text in parts.items())


def prompt(question: str = QUESTION, **parts: str) -> list[Message]:
    return [Message("system", "Rules."), Message("user", f"Question: {question}\n\n{fenced(**parts)}\n\nReply.")]


async def said(schema: type[BaseModel], messages: Sequence[Message], rule: str = "overlap", seed: int = 0) -> Any:
    sampling = Sampling(seed=seed, json_schema=closed_schema(schema))
    reply = await Ruled(rule).complete(messages, sampling=sampling)
    return schema.model_validate_json(reply.text)


async def test_the_likeliest_link_is_clicked() -> None:
    links = "1. News | Home | /news\n2. Staff | read on Sunday | /staff\n3. Reading room | Visit | /room"
    assert await said(Choice, prompt(links=links)) == Choice(thought="", action="click", link=3)
    assert (await said(Choice, prompt(links="4. News | /news\n2. Staff | /staff"))).link == 4  # they come ranked
    assert (await said(Choice, prompt(links=""))).action == "enough"


async def test_what_fits_is_noted_with_its_quote() -> None:
    found = await said(Findings, prompt(page=PAGE))
    assert found == Findings(useful=True, notes=[{"statement": f"{TRAIL}: {TRUTH}", "quote": TRUTH}])
    assert not (await said(Findings, prompt(page="People\nhttp://a.test/\n\nSix people work here."))).useful


async def test_a_row_is_a_statement_and_what_stands_above_it_is_none() -> None:
    table = "| Day | Opens |\n| --- | --- |\n| Sunday | 13:45 |"
    page = f"Opening hours\nhttp://a.test/\n\n## Reading room, Sunday\n\n{table}"
    found = await said(Findings, prompt(page=page))
    assert found.notes[0]["quote"] == "| Sunday | 13:45 |"
    assert found.notes[0]["statement"].endswith("Sunday: 13:45")


async def test_notes_suffice_when_they_hold_most_of_the_question() -> None:
    notes = f'1. Seats — "It has ninety seats." (/room)\n2. Reading room: {TRUTH} — "{TRUTH}" (/room)'
    assert await said(Verdict, prompt(notes=notes)) == Verdict(sufficient=True, answer=TRUTH, used=[2])
    assert not (await said(Verdict, prompt(notes='1. Seats — "The room has ninety seats." (/room)'))).sufficient
    assert await said(Verdict, prompt(notes="")) == Verdict(sufficient=False, answer="", used=[])


async def test_every_part_of_a_question_is_answered() -> None:
    notes = f'1. Room — "{TRUTH}" (/room)\n2. Parking — "There are forty parking spaces for cars." (/parking)'
    both = "When does the reading room open on Sunday, and how many parking spaces are there for cars?"
    assert sorted((await said(Verdict, prompt(both, notes=notes))).used) == [1, 2]


@pytest.mark.parametrize(
    ("reference", "answer", "verdict"),
    [
        ("13:45", "It opens at 13:45.", "correct"),
        ("13:45", "It opens at 113:45.", "incorrect"),
        ("noon\nor: 13:45", "At 13:45", "correct"),
        ("All of these:\n13:45\nforty", "At 13:45, forty spaces", "correct"),
        ("All of these:\n13:45\nforty", "At 13:45", "incorrect"),
        ("十三点", "周日十三点开放", "correct"),
        ("13:45", "…", "not_attempted"),
    ],
)
async def test_it_judges_by_what_is_named(reference: str, answer: str, verdict: str) -> None:
    parts = fenced(question=QUESTION, reference=reference, answer=answer)
    assert (await said(Judgement, [Message("system", "Grade."), Message("user", parts)])).verdict == verdict


async def test_what_no_rule_is_made_for_stays_empty() -> None:
    assert await said(Odd, prompt()) == Odd(wine="", women=False, songs=[])


async def react(*messages: Message) -> str:
    return (await Ruled("overlap").complete(messages, sampling=Sampling(stop=("\nObservation:",)))).text


async def test_it_reacts() -> None:
    asked = [Message("system", "Rules."), Message("user", f"Question: {QUESTION}")]
    first = fenced(page="Library\nhttp://a.test/\n\nWelcome.", links="1. News | /news\n2. Reading room | /room")
    assert (await react(*asked, Message("user", first))).endswith('Action: click\nAction Input: {"link": 2}')
    second = Message("user", fenced(page=PAGE, links="1. News | /news"))
    assert (await react(*asked, Message("user", first), second)).endswith(f"Final Answer: {TRUTH}\nQuote: {TRUTH}")
    over = Message("user", "The search is over.")
    assert (await react(*asked, Message("user", first), over)).endswith("Final Answer: none")


async def dance(*messages: Message, tools: Sequence[Tool] = TOOLS) -> Reply:
    start = Message("user", f"{QUESTION}\nThe user names this address: http://a.test/")
    return await Ruled("overlap").complete([Message("system", "Rules."), start, *messages], tools)


def did(name: str, result: str, **arguments: Any) -> list[Message]:
    call = ToolCall("c", name, arguments)
    return [Message("assistant", "", tool_calls=(call,)), Message("tool", result, tool_call_id="c")]


async def test_it_searches_visits_walks_and_answers_with_evidence() -> None:
    assert [call.name for call in (await dance()).tool_calls] == ["search"]
    results = fenced(
        results="1. Room — http://a.test/room\n   seats\n2. News — http://a.test/news (2020-01-01)\n   roof"
    )
    searched = did("search", results, query=[QUESTION])
    (visit,) = (await dance(*searched)).tool_calls
    assert visit.arguments == {"url": ["http://a.test/room", "http://a.test/news"], "goal": QUESTION}
    nothing = did("visit", fenced(page="Room — http://a.test/room\nSummary: nothing."), **visit.arguments)
    (walk,) = (await dance(*searched, *nothing)).tool_calls
    assert (walk.name, walk.arguments["url"]) == ("walk", "http://a.test/")
    assert (await dance(*searched, *nothing, tools=TOOLS[:2])).text == "Nothing was found."
    evidence = fenced(page=f'Room — http://a.test/room\nEvidence:\n[1] "Ninety seats."\n[2] "{TRUTH}"\nSummary: there.')
    reply = await dance(*searched, *did("visit", evidence, **visit.arguments))
    assert (reply.text, reply.tool_calls) == (f"{TRUTH.rstrip('.')} [2].", ())


async def test_a_careless_reply_is_drawn_by_the_seed_and_not_by_where_pages_are_served() -> None:
    def page(port: int) -> list[Message]:
        return prompt(page=PAGE.replace(":7/", f":{port}/"))

    careful = [await said(Findings, page(7), "overlap", seed) for seed in range(12)]
    careless = [await said(Findings, page(7), "overlap-50", seed) for seed in range(12)]
    assert len({reply.model_dump_json() for reply in careful}) == 1
    assert len({reply.model_dump_json() for reply in careless}) > 1
    assert careless == [await said(Findings, page(80), "overlap-50", seed) for seed in range(12)]


@given(
    st.lists(st.text(max_size=60), max_size=5),
    st.sampled_from([Choice, Verdict, Findings, Judgement, Odd]),
    st.sampled_from(["page", "notes", "links", "evidence", "passages"]),
)
async def test_any_text_gets_a_reply_that_fits_the_schema(
    texts: list[str], schema: type[BaseModel], source: str
) -> None:
    messages = prompt("\n".join(texts), **{source: "\n".join(texts)})
    assert await said(schema, messages) == await said(schema, messages)


def test_it_is_named_by_its_rule() -> None:
    model = load_model("ruled:overlap-20", load_settings())
    assert (model and model.name) == "ruled:overlap-20"
    with pytest.raises(ConfigError, match="no rule"):
        load_model("ruled:wisdom", load_settings())


async def test_its_usage_does_not_depend_on_marks_and_ports() -> None:
    reply = await Ruled("overlap").complete(prompt(page=PAGE))
    assert 0 < reply.usage.tokens_in <= Ruled("overlap").count(prompt(page=PAGE))
    assert (reply.usage.tokens_out > 0, reply.usage.estimated) == (True, True)
    elsewhere = await Ruled("overlap").complete(prompt(page=PAGE.replace(":7/", ":43211/")))
    assert elsewhere == reply
