"""The review queue: verdicts outlive a kill, undo goes back one, edits become the next file."""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.data.question import Evidence, Question, write_questions
from webfarer.data.review import GUIDELINES, WORDS, Queue


def question(number, **values):
    text = f"Tower {number} opened on {number} May 1931; its director is Ada Fell."
    evidence = (Evidence(url=f"http://a.test/{number}", sha256="0", text=text, start=0),)
    made = {"by": "template", "seed": 1}
    return Question(
        **{"id": f"q{number}", "question": f"when did tower {number} open", "answer": f"{number} May 1931"}
        | {"gold": [evidence[0].url], "evidence": evidence, "synth": "hand", "ground": "hand", "made": made}
        | values
    )


@pytest.fixture
def path(tmp_path):
    write_questions(tmp_path / "made.jsonl", [question(number) for number in range(1, 6)])
    return tmp_path / "made.jsonl"


def judge(path, reviewer, *words):
    with Queue(path, reviewer) as queue:
        for word in words:
            queue.verdict(word, text="when was it opened" if word == "edit" else "")


def test_a_reviewer_goes_on_where_they_stopped(path):
    judge(path, "ann", "keep", "drop")
    judge(path, "bob", "keep")
    before = path.read_bytes()
    with Queue(path, " ann ") as queue:
        assert queue.next().id == "q3"
        queue.verdict("skip")
        assert queue.progress == {"keep": 1, "drop": 1, "edit": 0, "skip": 1, "left": 2}
        assert queue.reviewers == ["ann", "bob"]
        queue.verdict("keep")
        queue.verdict("keep")
        assert queue.next() is None
        with pytest.raises(ConfigError, match="ann has judged all 5"):
            queue.verdict("keep")
    assert path.read_bytes() == before


def test_undo_goes_back_one_verdict_of_ones_own(path):
    judge(path, "bob", "drop")
    with Queue(path, "ann") as queue:
        assert queue.undo() is None
        queue.verdict("keep")
        queue.verdict("drop")
        assert queue.undo().id == "q2" == queue.next().id
        queue.verdict("keep")
    with Queue(path, "ann") as queue:
        assert queue.undo().id == "q2"
        assert queue.undo().id == "q1"
        assert queue.undo() is None
        assert queue.reviewers == ["bob"]


@settings(max_examples=12)
@given(st.lists(st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from([*WORDS, "undo"])), max_size=25))
def test_the_log_alone_says_where_everybody_stands(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("review") / "made.jsonl"
    write_questions(path, [question(number) for number in range(1, 6)])
    stacks = {"ann": [], "bob": []}
    for name, word in steps:
        with Queue(path, name) as queue:
            if word == "undo":
                queue.undo()
                stacks[name] = stacks[name][:-1]
            elif len(stacks[name]) < 5:
                queue.verdict(word, answer="Ada Fell" if word == "edit" else "")
                stacks[name].append(word)
            left = stacks[name]
            assert queue.next() == (None if len(left) == 5 else question(len(left) + 1))
            assert queue.progress == {**{each: left.count(each) for each in WORDS}, "left": 5 - len(left)}
    with Queue(path, "ann") as queue:
        said = [{stack[n] for stack in stacks.values() if n < len(stack)} - {"skip"} for n in range(5)]
        kept = {each.id: each.answer == "Ada Fell" for each in queue.apply()}
        assert kept == {f"q{n + 1}": "edit" in words for n, words in enumerate(said) if words and "drop" not in words}


def test_what_is_kept_is_worded_by_the_last_person(path):
    with Queue(path, "ann") as queue:
        queue.verdict("keep")
        queue.verdict("edit", text=" when was tower 2 opened ")
        queue.verdict("edit", answer="Ada Fell")
        queue.verdict("edit", answer="Cy Moor")
        queue.verdict("skip")
    with Queue(path, "bob") as queue:
        queue.verdict("keep")
        queue.verdict("edit", text="since when is tower 2 open")
        one, two, three, four = queue.apply()
    assert one == question(1)
    assert two == question(2, question="since when is tower 2 open", made={"by": "person", "seed": 1})
    assert (three.answer, three.made) == ("Ada Fell", {"by": "person", "seed": 1})
    assert four.made["unsupported"] == ["Cy Moor"]


def test_an_edited_list_has_its_parts_again(tmp_path):
    path = tmp_path / "made.jsonl"
    write_questions(path, [question(7, answer="Ada Fell; Bo", parts=("Ada Fell", "Bo"), forms=("Ada Fell and Bo",))])
    with Queue(path, "ann") as queue:
        queue.verdict("edit", answer="Ada Fell; 7 May 1931; Una Reed")
        (edited,) = queue.apply()
    assert edited.parts == ("Ada Fell", "7 May 1931", "Una Reed")
    assert edited.forms == ()
    assert edited.made["unsupported"] == ["Una Reed"]


@pytest.mark.parametrize(
    ("word", "edit"), [("edit", {}), ("edit", {"text": "when did tower 1 open"}), ("keep", {"answer": "Oslo"})]
)
def test_an_edit_changes_something_and_nothing_else_does(path, word, edit):
    with Queue(path, "ann") as queue, pytest.raises(ConfigError, match="an edit, and nothing else"):
        queue.verdict(word, **edit)


def test_other_words_and_nobody_are_refused(path):
    with Queue(path, "ann") as queue, pytest.raises(ConfigError, match="one of keep, drop, edit, skip"):
        queue.verdict("undo")
    with pytest.raises(ConfigError, match="reviewer's name"):
        Queue(path, " ")


def test_agreement_is_cohens(path):
    judge(path, "ann", "keep", "keep", "drop", "edit", "skip")
    judge(path, "bob", "keep", "drop", "drop", "keep", "keep")
    with Queue(path, "ann") as queue:
        found = queue.agreement("ann", "bob")
        assert (found.both, found.same) == (4, 0.5)
        assert found.kappa == pytest.approx((0.5 - 6 / 16) / (1 - 6 / 16))
        assert queue.agreement("ann", "ann").kappa == 1
        assert queue.agreement("ann", "eve") == queue.agreement("eve", "ann")
        assert queue.agreement("ann", "eve").kappa is None


def test_one_at_a_time(path):
    with Queue(path, "ann"), pytest.raises(ConfigError, match="somebody else is reviewing"):
        Queue(path, "bob")
    Queue(path, "bob").close()


@pytest.mark.slow
def test_a_kill_loses_at_most_the_verdict_that_is_being_written(path):
    program = (
        "import sys, os; from pathlib import Path; from webfarer.data.review import Queue\n"
        "queue = Queue(Path(sys.argv[1]), 'ann'); queue.verdict('keep'); queue.verdict('drop')\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], env=dict(os.environ), check=False)
    assert done.returncode == -signal.SIGKILL
    with Queue(path, "ann") as queue:
        assert queue.progress == {"keep": 1, "drop": 1, "edit": 0, "skip": 0, "left": 3}


def test_half_a_line_is_no_verdict_and_is_not_gone_on_with(path):
    judge(path, "ann", "keep", "drop")
    with path.with_name("made.jsonl.reviews.jsonl").open("a") as log:
        log.write('{"question": "q3", "reviewer": "an')
    judge(path, "ann", "keep")
    with Queue(path, "ann") as queue:
        assert queue.progress == {"keep": 2, "drop": 1, "edit": 0, "skip": 0, "left": 2}


def test_a_damaged_line_is_named_and_others_may_still_review(path):
    log = path.with_name("made.jsonl.reviews.jsonl")
    log.write_text("nonsense\n")
    with pytest.raises(ConfigError, match="line 1: no verdict"):
        Queue(path, "ann")
    log.write_text("")
    Queue(path, "ann").close()


def test_the_guidelines_name_every_verdict():
    assert all(word in GUIDELINES.lower() for word in WORDS)
