"""What people say outlives a kill, can be taken back until it is used, and is compared."""

import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.data.log import Log, read_log
from webfarer.train.labels import TAKEN, Labelling, Queue
from webfarer.train.oracle import GUIDELINES, Said
from webfarer.train.pool import PoolItem

ITEMS = [PoolItem(id=f"q{number}", prompt=f"is {number} odd", choices=("yes", "no")) for number in range(1, 6)]


@pytest.fixture(scope="module", autouse=True)
def unsynced():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture
def folder(tmp_path):
    Queue(tmp_path).extend(ITEMS, GUIDELINES)
    return tmp_path


def take(folder, *names):
    log = Log(folder / TAKEN, Said, "busy")
    for name in names:
        log.append(Said(item=name, answer="yes", by="ann"))
    log.close()


def test_somebody_goes_on_where_they_stopped(folder):
    with Labelling(folder, " ann  lee ") as ann:
        ann.answer("q1", " yes ")
        ann.skip("q2")
    with Labelling(folder, "ann lee") as ann:
        assert ann.next() == ITEMS[2]
        assert ann.progress == {"answered": 1, "skipped": 1, "left": 3}
    said = Queue(folder).said()["ann lee"]
    assert said["q1"] == Said(item="q1", answer="yes", by="ann lee", cost={"turns": 1})
    assert said["q2"].word == "skip"


def test_an_answer_is_one_of_the_choices_and_to_what_was_asked(folder):
    with Labelling(folder, "ann") as ann:
        with pytest.raises(ConfigError, match="one of: yes, no"):
            ann.answer("q1", "maybe")
        with pytest.raises(ConfigError, match="not the one that is asked"):
            ann.answer("q2", "yes")
        with pytest.raises(ConfigError, match="not the one that is asked"):
            ann.skip("q9")
        assert ann.next() == ITEMS[0]
    Queue(folder).extend([PoolItem(id="open", prompt="why")], "other words")
    assert Queue(folder).guidelines == GUIDELINES
    take(folder, *(item.id for item in ITEMS))
    with Labelling(folder, "ann") as ann, pytest.raises(ConfigError, match="no empty text"):
        ann.answer("open", " \n")


def test_what_the_learning_has_taken_is_neither_asked_nor_taken_back(folder):
    with Labelling(folder, "ann") as ann:
        assert ann.undo() is None
        ann.answer("q1", "yes")
        ann.answer("q2", "no")
        take(folder, "q1", "q3")
        assert ann.next() == ITEMS[3]
        assert ann.undo() == ITEMS[1] == ann.next()
        assert ann.undo() is None
        assert ann.progress == {"answered": 1, "skipped": 0, "left": 3}
        Queue(folder).extend([PoolItem(id="late", prompt="why")], GUIDELINES)
        assert ann.progress["left"] == 4


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob"]), st.sampled_from(["answer", "skip", "undo"])), max_size=20))
def test_the_logs_alone_say_where_everybody_stands(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("labels")
    Queue(folder).extend(ITEMS, GUIDELINES)
    stacks = {"ann": [], "bob": []}
    for name, word in steps:
        with Labelling(folder, name) as person:
            if word == "undo":
                person.undo()
                stacks[name] = stacks[name][:-1]
            elif person.next():
                number = len(stacks[name])
                person.skip(ITEMS[number].id) if word == "skip" else person.answer(ITEMS[number].id, "yes")
                stacks[name].append(word)
            assert person.next() == (None if len(stacks[name]) == 5 else ITEMS[len(stacks[name])])
    words = {name: [said.word for said in words.values()] for name, words in Queue(folder).said().items()}
    expected = {"answer": "label", "skip": "skip"}
    assert words == {name: [expected[word] for word in stacks[name]] for name in words}


def test_agreement_is_cohens_over_what_both_answered(folder):
    answers = {"ann": ["yes", "yes", "no", "no", ""], "bob": ["yes", "no", "no", "yes", "no"]}
    for name, words in answers.items():
        with Labelling(folder, name) as person:
            for item, answer in zip(ITEMS, words, strict=True):
                person.answer(item.id, answer) if answer else person.skip(item.id)
    with Labelling(folder, "ann") as ann:
        found = ann.agreements()
    assert found.keys() == {"bob"}
    assert (found["bob"].both, found["bob"].same, found["bob"].kappa) == (4, 0.5, 0)


def test_names_and_folders_that_cannot_be_are_refused(folder, tmp_path):
    for name in (" ", "../ann", "a/b", "x" * 41):
        with pytest.raises(ConfigError, match="is no name"):
            Labelling(folder, name)
    with pytest.raises(ConfigError, match="asks nobody anything yet"):
        Labelling(tmp_path / "elsewhere", "ann")
    with Labelling(folder, "ann"):
        with pytest.raises(ConfigError, match="take another name"):
            Labelling(folder, "ann")
        Labelling(folder, "bob").close()


def test_half_a_line_is_no_entry_and_a_damaged_one_is_named(folder):
    log = folder / "people" / "ann.jsonl"
    with Labelling(folder, "ann") as ann:
        ann.answer("q1", "yes")
    with log.open("a") as file:
        file.write('{"item": "q2", "answ')
    assert [said.item for said in read_log(log, Said)] == ["q1"]
    with Labelling(folder, "ann") as ann:
        ann.answer("q2", "no")
    assert [said.item for said in read_log(log, Said)] == ["q1", "q2"]
    log.write_text("nonsense\n")
    with pytest.raises(ConfigError, match="line 1: no said"):
        Labelling(folder, "ann")


@pytest.mark.slow
def test_a_kill_loses_nothing_that_was_said(folder):
    program = (
        "import sys, os; from pathlib import Path; from webfarer.train.labels import Labelling\n"
        "ann = Labelling(Path(sys.argv[1]), 'ann'); ann.answer('q1', 'yes'); ann.skip('q2')\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    with Labelling(folder, "ann") as ann:
        assert ann.progress == {"answered": 1, "skipped": 1, "left": 3}
