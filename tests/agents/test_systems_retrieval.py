"""The systems that retrieve, and those that know: RAG, WebWalker with RAG, the dancer, the oracle, closed book."""

import json
from pathlib import Path
from typing import Any

import pytest
from ask_kit import ENGINE, Asked, place
from system_kit import Asking, Listening, library, played
from walk_kit import LIBRARY, QUESTION, TRUTH, contents, fenced, html

from webfarer.core.errors import ModelUnavailable
from webfarer.core.fare import Budget
from webfarer.core.types import StopReason
from webfarer.models.scripted import Line, Scripted
from webfarer.worlds.searchserver import JSON_OFF

ROOM = "visit/reading-room"


def found(sufficient: bool = True, answer: str = "At 13:45.", quote: str = TRUTH) -> str:
    notes = [{"statement": "It opens at 13:45.", "quote": quote}]
    return json.dumps({"sufficient": sufficient, "answer": answer, "notes": notes if answer else []})


async def test_one_search_its_pages_one_answer(tmp_path: Path) -> None:
    async with library(tmp_path) as there:
        came = await played(there, "one_shot_rag", model=Scripted([found()]))
        assert there.stub.asked == [(ENGINE, QUESTION)]
        assert sorted(there.opened()) == ["/people", f"/{ROOM}"]
    assert (came.answer.text, came.answer.stop_reason) == ("At 13:45.", StopReason.ANSWERED)
    assert [(claim.text, claim.verified) for claim in came.answer.claims] == [("It opens at 13:45.", True)]
    assert (came.answer.fare.steps, came.answer.fare.calls) == (1, 1)
    assert TRUTH in fenced(came.prompts[0])["passages"]


async def test_without_a_model_the_sentence_that_fits_answers(tmp_path: Path) -> None:
    async with library(tmp_path) as there:
        came = await played(there, "one_shot_rag")
    assert (came.answer.text, came.answer.verified) == (TRUTH, True)


async def test_a_snippet_is_no_evidence(tmp_path: Path) -> None:
    async with place(tmp_path, {}, {"/gone": TRUTH}) as there:
        came = await played(there, "one_shot_rag", model=Scripted([]))
    assert (came.answer.text, came.answer.stop_reason) == ("", StopReason.NO_SOURCES)
    assert came.answer.stop_detail == "none of the results could be read"


async def test_a_search_that_fails_is_said(tmp_path: Path) -> None:
    async with place(tmp_path, LIBRARY, faults=[JSON_OFF]) as there:
        came = await played(there, "one_shot_rag")
    assert came.answer.stop_reason is StopReason.NO_SOURCES
    assert "no results for" in came.answer.stop_detail


async def test_only_the_sites_of_the_case_are_opened(tmp_path: Path) -> None:
    async with library(tmp_path) as there:
        sites = (there.url("visit"),)
        came = await played(there, "one_shot_rag", case={"sites": sites})
        assert there.opened() == [f"/{ROOM}"]
    assert came.answer.text == TRUTH


async def test_addresses_of_the_case_are_read_first(tmp_path: Path) -> None:
    async with library(tmp_path) as there:
        came = await played(there, "one_shot_rag", case={"start": (there.url("news"),)})
    assert came["retrieved"][0]["results"][0].endswith("/news")


async def test_ten_documents_are_read_at_most(tmp_path: Path) -> None:
    pages = {f"/room{n}": html(f"Room {n}", f"<p>The reading room {n} opens.</p>") for n in range(14)}
    async with place(tmp_path, pages, dict.fromkeys(pages, "reading room opens")) as there:
        there.changes["search"] = there.settings().search.model_copy(update={"results": 14})
        came = await played(there, "one_shot_rag")
    assert came.answer.fare.pages == 10


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        (found(answer=""), "", StopReason.NO_SOURCES),
        (ModelUnavailable("gone"), "", StopReason.FAILED),
    ],
)
async def test_a_reader_without_an_answer(tmp_path: Path, line: Line, text: str, reason: StopReason) -> None:
    async with library(tmp_path) as there:
        came = await played(there, "one_shot_rag", model=Scripted([line]))
    assert (came.answer.text, came.answer.stop_reason) == (text, reason)


async def test_a_quote_that_is_on_no_page_is_recorded_and_not_shown(tmp_path: Path) -> None:
    async with library(tmp_path) as there:
        came = await played(there, "one_shot_rag", model=Scripted([found(quote="It opens whenever you like.")]))
    assert [claim.problem for claim in came.answer.claims] == ["the answer cites nothing"]
    assert came["note_dropped"][0]["why"] == "the quote is on no page"


async def test_the_final_reader_sees_notes_and_documents(tmp_path: Path) -> None:
    model = Listening()
    async with place(tmp_path, LIBRARY, {"/people": "reading room on Sunday"}) as there:
        came = await played(there, "walker_rag", model=model)
    shown = fenced(contents(model.asked[-1])[1])
    assert TRUTH in shown["notes"]  # the walk's
    assert "Six people" in shown["passages"]  # the engine's
    assert TRUTH not in shown["passages"]
    assert came.answer.verified
    assert sum("conclude" in str(event.data) for event in came.events) == 0  # the walker's own last answer is not asked


async def test_the_documents_take_half_of_the_pages(tmp_path: Path) -> None:
    async with library(tmp_path, known=dict.fromkeys(LIBRARY, "reading room")) as there:
        for system in ("walker_rag", "rag_walker"):
            came = await played(there, system, budget=Budget(pages=4))
            assert len(came["retrieved"][0]["results"]) == 2


async def test_documents_that_suffice_spare_the_walk(tmp_path: Path) -> None:
    async with library(tmp_path) as there:
        came = await played(there, "rag_walker", model=Scripted([found()]))
        assert "/" not in there.opened()
    assert (came.answer.text, came["page"]) == ("At 13:45.", [])


async def test_documents_that_do_not_suffice_are_known_to_the_walk(tmp_path: Path) -> None:
    async with place(tmp_path, LIBRARY, {"/news": "reading room on Sunday", "/visit": "reading room"}) as there:
        came = await played(there, "rag_walker")
        opened = there.opened()
    assert (came.answer.text, came.answer.verified) == (TRUTH, True)
    assert sorted(opened) == sorted(set(opened))
    assert opened.index("/") > opened.index("/news")


async def test_a_walk_that_finds_nothing_leaves_the_documents_answer(tmp_path: Path) -> None:
    other = {"/": html("Elsewhere", "<p>Nothing.</p>")}
    script: list[Line] = [found(sufficient=False), '{"useful": false, "notes": []}', '{"known": false, "answer": ""}']
    async with library(tmp_path / "a") as there, place(tmp_path / "b", other) as elsewhere:
        elsewhere.stub.url = there.stub.url
        case = {"root": elsewhere.url()}
        came = await played(there, "rag_walker", model=Scripted(script), case=case)
    assert (came.answer.text, came.answer.verified) == ("At 13:45.", True)


async def oracle(home: Path, setting: Any = "click", budget: Budget = Budget(), **asking: Any) -> Asked:
    async with library(home) as there:
        return await played(there, "oracle", setting, asking=Asking(**asking), budget=budget)


async def test_the_oracle_quotes_what_it_was_told(tmp_path: Path) -> None:
    came = await oracle(tmp_path, answer="13:45")
    assert (came.answer.text, came.answer.verified) == ("13:45", True)
    assert [claim.quote and claim.quote.text for claim in came.answer.claims] == [TRUTH]
    assert came.answer.fare.pages == 1


async def test_the_oracle_quotes_every_gold_page(tmp_path: Path) -> None:
    came = await oracle(tmp_path, answer="13:45; forty spaces", gold=(ROOM, "visit/parking"))
    assert [claim.verified for claim in came.answer.claims] == [True, True]
    assert len(came.answer.sources) == 2


@pytest.mark.parametrize(
    ("asking", "detail"),
    [
        ({"gold": ("gone",)}, "a gold page cannot be read"),
        ({"answer": "a quarter past seven in the morning"}, "the gold pages do not state the answer"),
    ],
)
async def test_an_aged_question_shows(tmp_path: Path, asking: dict[str, Any], detail: str) -> None:
    came = await oracle(tmp_path, **asking)
    assert (came.answer.text, came.answer.stop_reason) == ("", StopReason.NO_SOURCES)
    assert detail in came.answer.stop_detail


async def test_the_oracle_without_pages_only_says_it(tmp_path: Path) -> None:
    for setting, gold in (("closed", (ROOM,)), ("search", ())):
        came = await oracle(tmp_path, setting, gold=gold)
        assert (came.answer.text, came.answer.fare.pages) == (TRUTH, 0)
        assert [claim.problem for claim in came.answer.claims] == ["the answer cites nothing"]


async def test_the_oracle_keeps_to_its_limits(tmp_path: Path) -> None:
    came = await oracle(tmp_path, budget=Budget(pages=1), gold=(ROOM, "people"))
    assert (came.answer.text, came.answer.stop_reason, came.answer.fare.pages) == ("", StopReason.BUDGET, 1)


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        ('{"answer": "At two."}', "At two.", StopReason.ANSWERED),
        ('{"answer": ""}', "", StopReason.NO_SOURCES),
        (ModelUnavailable("gone"), "", StopReason.FAILED),
    ],
)
async def test_closed_book(tmp_path: Path, line: Line, text: str, reason: StopReason) -> None:
    async with library(tmp_path) as there:
        came = await played(there, "closed_book", model=Scripted([line]))
        assert there.opened() == there.stub.asked == []
    assert (came.answer.text, came.answer.stop_reason) == (text, reason)
    assert all(claim.problem == "the answer cites nothing" for claim in came.answer.claims)


async def test_the_dancer_walks_only_with_a_root(tmp_path: Path) -> None:
    async with library(tmp_path) as there:
        for setting, walked in (("search", False), ("both", True)):
            model = Listening()
            await played(there, "dancer", setting, model)  # type: ignore[arg-type]
            rules = contents(model.asked[0])[0]
            assert ("walk(" in rules, "find(" in rules) == (walked, False)
            assert (there.url() in contents(model.asked[0])[1]) == walked
