"""Reports on served sites: sections from evidence alone, checked citations, tables with gaps, nothing made up."""

import re
from pathlib import Path
from typing import Any

import pytest
from report_kit import OPENS, PAGES, PLAN, QUESTION, RUNS, TABLE, Clerk, Place, place
from walk_kit import html, kinds, log

from webfarer.agents.asking import Asking
from webfarer.agents.reports import Report, read_report
from webfarer.agents.runs import Options, report
from webfarer.core.errors import BadReply, ConfigError, TraceError
from webfarer.core.types import StopReason
from webfarer.worlds.endpoint import serve_endpoint


async def made(there: Place, clerk: Clerk | None, question: str = QUESTION, **more: Any) -> Report:
    options = Options(settings=there.settings, run_id="r")
    return await report(question, model=clerk.model() if clerk else None, options=options, **more)


def texts(made: Report, number: int) -> list[str]:
    section = made.sections[number]
    return [made.claims[claim].text for paragraph in section.paragraphs for claim in paragraph]


async def test_sections_are_written_from_evidence_with_checked_citations(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        done = await made(there, Clerk())
    assert done.stop_reason is StopReason.ANSWERED
    assert done.plan.title == "Two houses"
    assert [section.title for section in done.sections] == ["Opening", "Direction"]
    assert texts(done, 0) == [OPENS]
    assert RUNS in texts(done, 1)
    assert done.verified
    assert [source.url for source in done.sources_of(done.sections[0])] == [f"{there.url}library"]
    assert [source.url for source in done.sources] == [f"{there.url}library", f"{there.url}museum"]
    assert OPENS in done.text
    assert done.model == "scripted"
    assert done.fare.pages == 2
    assert done.fare.calls > 0


async def test_over_real_http_to_the_model(tmp_path: Path) -> None:
    async with place(tmp_path) as there, serve_endpoint(Clerk().reply) as stub:
        settings = there.settings.model_copy(update={"model": "endpoint:stub", "base_url": stub.url})
        done = await report(QUESTION, options=Options(settings=settings))
    assert texts(done, 0) == [OPENS]
    assert done.verified
    assert done.fare.calls == stub.paid


async def test_without_a_model_the_parts_of_the_question_are_answered_by_quotes(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        done = await made(there, None)
    assert [section.question for section in done.sections] == [
        "When does the Northgate library open?",
        "Who runs the Eastwick museum?",
    ]
    assert (texts(done, 0), texts(done, 1)) == ([OPENS], [RUNS])
    assert done.verified
    assert done.model == ""


@pytest.mark.parametrize("clerk", [Clerk(), None], ids=["chat", "lexical"])
async def test_nothing_found_is_no_report(tmp_path: Path, clerk: Clerk | None) -> None:
    async with place(tmp_path, {"/roof": html("Roof", "<p>The roof was mended.</p>")}) as there:
        done = await made(there, clerk)
    assert done.stop_reason is StopReason.NO_SOURCES
    assert (done.text, done.claims, done.sources) == ("", (), ())
    assert [section.stop_reason for section in done.sections] == [StopReason.NO_SOURCES] * 2


@pytest.mark.parametrize("says", ["It opens at noon, everybody knows.", "It opens at noon [1]."])
async def test_a_section_without_evidence_is_never_made_up(tmp_path: Path, says: str) -> None:
    clerk = Clerk(instead={"act": f"<answer>{says}</answer>", "write": {"text": says}})
    async with place(tmp_path) as there:
        done = await made(there, clerk)
    assert (done.text, done.claims) == ("", ())
    assert done.stop_reason is StopReason.NO_SOURCES
    assert [drop["text"] for drop in kinds(log(there.settings, "r"), "text_dropped")] == [says.replace(" [1]", "")] * 2


async def test_a_statement_that_cites_nothing_is_shown_as_unverified(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        done = await made(there, Clerk(instead={"write": {"text": f"{OPENS} [1] It is lovely. It is large [9]."}}))
    first, second, third = done.claims_in(done.sections[0])
    assert first.verified
    assert (second.text, second.problem) == ("It is lovely.", "it cites nothing")
    assert (third.text, third.problem) == ("It is large.", "there is no evidence [9]")


async def test_a_text_that_cites_nothing_gives_way_to_what_was_found(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        done = await made(there, Clerk(instead={"write": {"text": "It is lovely."}}))
    assert OPENS in texts(done, 0)
    assert "lovely" not in done.text


async def test_a_failing_model_leaves_the_parts_of_the_question_and_what_was_found(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        done = await made(there, Clerk(instead={"clarify": [], "plan": {"sections": []}, "write": "none"}))
    assert [section.question for section in done.sections] == [
        "When does the Northgate library open?",
        "Who runs the Eastwick museum?",
    ]
    assert OPENS in texts(done, 0)
    assert BadReply.__name__ in {event["error"] for event in kinds(log(there.settings, "r"), "degraded")}


async def test_sections_that_ask_or_say_the_same_are_merged(tmp_path: Path) -> None:
    opening, direction = PLAN["sections"]
    again = {"title": "Hours", "question": "The Northgate library: when does it open?"}
    other = {"title": "Doors", "question": "Which hour does the Northgate library name?"}
    clerk = Clerk(plan={"title": "t", "sections": [opening, again, other, direction]})
    async with place(tmp_path) as there:
        done = await made(there, clerk)
    assert [section.title for section in done.plan.sections] == ["Opening", "Doors", "Direction"]
    assert [section.title for section in done.sections] == ["Opening", "Direction"]
    assert done.sections[0].also == (other["question"],)
    assert len({claim.text for claim in done.claims}) == len(done.claims)


async def test_a_table_has_every_row_that_was_asked_for(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        done = await made(there, Clerk(plan=TABLE))
    table = done.sections[0].table
    assert table
    assert table.rows == ("Northgate library", "Southwold archive")
    assert table.absent == ("Southwold archive",)
    assert table.filled == 1
    number = table.cells[0][0]
    assert number is not None
    assert done.claims[number].text == "13:45"
    assert done.claims[number].verified
    assert "Southwold archive: opens: not found; seats: not found" in done.text


async def test_a_row_that_was_missed_is_looked_for_by_itself(tmp_path: Path) -> None:
    pages = {**PAGES, "/archive": html("Southwold archive", "<p>The Southwold archive opens at 10:15.</p>")}
    seen: list[str] = []
    clerk = Clerk(plan=TABLE)
    first = clerk.read

    def forgetful(user: str) -> dict[str, Any]:
        seen.append(user)
        found = first(user)
        return found if "—" in user else {**found, "evidence": [e for e in found["evidence"] if "Southwold" not in e]}

    clerk.instead = {"read": forgetful}
    async with place(tmp_path, pages) as there:
        done = await made(there, clerk)
    assert done.sections[0].table
    assert done.sections[0].table.absent == ()
    assert any("Southwold archive: opens, seats —" in user for user in seen)


@pytest.mark.parametrize(
    "cell",
    [
        {"row": 3, "column": 1, "value": "x", "evidence": 1},
        {"row": 1, "column": 0, "value": "x", "evidence": 1},
        {"row": 1, "column": 1, "value": "x", "evidence": 99},
        {"row": 1, "column": 1, "value": "x", "evidence": 0},
        {"row": 1, "column": 1, "value": " ", "evidence": 1},
    ],
)
async def test_a_cell_without_evidence_is_not_found(tmp_path: Path, cell: dict[str, Any]) -> None:
    async with place(tmp_path) as there:
        done = await made(there, Clerk(plan=TABLE, instead={"fill": {"cells": [cell]}}))
    assert done.sections[0].table
    assert done.sections[0].table.filled == 0
    assert kinds(log(there.settings, "r"), "cell_dropped")


async def test_conflicts_name_their_claims_in_the_whole_report(tmp_path: Path) -> None:
    pages = {**PAGES, "/old": html("Northgate library, old page", "<p>The Northgate library opens at 9:00.</p>")}

    def write(user: str) -> dict[str, Any]:
        text = Clerk().write(user)["text"]
        sides = "".join(re.findall(r"opens at \S+ (\[\d+\])", text))
        return {"text": f"{text}\n\nConflict: the hour {sides}" if "9:00" in text else text}

    async with place(tmp_path, pages) as there:
        done = await made(there, Clerk(instead={"write": write}))
    (conflict,) = done.conflicts
    assert conflict.about == "the hour"
    assert {"9:00", "13:45"} <= {word.strip(".") for n in conflict.claims for word in done.claims[n].text.split()}
    assert done.sections[0].conflicts == done.conflicts


async def test_what_one_section_read_serves_the_next(tmp_path: Path) -> None:
    both = {"/both": html("Both houses", f"<p>{OPENS}</p><p>{RUNS}</p>")}
    async with place(tmp_path, both) as there:
        done = await made(there, None)
    assert (texts(done, 0), texts(done, 1)) == ([OPENS], [RUNS])
    assert done.fare.pages == 1


async def test_a_folder_can_be_reported_on(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "library.md").write_text(f"# Northgate library\n\n{OPENS}\n")
    async with place(tmp_path / "home") as there:
        done = await made(there, None, "When does the Northgate library open?", asking=Asking(corpus=folder))
    assert texts(done, 0) == [OPENS]
    assert there.requests == []


async def test_the_report_is_in_the_trace(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        done = await made(there, Clerk())
    events = log(there.settings, "r")
    assert read_report(events) == done
    assert [section["title"] for section in kinds(events, "section")] == ["Opening", "Direction"]
    assert kinds(events, "plan")[0]["plan"]["title"] == "Two houses"
    with pytest.raises(TraceError, match="has not ended"):
        read_report(events[:-1])
    with pytest.raises(TraceError, match="made no report"):
        read_report([])


async def test_an_empty_question_leaves_no_run(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        with pytest.raises(ConfigError, match="empty"):
            await made(there, None, " ")
        settings = there.settings.model_copy(update={"ask": there.settings.ask.model_copy(update={"mind": "chat"})})
        with pytest.raises(ConfigError, match="needs a model"):
            await report(QUESTION, options=Options(settings=settings, run_id="r"))
    assert not list(tmp_path.glob("runs/*"))
