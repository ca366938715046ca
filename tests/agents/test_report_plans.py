"""Plans: their text, the one question back, what a person may change, and what happens without one."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_kit import OPENS, PLAN, QUESTION, Clerk, Somebody, place
from walk_kit import kinds, log

from webfarer.agents.people import Person
from webfarer.agents.plans import Grid, Plan, PlannedSection, as_text, merged, read_plan, section_of
from webfarer.agents.reporter import Reporting
from webfarer.agents.reports import Report
from webfarer.agents.runs import Options, replay, report
from webfarer.core.fare import Budget
from webfarer.models.scripted import Scripted

UNCLEAR = {"unclear": True, "question": "Which Northgate?", "assumption": "the one in Kent"}


def names() -> st.SearchStrategy[list[str]]:
    return st.lists(st.text(), max_size=4)


def section(title: str, question: str, rows: tuple[str, ...], columns: tuple[str, ...]) -> PlannedSection:
    made = section_of(title, question, rows, columns)
    assert made
    return made


@given(st.text(), st.lists(st.tuples(st.text(), st.text(), names(), names()), min_size=1))
def test_a_plan_is_read_back_from_its_text_as_it_was(title: str, given: list[tuple[Any, ...]]) -> None:
    sections = tuple(filter(None, (section_of(*each) for each in given)))
    plan = Plan(title=f"T {title}", sections=sections)
    assert read_plan(as_text(plan), plan.title) == (plan if sections else None)


@given(st.text())
def test_any_text_is_a_plan_or_none(text: str) -> None:
    plan = read_plan(text, "title")
    assert plan is None or (plan.sections and all(each.title and each.question for each in plan.sections))


def test_the_text_of_a_plan() -> None:
    plan = Plan(
        title="T", sections=(section("A", "Dogs, how big?", (), ()), section("B", "Why b?", ("x", "y"), ("p",)))
    )
    text = "# T\n\n## A\nQuestion: Dogs, how big?\n\n## B\nQuestion: Why b?\nRows: x; y\nColumns: p"
    assert as_text(plan) == text
    assert read_plan(text) == plan
    assert read_plan("## B\nWhy\n b?\nrows：x；y\n列: p", "T") == Plan(title="T", sections=plan.sections[1:])


def test_merging_joins_tables_of_the_same_columns() -> None:
    one, two = section("A", "Dogs, how big?", ("x",), ("p",)), section("B", "How big (dogs)?", ("y", "x"), ("p",))
    other = section("C", "Dogs, how big?", ("x",), ("q",))
    both = merged(Plan(title="T", sections=(one, two, other)))
    assert [each.title for each in both.sections] == ["A", "C"]
    assert both.sections[0].grid == Grid(rows=("x", "y"), columns=("p",))
    assert merged(both) == both


async def planned(tmp_path: Path, clerk: Clerk | None, person: Person | None, **more: Any) -> tuple[Report, list[str]]:
    """Return a report and the plans' prompts."""
    prompts: list[str] = []
    model = None
    if clerk:
        first = clerk.plan

        def plan(user: str) -> Any:
            prompts.append(user)
            return first

        clerk.instead = {"plan": plan, **clerk.instead}
        model = clerk.model()
    async with place(tmp_path) as there:
        options = Options(settings=there.settings, run_id="r", person=person)
        done = await report(QUESTION, model=model, options=options, **more)
        assert await replay("r", options=Options(settings=there.settings)) == done
    return done, prompts


async def test_what_is_unclear_is_asked_once_and_goes_into_the_plan(tmp_path: Path) -> None:
    person = Somebody(["the one in Wales"])
    done, prompts = await planned(tmp_path, Clerk(instead={"clarify": UNCLEAR}), person)
    assert person.asked == [("Which Northgate?", "Without an answer: the one in Kent")]
    assert done.clarification
    assert done.clarification.answer == "the one in Wales"
    assert "The answer: the one in Wales" in prompts[0]
    assert done.fare.turns == 1


@pytest.mark.parametrize("turns", [None, 0])
async def test_without_an_answer_the_assumption_is_taken_and_shown(tmp_path: Path, turns: int | None) -> None:
    person = Somebody([]) if turns == 0 else None
    done, prompts = await planned(
        tmp_path, Clerk(instead={"clarify": UNCLEAR}), person, budget=Budget(turns=turns, steps=20)
    )
    assert done.clarification
    assert (done.clarification.answer, done.clarification.assumption) == ("", "the one in Kent")
    assert "Assume: the one in Kent" in prompts[0]
    assert done.fare.turns == 0


@pytest.mark.parametrize("verdict", [{**UNCLEAR, "unclear": "true"}, {"unclear": True}, {"question": "Which?"}])
async def test_only_a_clear_verdict_asks_back(tmp_path: Path, verdict: dict[str, Any]) -> None:
    person = Somebody([])
    done, _ = await planned(tmp_path, Clerk(instead={"clarify": verdict}), person)
    assert done.clarification is None
    assert person.asked == []


@pytest.mark.parametrize("says", ["ok", "OK.", "", "好的"])
async def test_a_plan_that_is_approved_stays(tmp_path: Path, says: str) -> None:
    person = Somebody([says])
    done, _ = await planned(tmp_path, Clerk(), person, reporting=Reporting(approve=True))
    assert [each.title for each in done.sections] == ["Opening", "Direction"]
    assert person.asked[0][1] == as_text(done.plan)


@pytest.mark.parametrize("clerk", [Clerk(), None], ids=["chat", "lexical"])
async def test_a_person_may_rewrite_the_plan(tmp_path: Path, clerk: Clerk | None) -> None:
    wanted = "# Mine\n\n## Hours\nQuestion: When does the Northgate library open?"
    done, _ = await planned(tmp_path, clerk, Somebody([wanted]), reporting=Reporting(approve=True))
    assert as_text(done.plan) == wanted
    assert [claim.text for claim in done.claims] == [OPENS]


async def test_a_wish_goes_to_the_model_with_the_plan(tmp_path: Path) -> None:
    done, prompts = await planned(
        tmp_path, Clerk(), Somebody(["leave out the museum"]), reporting=Reporting(approve=True)
    )
    assert len(prompts) == 2
    assert "Change it so: leave out the museum" in prompts[1]
    assert "## Direction" in prompts[1]
    assert done.fare.turns == 1


async def test_a_wish_without_a_model_leaves_the_plan_and_says_so(tmp_path: Path) -> None:
    done, _ = await planned(tmp_path, None, Somebody(["shorter"]), reporting=Reporting(approve=True))
    assert len(done.plan.sections) == 2
    async with place(tmp_path) as there:
        assert "shorter" in kinds(log(there.settings, "r"), "degraded")[0]["message"]


async def test_a_model_may_not_plan_more_sections_than_wanted(tmp_path: Path) -> None:
    many = [{"title": f"S{n}", "question": f"When does library number {n} open?"} for n in range(30)]
    done, _ = await planned(
        tmp_path, Clerk(plan={**PLAN, "sections": many}), None, reporting=Reporting(sections=3), budget=Budget(steps=6)
    )
    assert len(done.plan.sections) == 3


async def test_addresses_a_person_writes_into_the_plan_may_be_opened(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        target = f"{there.url}library"
        visit = json.dumps({"name": "visit", "arguments": {"url": [target], "goal": "opening"}})
        plan = f"# T\n\n## Hours\nQuestion: When does {target} say the library opens?"
        for person, opened in ((Somebody([plan]), 1), (None, 0)):
            options = Options(settings=there.settings, person=person)
            script = ['{"unclear": false}', json.dumps(PLAN), f"<tool_call>{visit}</tool_call>"]
            rest: list[Any] = ["<answer>Nothing.</answer>"] if person is None else [Clerk()]
            model = Scripted([*script, *rest * 30])
            await report("When does it open?", model=model, options=options, reporting=Reporting(approve=True))
            assert there.requests.count("/library") == opened
            there.requests.clear()
