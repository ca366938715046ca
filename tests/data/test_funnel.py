"""The funnel: the first rule that speaks drops, everything counts once, and the report shows no markup of others."""

from collections.abc import Sequence

import pytest
from funnel_kit import ACTIONS, CLEAN, PLAN, trajectory
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError, UnknownPlugin
from webfarer.core.fare import Fare
from webfarer.core.specs import id_of, made, spec_of
from webfarer.data.funnel import Funnel, report, rules_of, sift
from webfarer.data.funnel_page import markdown, page
from webfarer.data.rule import RULES, Jury, Rule
from webfarer.data.trajectory import Trajectory
from webfarer.models.ruled import Ruled

RULES_ALL = rules_of()
KEPT = f"{PLAN.digest}/q.1"
WRONG = {"named": {"correct": 0.0}}
SOME = [
    trajectory(result_run="q.1"),
    trajectory(result_run="q.2", result_marks=WRONG, actions=ACTIONS[:1], item_cells={"type": "two"}),
    trajectory(CLEAN[0].replace("}}", "}"), result_run="q.3", result_marks=WRONG),
    trajectory(result_run="q.4", result_answer=None, result_marks={}, result_lost=Fare(tokens=360, usd=0.25)),
]


async def funnel(
    trajectories: Sequence[Trajectory], rules: Sequence[Rule], jury: Jury = Jury(), *, audit: bool = False
) -> Funnel:
    """Return what becomes of trajectories."""
    verdicts = [await sift(each, rules, jury, audit=audit) for each in trajectories]
    return report(verdicts, rules, audit=audit)


async def test_the_first_rule_that_speaks_drops_and_an_audit_asks_them_all() -> None:
    plain = await funnel(SOME, rules_of())
    assert {step.rule: step.dropped.count for step in plain.steps if step.dropped.count} == {
        "json": 1,
        "finished": 1,
        "right": 1,
    }
    assert {step.alone for step in plain.steps} == {None}
    audit = await funnel(SOME, rules_of(), audit=True)
    assert audit.runs == plain.runs == (KEPT,)
    assert {step.rule: step.alone for step in audit.steps if step.alone} == {
        "json": 1,
        "finished": 1,
        "right": 3,
        "actions": 1,
    }
    assert [step.dropped for step in audit.steps] == [step.dropped for step in plain.steps]


async def test_it_counts_cells_and_fare_and_shows_examples() -> None:
    told = await funnel(SOME, rules_of())
    assert (told.seen.count, told.kept.count) == (4, 1)
    assert told.seen.cells == {"type": {"one": 3, "two": 1}}
    assert told.kept.cells == {"type": {"one": 1}}
    right = next(step for step in told.steps if step.rule == "right")
    assert right.dropped.cells == {"type": {"two": 1}}
    assert [(each.run, each.answer, each.reason) for each in right.examples] == [
        (f"{PLAN.digest}/q.2", "1931", "the answer is wrong")
    ]
    assert told.fare["usd"] == 1.75
    assert told.fare["tokens"] == 4 * 360
    assert told.fare_kept["tokens"] == told.cost("tokens") / 4 == 360  # type: ignore[operator]
    assert Funnel.model_validate_json(told.model_dump_json()) == told
    assert (await funnel(SOME[1:], rules_of())).cost("usd") is None


async def test_marking_belongs_to_the_fare_and_a_run_is_told_from_one_of_another_plan() -> None:
    other = trajectory(result_judging=Fare(tokens=40, usd=0.5), plan=PLAN.model_copy(update={"seed": 9}))
    told = await funnel([SOME[0], other], rules_of())
    assert (told.fare["tokens"], told.cost("usd")) == (2 * 360 + 40, 0.75)
    assert len(set(told.runs)) == 2


async def test_examples_are_as_many_as_are_asked_for() -> None:
    rules = rules_of()
    verdicts = [await sift(SOME[1], rules, Jury()) for _ in range(9)]
    assert [len(step.examples) for step in report(verdicts, rules, examples=3).steps if step.dropped.count] == [3]


@given(st.lists(st.sampled_from(SOME), max_size=9))
async def test_whatever_is_seen_is_kept_or_dropped_once(some: list[Trajectory]) -> None:
    told = await funnel(some, RULES_ALL, audit=True)
    assert told.seen.count == len(some) == told.kept.count + sum(step.dropped.count for step in told.steps)
    assert all((step.alone or 0) >= step.dropped.count for step in told.steps)
    assert len(told.runs) == told.kept.count


def test_rules_are_named_with_their_numbers_and_made_in_the_order_of_their_stages() -> None:
    assert [id_of(rule) for rule in rules_of()][:6] == ["tags", "json", "tools", "finished", "right", "repetition"]
    assert {"judge", "screen"}.isdisjoint(map(id_of, rules_of()))
    chosen = rules_of(["judge", "repetition:n=3"], without=["thoughts", "rate"])
    assert [id_of(rule) for rule in chosen][4:7] == ["right", "judge", "repetition"]
    assert spec_of(chosen[6]) == "repetition:n=3,most=4"
    assert {"thoughts", "rate"}.isdisjoint(map(id_of, chosen))


@pytest.mark.parametrize(
    ("specs", "says"),
    [
        (["repetition:m=3"], "known: n=10, most=4"),
        (["repetition:n=few"], "n='few' is not one of: int"),
        (["tags:n=1"], "known: none"),
        (["repetition", "repetition:n=3"], "named twice"),
    ],
)
def test_a_rule_that_cannot_be_made_says_what_could(specs: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        rules_of(specs)


def test_an_unknown_rule_is_an_error_also_where_it_is_left_out() -> None:
    with pytest.raises(UnknownPlugin, match="addresses"):
        rules_of(["nonsense"])
    with pytest.raises(UnknownPlugin, match="addresses"):
        rules_of(without=["nonsense"])


@pytest.mark.parametrize("name", RULES.ids())
def test_a_rule_is_read_back_from_what_it_is_written_as(name: str) -> None:
    assert made(RULES, spec_of(made(RULES, name))) == made(RULES, name)


async def test_a_rule_that_asks_needs_a_model() -> None:
    rules = rules_of(["judge"])
    with pytest.raises(ConfigError, match="--judge"):
        await funnel(SOME, rules)
    assert (await funnel(SOME, rules, Jury(Ruled("overlap")))).runs == (KEPT,)


async def test_the_page_runs_nothing_and_shows_drops_as_text() -> None:
    evil = trajectory(result_marks=WRONG, item_question="<script>alert(1)</script>?", answer_text='"><img src=x>')
    told = await funnel([*SOME, evil], rules_of(), audit=True)
    html, text = page(told), markdown(told)
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;?" in html
    assert "default-src &#x27;none&#x27;" in html or "default-src 'none'" in html
    assert "<summary>right: 2 of 2 dropped</summary>" in html
    assert "Funnel: 1 of 5 trajectories kept" in html
    assert "| correctness | right | 2 | 4 | 1 | 20.0 % |" in text
    assert "| usd | 2.25 | 0.5 | 2.25 |" in text


async def test_nothing_is_kept_of_nothing() -> None:
    told = await funnel([], rules_of())
    assert "0 of 0" in page(told)
    assert "right" in markdown(told)
