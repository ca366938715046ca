"""The report card: what it counts, what it compares, and that it is made from folders alone."""

import json

import pytest
from card_kit import SITE, answer, attempt, failed, folder, item
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget, Fare
from webfarer.core.trace import TRACE_VERSION, Trace
from webfarer.core.types import StopReason
from webfarer.evals.card import Card, card, markdown, tables
from webfarer.evals.records import Folder

OUTCOME = st.sampled_from(["right", "wrong", "failed", "open"])
ITEMS = [item(1), item(2, difficulty="hard"), item(3, type="multi_source"), item(4, language="zh")]


def only(*folders):
    (entry,) = card(folders).entries
    return entry


def test_what_failed_or_is_not_finished_stays_in_the_denominator(tmp_path):
    one, two, three, four = ITEMS
    entry = only(folder(tmp_path, ITEMS, [attempt(one), attempt(two, right=False), failed(three)]))
    assert (entry.items, entry.attempts, entry.finished, entry.failed) == (4, 4, 3, 1)
    assert entry.unfinished == ("q4 #1",)
    assert entry.accuracy.mean == entry.pass_1.mean == entry.pass_k.mean == 0.25
    assert entry.accuracy.low < 0.25 < entry.accuracy.high
    assert entry.errors == {"ModelTimeout": 1}
    assert four.id not in entry.stops


def test_several_runs_of_an_item_are_averaged_and_pass_at_k_stands_apart(tmp_path):
    one, two = ITEMS[:2]
    tries = [attempt(one, right=number != 1, number=number) for number in (1, 2, 3)]
    tries += [attempt(two, right=False, number=number) for number in (1, 2)]
    entry = only(folder(tmp_path, ITEMS[:2], tries, runs=3))
    assert entry.accuracy.mean == pytest.approx((2 / 3 + 0) / 2)
    assert (entry.pass_1.mean, entry.pass_k.mean, entry.attempts) == (0, 0.5, 6)
    assert entry.unfinished == ("q2 #3",)
    assert entry.accuracy.items == 2


def test_cells_have_counts_and_type_by_difficulty_is_one_of_them(tmp_path):
    entry = only(folder(tmp_path, ITEMS, [attempt(one, right=one.id != "q2") for one in ITEMS]))
    found = {key: {cell.value: (cell.accuracy.mean, cell.accuracy.items) for cell in cells}
             for key, cells in entry.cells.items()}  # fmt: skip
    assert found["difficulty"] == {"easy": (1.0, 3), "hard": (0.0, 1)}
    assert found["language"] == {"en": (pytest.approx(2 / 3), 3), "zh": (1.0, 1)}
    assert found["type × difficulty"] == {
        "multi_source × easy": (1.0, 1),
        "single_source × easy": (1.0, 2),
        "single_source × hard": (0.0, 1),
    }


def test_failures_are_split_by_cause(tmp_path):
    one, two, three, four = ITEMS
    five, six = item(5), item(6).model_copy(update={"gold": ()})
    limit = answer("else", StopReason.TURNS)
    tries = [
        attempt(one, right=False),
        attempt(two, right=False, reached=False),
        attempt(three, right=False, reached=False, answer=limit),
        attempt(four, right=False, answer=limit),
        attempt(five, marks={}, unjudged={"named": "BadReply: no verdict"}),
        attempt(six, right=False),
    ]
    entry = only(folder(tmp_path, [*ITEMS, five, six, item(7)], tries))
    assert entry.fates == {
        "never_found": 1,
        "budget_spent": 1,
        "wrong_on_page": 2,  # it had what it needed, whatever ended it
        "gold_unknown": 1,
        "unjudged": 1,
        "unfinished": 1,
    }
    assert entry.unfinished == ("q5 #1", "q7 #1")
    assert sum(entry.fates.values()) == entry.attempts


def test_gold_pages_are_known_by_their_address_not_its_spelling(tmp_path):
    one = ITEMS[0].model_copy(update={"gold": ("https://www.site.test/1/",)})
    entry = only(folder(tmp_path, [one], [attempt(one, right=False, opened=(f"{SITE}/1#top",))]))
    assert entry.fates == {"wrong_on_page": 1}


def test_fare_of_an_item_and_of_a_right_answer_with_the_judge_apart(tmp_path):
    one, two, three = ITEMS[:3]
    tries = [attempt(one), attempt(two, answer=answer("a2", tokens=300, steps=4, usd=0.5)), attempt(three, right=False)]
    made = card([folder(tmp_path, ITEMS[:3], tries)])
    (entry,) = made.entries
    tokens = entry.fare["tokens"]
    assert (tokens.total, tokens.per_item, tokens.per_correct) == (500, pytest.approx(500 / 3), 250)
    assert entry.judging["tokens"].total == 30
    assert entry.actions == 3  # of the right ones alone
    assert "seconds" not in entry.fare
    assert "seconds" not in entry.judging
    assert made.circumstances[0].seconds.total == 1.5
    assert (entry.claims, entry.verified, entry.searches) == (6, 3, 1)


def test_a_failed_attempt_has_cost_what_its_calls_cost(tmp_path):
    one = ITEMS[0]
    made = folder(tmp_path, [one], [failed(one)])
    trace = Trace.create(made.trace(failed(one).run))
    trace.emit("start", version=TRACE_VERSION)
    for _ in range(2):
        trace.emit("result", call=1, cost={"tokens": 70, "usd": 0.25, "calls": 1})
    trace.close()
    entry = only(made)
    assert (entry.fare["tokens"].total, entry.fare["usd"].total, entry.fare["calls"].total) == (140, 0.5, 2)
    assert entry.fare["tokens"].per_correct is None


def test_shards_are_one_run_and_count_nothing_twice(tmp_path):
    items = [item(number) for number in range(1, 8)]
    tries = {one.id: attempt(one, right=one.id in ("q1", "q4")) for one in items}
    whole = only(folder(tmp_path / "whole", items, tries.values()))
    parts = [
        folder(tmp_path / str(n), items[n - 1 :: 3], [tries[i.id] for i in items[n - 1 :: 3]], shard=(n, 3))
        for n in (3, 1, 2)
    ]
    joined = only(*parts, parts[0])
    apart = {"shards"}
    assert joined.model_dump(exclude=apart) == whole.model_dump(exclude=apart)
    assert joined.shards == ("3/3", "1/3", "2/3")
    lacking = card(parts[:2])
    assert lacking.entries[0].lacking == ("2/3",)
    assert any("shard 2/3 was not given" in note for note in lacking.notes)


def test_the_same_shard_again_is_another_run(tmp_path):
    parts = [folder(tmp_path / str(n), ITEMS, [attempt(one) for one in ITEMS], shard=(1, 2)) for n in range(2)]
    made = card(parts)
    assert [entry.name for entry in made.entries] == ["walker (1)", "walker (2)"]
    assert [entry.attempts for entry in made.entries] == [4, 4]


def test_shards_that_disagree_on_an_item_are_refused(tmp_path):
    other = ITEMS[0].model_copy(update={"answer": "another"})
    parts = [folder(tmp_path / "1", ITEMS[:1], [], shard=(1, 2)), folder(tmp_path / "2", [other], [], shard=(2, 2))]
    with pytest.raises(ConfigError, match="'q1' is not what it is in"):
        card(parts)


def test_two_systems_on_the_same_questions_are_compared(tmp_path):
    items = [item(number) for number in range(10)]
    good = folder(tmp_path / "good", items, [attempt(one) for one in items])
    bad = folder(tmp_path / "bad", items, [attempt(one, right=one.id == "q0") for one in items], agent="react")
    (pair,) = card([good, bad]).pairs
    assert (pair.first, pair.second, pair.apart) == ("walker", "react", "")
    assert pair.compared.difference == pytest.approx(0.9)
    assert pair.compared.p == pair.p_holm == pytest.approx(2 / 2**9)
    assert pair.compared.low > 0


def test_holm_corrects_for_the_number_of_pairs(tmp_path):
    items = [item(number) for number in range(8)]
    made = card(
        [
            folder(
                tmp_path / agent, items, [attempt(one, right=at < right) for at, one in enumerate(items)], agent=agent
            )
            for agent, right in (("a", 8), ("b", 2), ("c", 1))
        ]
    )
    p = [pair.compared.p for pair in made.pairs]
    assert p == [pytest.approx(2 / 2**6), pytest.approx(2 / 2**7), 1.0]
    assert [pair.p_holm for pair in made.pairs] == [pytest.approx(2 * p[0]), pytest.approx(3 * p[1]), 1.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"setting": "search"}, "settings differ: click, search"),
        ({"judge": "openai:x"}, "judges differ: none, openai:x"),
        ({"scorers": ("exact",)}, "scorers differ: named.correct, exact.correct"),
        ({"split": "silver"}, "splits differ: none, silver"),
    ],
)
def test_what_does_not_compare_is_said_not_compared(tmp_path, change, said):
    made = card([folder(tmp_path / "1", ITEMS, []), folder(tmp_path / "2", ITEMS, [], **change)])
    (pair,) = made.pairs
    assert pair.compared is None
    assert pair.apart == said
    assert said in markdown(made)


def test_other_questions_do_not_compare_and_other_tasks_are_no_pair(tmp_path):
    other = [one.model_copy(update={"answer": "new"}) for one in ITEMS]
    first = folder(tmp_path / "1", ITEMS, [])
    assert card([first, folder(tmp_path / "2", other, [])]).pairs[0].apart == "items differ"
    assert card([first, folder(tmp_path / "3", ITEMS, [], task="gaia")]).pairs == ()


def test_budgets_make_a_curve(tmp_path):
    made = card(
        [
            folder(
                tmp_path / f"{agent}{steps}",
                ITEMS,
                [attempt(one, right=at < steps / 5) for at, one in enumerate(ITEMS)],
                budget=Budget(steps=steps, pages=100),
                agent=agent,
            )
            for agent, steps in (("walker", 15), ("walker", 5), ("walker", 10), ("react", 5))
        ]
    )
    (curve,) = made.curves
    assert (curve.name, curve.meter) == ("walker", "steps")
    assert [(limit, accuracy.mean) for limit, accuracy in curve.points] == [(5, 0.25), (10, 0.5), (15, 0.75)]
    assert made.entries[0].name == "walker · steps 15"


def test_entries_are_named_by_what_tells_them_apart(tmp_path):
    given = [{"settings": {"policy": "lexical"}}, {"settings": {}}, {"settings": {}}, {"model": "openai:x"}]
    made = card([folder(tmp_path / str(at), ITEMS, [], **one) for at, one in enumerate(given)])
    assert [entry.name for entry in made.entries] == [
        "walker · no model · policy lexical",
        "walker · no model (1)",
        "walker · no model (2)",
        "walker · openai:x",
    ]


def test_notes_name_what_a_reader_must_know(tmp_path):
    one, two = ITEMS[:2]
    made = card(
        [
            folder(tmp_path / "1", ITEMS[:2], [attempt(one, flags=("canary",)), failed(two)]),
            folder(tmp_path / "2", ITEMS[:2], [], setting="search"),
        ]
    )
    assert made.entries[0].flagged == ("q1 #1",)
    assert made.notes == (
        "world: settings differ (click, search); scores of two settings do not compare.",
        "walker · click: 1 of 2 attempts failed and count as wrong.",
        "walker · click: 1 of 2 attempts are flagged as contaminated.",
        "walker · search: 2 of 2 attempts are not finished and count as wrong.",
    )


def test_all_but_the_circumstances_is_the_same_whenever_it_is_run(tmp_path):
    def run(name, seconds, **given):
        tries = [
            attempt(one, answer=answer(one.answer, seconds=seconds), judging=Fare(seconds=seconds)) for one in ITEMS
        ]
        return card([folder(tmp_path / name, ITEMS, tries, **given)])

    first = run("first", 1.0)
    second = run("second", 9.0, started="2026-02-02T00:00:00Z", machine={"cores": 64}, commit="def")
    assert first != second
    apart = {"circumstances"}
    assert first.model_dump(exclude=apart) == second.model_dump(exclude=apart)
    clock = next(reversed(tables(first)))
    assert {title: rows for title, rows in tables(first).items() if title != clock} == {
        title: rows for title, rows in tables(second).items() if title != clock
    }


def test_a_card_is_json_and_markdown_keeps_its_tables_whole(tmp_path):
    made = card([folder(tmp_path, ITEMS, [attempt(one) for one in ITEMS], model="a|b <i>", agent="walker")])
    assert Card.model_validate_json(made.model_dump_json()) == made
    assert json.loads(made.model_dump_json())["entries"][0]["fare"]["tokens"]["total"] == 400
    text = markdown(made)
    assert "a\\|b \\<i\\>" in text
    widths = {
        line.replace("\\|", "").count("|")
        for line in text.split("## Results")[1].split("##")[0].splitlines()[2:]
        if line
    }
    assert len(widths) == 1


def test_no_folder_or_one_of_another_version_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="at least one"):
        card([])
    with pytest.raises(ConfigError, match="no folder of an evaluation run"):
        card([Folder(tmp_path)])
    folder(tmp_path / "old", ITEMS, [], version=0)
    with pytest.raises(ConfigError, match="version 0"):
        card([Folder(tmp_path / "old")])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    outcomes=st.lists(
        st.lists(st.sampled_from(["right", "wrong", "failed", "open"]), min_size=2, max_size=2), max_size=5
    )
)
def test_attempts_are_all_counted_once_whatever_came_of_them(tmp_path_factory, outcomes):
    items = [item(number) for number in range(len(outcomes))]
    tries = [
        failed(one, number=at) if outcome == "failed" else attempt(one, right=outcome == "right", number=at)
        for one, row in zip(items, outcomes, strict=True)
        for at, outcome in enumerate(row, 1)
        if outcome != "open"
    ]
    entry = only(folder(tmp_path_factory.mktemp("run"), items, tries, runs=2))
    flat = [outcome for row in outcomes for outcome in row]
    assert sum(entry.fates.values()) == entry.attempts == len(flat)
    assert entry.finished + len(entry.unfinished) == entry.attempts
    assert entry.accuracy.mean == pytest.approx(flat.count("right") / max(1, len(flat)))
    assert entry.pass_1.mean <= entry.pass_k.mean
    assert entry.accuracy.mean <= entry.pass_k.mean
