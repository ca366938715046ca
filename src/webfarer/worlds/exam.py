"""Exams with one long output: many questions in one prompt, all answered in one text, marked by question number.

Machinery, not an exam: each file of `exams/` defines one `exam`. Tokens stand between single spaces; all
exams share one closed vocabulary, and a sheet is a function of its seed and size alone. After LongGenBench.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from webfarer.core.errors import ConfigError
from webfarer.core.registry import Seam

EXAMS = Seam("webfarer.worlds.exams", "exam", "exam")
FIRST_TRAINING_SEED = 1_000_000
MOST_QUESTIONS = 60

ADJECTIVES = tuple(
    "amber bold brisk calm clear crisp dark deep dry dusty early faint fresh gentle giant grand green hollow icy idle "
    "jolly keen late lively lone mild misty narrow noble odd pale plain proud quick quiet rapid rough silent slow "
    "stern".split()
)
NOUNS = tuple(
    "anchor arch barn basin beacon bell bridge cabin canal castle cave chapel cliff dock dune farm ferry field forge "
    "fort garden gate grove harbor hill inn island lake marsh meadow mill mine orchard pier pond port quarry ridge "
    "river tower".split()
)
ROWS = tuple(
    "accra bergen cairo dakar essen faro geneva hanoi izmir jaipur kyoto lima malmo nantes oslo porto quito riga sofia "
    "tunis utrecht vienna warsaw xian york zagreb".split()
)
COLUMNS = tuple("age cost depth heat height length mass price rank size speed width".split())
STEPS = tuple("abcdefgh")
NUMBERS = tuple(f"{n:02d}" for n in range(100))
_FRAME = tuple(
    "recall arithmetic lookup : ; . last answers asks and is so start from plus minus makes table cell sum".split()
)

_RESULT = re.compile(r"\bso r(\d+) is (\S+)")


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its number as written in the sheet ("07") and the right answer, one token."""

    id: str
    answer: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One exam paper.

    Attributes:
        prompt: facts and questions.
        questions: in the order asked.
        output: the output of a perfect pupil, reasoning included.
    """

    prompt: str
    questions: tuple[Question, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Marks:
    """How a text did.

    Attributes:
        right: questions whose own number carries the right answer.
        asked: questions of the sheet.
        by_order: right answers when the first answer counts for the first question and so on, numbers ignored.
        answered: questions that have any answer.
    """

    right: int
    asked: int
    by_order: int
    answered: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One question as an exam makes it: text of the question, reasoning that ends before the result, the answer."""

    asked: str
    worked: str
    answer: str


@dataclass(frozen=True)
class Exam:
    """One kind of exam.

    Attributes:
        name: its id, the prompt's first word.
        compose: makes what stands before the questions, and the questions, from a generator, the numbers of the
            questions, and the size.
        practise: draws the number of questions and the size of a training sheet; a share of 1 means full-grown.
        size: the names and defaults of what `sheet` takes beside the number of questions.
    """

    name: str
    compose: Callable[[Random, list[str], dict[str, int]], tuple[str, list[Entry]]]
    practise: Callable[[Random, float], tuple[int, dict[str, int]]]
    size: dict[str, int]

    def sheet(self, seed: int, questions: int, *, first: int = 1, **size: int) -> Sheet:
        """Return the sheet of this seed.

        Args:
            seed: below FIRST_TRAINING_SEED for examinations, from there on for training.
            questions: how many.
            first: the number of the first question; the others follow.
            size: see `Exam.size`.
        """
        if questions < 1 or first < 1 or first + questions - 1 > MOST_QUESTIONS:
            raise ConfigError(f"question numbers must lie between 1 and {MOST_QUESTIONS}")
        if unknown := size.keys() - self.size.keys():
            raise ConfigError(f"exam {self.name} has no size {min(unknown)!r}; it has {', '.join(self.size)}")
        chosen = self.size | size
        rng = Random(f"{self.name} {seed} {questions} {first} {sorted(chosen.items())}")
        numbers = [f"{n:02d}" for n in range(first, first + questions)]
        given, entries = self.compose(rng, numbers, chosen)
        asked = "".join(f" q{n} {e.asked} ;" for n, e in zip(numbers, entries, strict=True))
        lines = (f"q{n} {e.worked} so r{n} is {e.answer} ." for n, e in zip(numbers, entries, strict=True))
        return Sheet(
            prompt=f"{self.name} :{given}{asked} last q{numbers[-1]} answers :",
            questions=tuple(Question(n, e.answer) for n, e in zip(numbers, entries, strict=True)),
            output=" ".join(lines),
        )


def vocabulary() -> tuple[str, ...]:
    """Return every token a sheet can hold, in a fixed order."""
    numbers = range(1, MOST_QUESTIONS + 1)
    ids = (*(f"q{n:02d}" for n in numbers), *(f"r{n:02d}" for n in numbers))
    return (*_FRAME, *STEPS, *NUMBERS, *ids, *ADJECTIVES, *NOUNS, *ROWS, *COLUMNS)


def practice_questions(rng: Random, share: float, full: int) -> tuple[int, int]:
    """Draw the number of questions of a training sheet; return it and the most it could have been."""
    most = max(2, round(share * full))
    return rng.randint(max(1, most // 4), most), most


def answers(text: str) -> Iterator[tuple[str, str]]:
    """Yield the number and the answer of every result in a text, in order."""
    for found in _RESULT.finditer(text):
        yield found[1], found[2]


def grade(sheet: Sheet, text: str) -> Marks:
    """Mark a text. Where a number is answered twice, the first answer counts."""
    given = list(answers(text))
    by_id: dict[str, str] = {}
    for number, answer in given:
        by_id.setdefault(number, answer)
    in_order = zip(sheet.questions, given, strict=False)
    return Marks(
        right=sum(by_id.get(q.id) == q.answer for q in sheet.questions),
        asked=len(sheet.questions),
        by_order=sum(q.answer == answer for q, (_, answer) in in_order),
        answered=sum(q.id in by_id for q in sheet.questions),
    )
