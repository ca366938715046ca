"""People in the loop: asked once, recorded, charged; without one, the cautious default."""

from pathlib import Path
from typing import Any

import pytest
from ask_kit import CITED, ROOM, Actor, Place, Saying, place, search, visit
from walk_kit import QUESTION, TRUTH

from webfarer.agents.asking import Asking
from webfarer.agents.people import consult
from webfarer.agents.runs import Options, replay, resume
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import StopReason

KNOWN = {"/": "library"}  # the search engine knows the home page; the model guesses the rest


def guessing(there: Place, *paths: str) -> Actor:
    return Actor(search("library"), visit(*map(there.url, paths or (ROOM,))), CITED)


@pytest.mark.parametrize(("said", "opened"), [("yes", 1), ("no", 0), ("certainly", 0), ("", 0)])
async def test_an_address_of_unknown_origin_is_opened_only_when_a_person_says_yes(
    tmp_path: Path, said: str, opened: int
) -> None:
    person = Saying(said)
    async with place(tmp_path, known=KNOWN) as there:
        asked = await there.ask(guessing(there), person=person)
        assert there.opened().count(f"/{ROOM}") == opened
        assert [shown for _, shown in person.asked] == [there.url(ROOM)]
        assert asked.answer.fare.turns == 1
        assert asked.problems == [] if opened else ["UnknownOrigin"]
        assert asked.answer.verified == bool(opened)


@pytest.mark.parametrize("nobody", [None, "no turn left"])
async def test_without_a_person_or_a_turn_it_stays_shut_and_nothing_is_recorded(
    tmp_path: Path, nobody: str | None
) -> None:
    person = Saying("yes") if nobody else None
    async with place(tmp_path, known=KNOWN) as there:
        asked = await there.ask(guessing(there), Budget(turns=0), person=person)
        assert there.opened() == []
        assert asked.problems == ["UnknownOrigin"]
        assert not [call for call in asked["call"] if call["kind"] == "person"]
        assert person is None or person.asked == []


async def test_no_more_is_asked_than_the_turns_of_the_budget(tmp_path: Path) -> None:
    person = Saying("yes")
    async with place(tmp_path, known=KNOWN) as there:
        asked = await there.ask(guessing(there, ROOM, "news", "people"), Budget(turns=2), person=person)
        assert len(person.asked) == asked.answer.fare.turns <= 2
        assert len(there.opened()) == len(person.asked)
        assert asked.problems == ["UnknownOrigin"] * (3 - len(person.asked))
        assert asked.answer.stop_reason is StopReason.ANSWERED


async def test_once_allowed_it_stays_allowed(tmp_path: Path) -> None:
    person = Saying("yes")
    async with place(tmp_path, known=KNOWN) as there:
        again = visit(there.url(ROOM), goal="something else")
        asked = await there.ask(Actor(visit(there.url(ROOM)), again, CITED), person=person)
        assert len(person.asked) == 1
        assert asked.answer.text == TRUTH


async def test_a_person_who_saw_a_long_address_may_allow_it_and_nobody_is_asked_about_other_sites(
    tmp_path: Path,
) -> None:
    person = Saying("yes")
    async with place(tmp_path, known=KNOWN) as there:
        long = there.url(f"{ROOM}?q={'x' * 600}")
        asked = await there.ask(Actor(visit(long), CITED), person=person)
        assert asked.answer.verified
        where = Asking(sites=(f"{there.url()}visit",))
        asked = await there.ask(Actor(visit(there.url("news")), CITED), asking=where, person=person)
        assert asked.problems == ["Refused"]
        assert [shown for _, shown in person.asked] == [long]


async def test_what_a_person_said_is_replayed_and_resumed_without_one(tmp_path: Path) -> None:
    person = Saying("yes")
    async with place(tmp_path, known=KNOWN) as there:
        actor = guessing(there, ROOM, "news")
        asked = await there.ask(actor, person=person, run_id="r")
        chosen = there.settings()
    path = tmp_path / "runs" / "r.jsonl"
    before = path.read_bytes()
    assert await replay("r", options=Options(settings=chosen)) == asked.answer
    assert await resume("r", model=actor.model(), options=Options(settings=chosen)) == asked.answer
    assert path.read_bytes() == before
    assert len(person.asked) == 2


@pytest.mark.parametrize(
    ("said", "choices", "expected"),
    [("blue", (), "blue"), ("  ", (), "red"), ("blue", ("red", "blue"), "blue"), ("pink", ("red", "blue"), "red")],
)
async def test_consulting(said: str, choices: tuple[str, ...], expected: str) -> None:
    run = Run("r", Trace.create())
    options: dict[str, Any] = {"choices": choices, "default": "red"}
    assert await consult(run, Saying(said), QUESTION, **options) == expected
    assert await consult(run, None, QUESTION, **options) == "red"
    assert run.ledger.fare.turns == 1
