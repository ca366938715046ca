"""Sheets are functions of their seed; grading goes by question number."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError, UnknownPlugin
from webfarer.worlds.exam import EXAMS, FIRST_TRAINING_SEED, MOST_QUESTIONS, Exam, Sheet, answers, grade, vocabulary

few = settings(max_examples=25)
names = st.sampled_from(EXAMS.ids())
seeds = st.integers(0, FIRST_TRAINING_SEED - 1)
counts = st.integers(1, 30)


def _sheet(name: str, seed: int, questions: int) -> Sheet:
    exam: Exam = EXAMS.load(name)
    return exam.sheet(seed, questions)


@few
@given(names, seeds, counts)
def test_a_sheet_is_a_function_of_its_seed_and_its_gold_output_is_all_right(name: str, seed: int, count: int) -> None:
    sheet = _sheet(name, seed, count)
    assert sheet == _sheet(name, seed, count)
    assert sheet.prompt != _sheet(name, seed + 1, count).prompt
    marks = grade(sheet, sheet.output)
    assert (marks.right, marks.asked, marks.by_order, marks.answered) == (count,) * 4
    assert list(answers(sheet.output)) == [(q.id, q.answer) for q in sheet.questions]
    assert not list(answers(sheet.prompt))


@few
@given(names, seeds, counts)
def test_every_word_is_in_the_vocabulary(name: str, seed: int, count: int) -> None:
    sheet, known = _sheet(name, seed, count), set(vocabulary())
    assert known.issuperset(f"{sheet.prompt} {sheet.output}".split(" "))


def test_the_vocabulary_has_no_word_twice() -> None:
    assert len(set(vocabulary())) == len(vocabulary()) < 512


@few
@given(names, seeds, st.integers(2, 20), st.data())
def test_a_missing_line_costs_one_question_by_number_and_shifts_all_later_ones_by_order(
    name: str, seed: int, count: int, data: st.DataObject
) -> None:
    sheet = _sheet(name, seed, count)
    lines = sheet.output.split(" . ")
    gone = data.draw(st.integers(0, count - 1))
    marks = grade(sheet, " . ".join(lines[:gone] + lines[gone + 1 :]))
    assert marks.right == marks.answered == count - 1
    rest = [q.answer for q in sheet.questions[:gone] + sheet.questions[gone + 1 :]]
    assert marks.by_order == sum(q.answer == a for q, a in zip(sheet.questions, rest, strict=False)) >= gone


@few
@given(names, seeds, st.integers(2, 20), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter_by_number(name: str, seed: int, count: int, rng: Random) -> None:
    sheet = _sheet(name, seed, count)
    lines = sheet.output.removesuffix(" .").split(" . ")
    rng.shuffle(lines)
    assert grade(sheet, " . ".join(lines)).right == count


@few
@given(names, seeds, counts)
def test_the_first_answer_counts(name: str, seed: int, count: int) -> None:
    sheet = _sheet(name, seed, count)
    first = sheet.questions[0]
    wrong = f"so r{first.id} is nothing ."
    assert grade(sheet, f"{sheet.output} {wrong}").right == count
    marks = grade(sheet, f"{wrong} {sheet.output}")
    assert (marks.right, marks.answered) == (count - 1, count)


@few
@given(names, seeds, counts, st.text())
def test_any_text_can_be_graded(name: str, seed: int, count: int, text: str) -> None:
    marks = grade(_sheet(name, seed, count), text)
    assert 0 <= marks.right <= marks.answered <= marks.asked == count
    assert 0 <= marks.by_order <= count


@few
@given(seeds, counts)
def test_recall_answers_stand_in_the_facts(seed: int, count: int) -> None:
    sheet = _sheet("recall", seed, count)
    parts = sheet.prompt.removeprefix("recall : ").split(" ; ")[:-1]
    facts = dict(part.rsplit(" ", 1) for part in parts if " asks " not in part)
    asked = [part.split(" asks ")[1] for part in parts if " asks " in part]
    assert [facts[key] for key in asked] == [q.answer for q in sheet.questions]


@few
@given(seeds, st.integers(8, 20))
def test_arithmetic_adds_up_and_uses_earlier_results(seed: int, count: int) -> None:
    sheet = _sheet("arithmetic", seed, count)
    results: dict[str, int] = {}
    for part in sheet.prompt.removeprefix("arithmetic : ").split(" ; ")[:-1]:
        words = part.split()
        value = results[words[2]] if words[1] == "from" else int(words[2])
        for sign, operand in zip(words[4::3], words[5::3], strict=True):
            value += int(operand) if sign == "plus" else -int(operand)
        results[f"r{words[0][1:]}"] = value % 100
    assert [f"{value:02d}" for value in results.values()] == [q.answer for q in sheet.questions]


def test_a_share_of_arithmetic_needs_generated_text() -> None:
    asked = " ".join(_sheet("arithmetic", seed, 16).prompt for seed in range(50)).split()
    share = asked.count("from") / (asked.count("from") + asked.count("start"))
    assert 0.25 < share < 0.4


@few
@given(seeds, counts)
def test_lookup_answers_follow_from_the_table(seed: int, count: int) -> None:
    sheet = _sheet("lookup", seed, count)
    parts = [part.split() for part in sheet.prompt.removeprefix("lookup : table ").split(" ; ")[:-1]]
    cells = {(part[0], part[1]): int(part[2]) for part in parts if len(part) == 3}
    asked = [part for part in parts if len(part) > 3]
    for question, words in zip(sheet.questions, asked, strict=True):
        wanted = [tuple(words[i : i + 2]) for i in range(2, len(words), 3)]
        assert len(wanted) == {"cell": 1, "sum": 2}[words[1]]
        assert question.answer == f"{sum(cells[cell] for cell in wanted):02d}"


def test_numbers_may_begin_late_but_must_exist() -> None:
    exam: Exam = EXAMS.load("recall")
    late = exam.sheet(3, 5, first=MOST_QUESTIONS - 4)
    assert [q.id for q in late.questions] == ["56", "57", "58", "59", "60"]
    for wrong in ({"questions": 0}, {"questions": MOST_QUESTIONS + 1}, {"questions": 5, "first": 57}):
        with pytest.raises(ConfigError, match="between 1 and 60"):
            exam.sheet(3, **wrong)


def test_what_does_not_exist_is_named() -> None:
    with pytest.raises(UnknownPlugin, match="arithmetic, lookup, recall"):
        EXAMS.load("dictation")
    with pytest.raises(ConfigError, match="no size 'rows'; it has facts"):
        EXAMS.load("recall").sheet(1, 4, rows=3)
