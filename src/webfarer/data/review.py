"""The review queue: people judge made questions one by one, and what they say becomes the next file of questions.

Verdicts go to a log beside the file, one line each, on disk before the next question is shown; the log alone says where
a reviewer stands. Not a face: it never prints or asks. Invariant: the file of questions is not changed, and no line of
the log is ever rewritten; an undone verdict is one more line.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from webfarer.core.errors import ConfigError
from webfarer.data.log import Log
from webfarer.data.question import Question, read_questions
from webfarer.evals.matching import listed
from webfarer.evals.scorers.named import names

Word = Literal["keep", "drop", "edit", "skip"]
WORDS: tuple[Word, ...] = get_args(Word)

GUIDELINES = """\
Keep a question when all of this holds; edit it when a change of words makes it hold; else drop it.
1. A person who has only the question and the website would know what is asked, and would know when it is answered.
2. The evidence says that the answer is right, without being read generously.
3. There is one answer. Whatever else could be meant is wrong, or is the same thing in other words.
4. The pages are needed: it is no common knowledge, and the question does not give the answer away.
5. Somebody could want to know it, and could ask it in these words.
An edit may change the words of question and answer, never what is asked: that would need other evidence.
Skip what you cannot judge. Do not look at what others said before you have judged yourself."""


class Verdict(BaseModel):
    """One line of the log.

    Attributes:
        question: its id; of an undone verdict too.
        reviewer: who says it.
        word: what is said; "undo" takes the reviewer's verdict on the question back.
        text, answer: as edited; "" where they stay.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    reviewer: str
    word: Word | Literal["undo"]
    text: str = ""
    answer: str = ""


class Agreement(BaseModel):
    """How far two people agree.

    Attributes:
        both: items that both judged.
        same: share of them on which they said the same.
        kappa: Cohen's: what is left of that beyond chance; None where each said one and the same of all.
    """

    both: int
    same: float
    kappa: float | None


def agreement(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement:
    """Compare what two people said of the same items."""
    n = len(pairs)
    same = sum(first == second for first, second in pairs) / n if n else 0.0
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    chance = sum(firsts[word] * seconds[word] for word in firsts) / (n * n) if n else 1.0
    return Agreement(both=n, same=same, kappa=(same - chance) / (1 - chance) if chance < 1 else None)


class Queue:
    """The questions of a file in their order, as one reviewer goes through them.

    Only one at a time can be open on a file; used as a context manager it is closed at the end.

    Raises:
        ConfigError: the file cannot be read, a line of its log is none, or somebody else is reviewing it.
    """

    def __init__(self, path: Path, reviewer: str) -> None:
        if not reviewer.strip():
            raise ConfigError("a review needs the reviewer's name")
        self.reviewer = reviewer.strip()
        self.questions = {question.id: question for question in read_questions(path)}
        busy = f"{path}: somebody else is reviewing these questions"
        self._log = Log(path.with_name(f"{path.name}.reviews.jsonl"), Verdict, busy)

    def __enter__(self) -> "Queue":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others review."""
        self._log.close()

    def next(self) -> Question | None:
        """Return the first question without a verdict of this reviewer; None when there is none."""
        mine = self._standing(self.reviewer)
        return next((question for name, question in self.questions.items() if name not in mine), None)

    def verdict(self, word: Word, text: str = "", answer: str = "") -> None:
        """Judge the question that is next.

        Raises:
            ConfigError: all are judged, the word is none, or it does not go with what is given.
        """
        question = self.next()
        if question is None:
            raise ConfigError(f"{self.reviewer} has judged all {len(self.questions)} questions")
        if word not in WORDS:
            raise ConfigError(f"{word!r} is no verdict; say one of {', '.join(WORDS)}")
        changed = text.strip() not in ("", question.question) or answer.strip() not in ("", question.answer)
        if changed != (word == "edit"):
            raise ConfigError("an edit, and nothing else, comes with another text of question or answer")
        edit = {"text": text.strip(), "answer": answer.strip()} if changed else {}
        self._log.append(Verdict(question=question.id, reviewer=self.reviewer, word=word, **edit))

    def undo(self) -> Question | None:
        """Take this reviewer's last verdict back and return its question, which is next then; None without one."""
        last = next(reversed(self._standing(self.reviewer).values()), None)
        if last is None:
            return None
        self._log.append(Verdict(question=last.question, reviewer=self.reviewer, word="undo"))
        return self.questions[last.question]

    @property
    def progress(self) -> dict[str, int]:
        """How often this reviewer said what, and how many questions are left."""
        said = Counter(verdict.word for verdict in self._standing(self.reviewer).values())
        return {**{word: said[word] for word in WORDS}, "left": len(self.questions) - said.total()}

    @property
    def reviewers(self) -> list[str]:
        """Everybody whose verdicts stand, in the order of their first one."""
        return [name for name in dict.fromkeys(said.reviewer for said in self._log.entries) if self._standing(name)]

    def agreement(self, one: str, other: str) -> Agreement:
        """Compare two reviewers on the questions that neither skipped."""
        mine, yours = self._standing(one), self._standing(other)
        pairs = [(mine[name].word, yours[name].word) for name in mine if name in yours]
        return agreement([pair for pair in pairs if "skip" not in pair])

    def apply(self) -> list[Question]:
        """Return what is kept: nobody dropped it, and somebody said keep or edit; the last edit stands."""
        standing = {name: self._standing(name) for name in self.reviewers}
        said: dict[str, list[Verdict]] = {}
        for verdict in self._log.entries:
            if verdict.word != "skip" and standing.get(verdict.reviewer, {}).get(verdict.question) is verdict:
                said.setdefault(verdict.question, []).append(verdict)
        kept = []
        for name, question in self.questions.items():
            verdicts = said.get(name, [])
            if verdicts and not any(verdict.word == "drop" for verdict in verdicts):
                edits = [verdict for verdict in verdicts if verdict.word == "edit"]
                kept.append(_edited(question, edits[-1]) if edits else question)
        return kept

    def _standing(self, reviewer: str) -> dict[str, Verdict]:
        """Return a reviewer's verdicts that are not undone, by question, in the order of their making."""
        standing: dict[str, Verdict] = {}
        for verdict in self._log.entries:
            if verdict.reviewer == reviewer and verdict.question in self.questions:
                standing.pop(verdict.question, None)
                if verdict.word != "undo":
                    standing[verdict.question] = verdict
        return standing


def _edited(question: Question, edit: Verdict) -> Question:
    """Return a question in a person's words; `made["unsupported"]` tells parts of an answer that no evidence holds."""
    changes: dict[str, object] = {"question": edit.text or question.question}
    made = {**question.made, "by": "person"}
    if edit.answer and edit.answer != question.answer:
        parts = tuple(listed(edit.answer)) if question.parts else ()
        texts = [each.text for each in question.evidence]
        missing = [part for part in parts or (edit.answer,) if not any(names(text, [part]) for text in texts)]
        changes |= {"answer": edit.answer, "forms": (), "parts": parts}
        made |= {"unsupported": missing} if missing else {}
    return question.model_copy(update={**changes, "made": made})
