"""Trajectories: what agents did, as their traces tell it; addresses that nobody named; attempts that cannot be read."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from trace_kit import QUESTION, SITE, Desk, act, fetched, observed, said

from webfarer.core.errors import ConfigError
from webfarer.data.trajectories import trajectories
from webfarer.data.trajectory import Trajectory
from webfarer.evals.records import Folder

A, B, C = (f"{SITE}/{name}" for name in "abc")


def read(desk: Desk) -> Trajectory:
    (trajectory,) = trajectories(desk.folder)
    return trajectory


def test_a_search_and_what_each_call_brought(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    page = desk.page("/a", f'<h1>A</h1><p>It says so. <a href="{B}">B</a></p>')
    events = [
        act(("search", {"query": ["alder"]})),
        observed("search", hits=[A]),
        act(("visit", {"url": [A, C], "goal": "x"}), ("visit", {"url": [f"{A}/"], "goal": "y"}), thought="read"),
        *fetched(4, page),
        ("evidence_dropped", {"page": page["record"], "quote": "green cheese", "why": ""}),
        observed("visit", pages=[page], problems=[(C, "UnknownOrigin", "nobody named it")]),
        observed("visit", pages=[page]),
        act(("visit", {"url": [B], "goal": "z"})),
    ]
    desk.attempt(events)
    one = read(desk)
    search, visit, again, last = one.actions
    assert (search.name, search.arguments, search.found, search.step) == ("search", {"query": ["alder"]}, (A,), 1)
    assert (visit.named, visit.unnamed, visit.read, visit.thought, visit.step) == ((A,), (C,), (A,), "read", 2)
    assert visit.problems == (f"UnknownOrigin: {C}: nobody named it",)
    assert visit.invented == ("green cheese",)
    assert (again.named, again.problems, again.step) == ((f"{A}/",), (), 2)
    assert (last.named, last.problems) == ((B,), ("the run ended before this was done",))
    assert one.pages is not None
    assert one.hashes is not None
    assert one.pages[A].id == page["record"]
    assert one.pages.keys() == one.hashes.keys() == {A}
    assert one.right


def test_what_a_model_was_shown_is_named_and_what_it_invented_stays_invented(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    events = [
        *said(1, f"{QUESTION} The user names {A}.", "thinking"),
        act(("visit", {"url": [A, B], "goal": "x"})),
        observed("visit", problems=[(A, "HttpStatus", "404"), (B, "UnknownOrigin", "")]),
        *said(5, f"Failed (UnknownOrigin): {B}", None),
        act(("visit", {"url": [B], "goal": "x"})),
        observed("visit"),
        act(("search", {"query": ["b"]})),
        observed("search", hits=[B]),
        act(("walk", {"url": B, "goal": "x"})),
        observed("walk"),
    ]
    desk.attempt(events, correct=0.0)
    one = read(desk)
    assert [action.unnamed for action in one.actions] == [(B,), (B,), (), ()]
    assert one.actions[3].named == (B,)
    assert [call.reply and call.reply.text for call in one.said] == ["thinking", None]
    assert one.said[0].messages[0]["content"].startswith(QUESTION)
    assert not one.right


def test_a_refusal_is_that_of_the_last_reply_that_begins_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    back = "Action: back"
    refused = ("malformed", {"problem": "no page before", "text": back})
    desk.attempt([*said(1, QUESTION, back), *said(3, QUESTION, back), refused, *said(6, QUESTION, back)])
    assert [call.refused for call in read(desk).said] == ["", "no page before", ""]


@pytest.mark.parametrize(("text", "refused"), [("I know: 1931.", True), ('{"name": "search", "arguments": {}}', False)])
def test_tools_that_the_server_did_not_take_were_not_offered(text: str, refused: bool, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    call, result = said(1, QUESTION, text)
    call[1]["request"]["tools"] = [{"name": "search", "description": "", "parameters": {}}]
    result[1]["value"]["degraded"] = ["tools"]
    desk.attempt([call, result])
    (one,) = read(desk).said
    assert one.reply is not None
    assert (one.tools, bool(one.refused)) == ((), refused)


def test_a_page_belongs_to_the_walk_that_began_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    def arrived(url: str) -> tuple[str, dict[str, object]]:
        return "page", {"page": "x", "url": url, "title": "", "links": 0, "new": True, "truncated": False}

    there = [f"{SITE}/", "http://beech.test/"]
    walks = [("walk", {"url": url, "goal": "x"}) for url in (A, *there)]
    moved = "http://beech.test/en"  # where the last one is sent on to
    lost = [(A, "UnknownOrigin", "nobody named it")]
    hits = [act(("search", {"query": ["beech"]})), observed("search", hits=there)]
    desk.attempt([*hits, act(*walks), arrived(there[0]), arrived(moved), observed("walk", problems=lost)])
    assert [action.read for action in read(desk).actions[1:]] == [(), (there[0],), (moved,)]


def test_a_walk_and_a_walk_within_a_search(tmp_path: Path) -> None:
    desk = Desk(tmp_path, runs=2)
    there = {"on": SITE, "link": 1, "label": "A", "thought": "this way"}
    lost = ("nowhere", {"url": B, "error": "HttpStatus", "message": "404"})
    arrived = ("page", {"page": "x", "url": A, "title": "", "links": 0, "new": True, "truncated": False})
    clicks = [
        ("click", {**there, "url": A}),
        arrived,
        ("note_dropped", {"page": "x", "quote": "cheese", "statement": "", "why": ""}),
        ("click", {**there, "url": B}),
        lost,
        ("back", {"thought": "no", "url": A, "title": ""}),
    ]
    desk.attempt([arrived, *clicks], 1)
    desk.attempt([act(("walk", {"url": f"{SITE}/", "goal": "x"})), arrived, *clicks, observed("walk")], 2)
    alone, within = trajectories(desk.folder)
    assert [(action.step, action.name) for action in alone.actions] == [(1, "click"), (2, "click"), (3, "back")]
    first, second, third = alone.actions
    assert (first.read, first.problems, first.invented) == ((A,), (), ("cheese",))
    assert (second.read, second.problems) == ((), (f"HttpStatus: {B}: 404",))
    assert (first.arguments["label"], third.thought) == ("A", "no")
    assert [action.name for action in within.actions] == ["walk", "click", "click", "back"]
    assert (within.actions[0].named, within.actions[0].read) == ((f"{SITE}/",), (A,))
    assert within.actions[1:] == tuple(replace(action, step=action.step + 1) for action in alone.actions)


def test_attempts_that_cannot_be_read_are_left_out_and_counted(tmp_path: Path) -> None:
    desk = Desk(tmp_path, runs=4)
    for number in (1, 2, 3):
        desk.attempt([act(("search", {"query": ["a"]})), observed("search", hits=[A])], number)
    torn, wrong = (desk.folder.trace(result.run) for result in list(desk.folder.results())[:2])
    torn.write_text(torn.read_text().replace('"seq":1', '"seq":7'))
    wrong.write_text(wrong.read_text().replace('"tool":"search","', '"').replace('"tool":"search"', '"toil":"search"'))
    skipped: Counter[str] = Counter()
    assert [each.result.number for each in trajectories(desk.folder, skipped)] == [3]
    assert skipped == {"unfinished": 1, "damaged": 2}
    with pytest.raises(ConfigError, match="no folder of an evaluation run"):
        next(trajectories(Folder(tmp_path / "nowhere")))


def test_a_page_that_the_archive_lacks_or_cannot_read_is_no_page(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    gone = {"record": "0" * 16, "url": C, "status": 200}
    desk.attempt([act(("visit", {"url": [C], "goal": "x"})), *fetched(2, gone), observed("visit", pages=[gone])])
    one = read(desk)
    assert (one.pages, one.hashes) == ({}, {})
    assert one.actions[0].read == (C,)
