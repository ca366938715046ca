"""Batches of exam sheets that grow with the pupil, or of puzzle lessons.

The batch of a step is a function of recipe, seed and step alone, so a resumed training sees what an uninterrupted one
would have seen. Only the output part counts in the loss.
"""

from dataclasses import dataclass
from random import Random
from typing import Protocol

import torch
from transformers import PreTrainedTokenizerFast

from webfarer.train._recipes import Recipe
from webfarer.train.pool import POOLS
from webfarer.worlds.exam import (
    ADJECTIVES,
    COLUMNS,
    EXAMS,
    FIRST_TRAINING_SEED,
    MOST_QUESTIONS,
    NOUNS,
    NUMBERS,
    ROWS,
    Exam,
    Sheet,
)
from webfarer.worlds.puzzle import PUZZLES, Lesson

IGNORED = -100
DRILL = "drill"

_USUAL_LESSON = 52
_LENGTHS = 4
_DRILLED = ADJECTIVES + NOUNS + NUMBERS + ROWS + COLUMNS


class _Teacher(Protocol):
    """A puzzle or a pool: teaches by single lessons."""

    def lesson(self, rng: Random) -> Lesson: ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids and labels, padded on the right; labels are IGNORED except on outputs."""

    exam: str
    ids: torch.Tensor
    labels: torch.Tensor

    @property
    def tokens(self) -> int:
        """Tokens seen, padding included."""
        return self.ids.numel()


def draw(recipe: Recipe, seed: int, step: int) -> tuple[str, list[Sheet]]:
    """Return the exam or puzzle whose turn it is, and sheets of it that fill `recipe.tokens`, about."""
    rng = Random(f"{seed} {step}")
    drilled = step < recipe.drills * recipe.steps
    taught = recipe.exams + recipe.puzzles + recipe.pools
    turns = (*taught, DRILL) if drilled else taught
    name = turns[step % len(turns)]
    if name == DRILL:
        return name, _drill(rng, recipe.tokens)
    if name in recipe.puzzles + recipe.pools:
        teacher = PUZZLES.load(name) if name in recipe.puzzles else POOLS.load(name)
        return name, _single_lessons(teacher, rng, recipe.tokens)
    sheets: list[Sheet] = []
    longest = 0
    while not sheets or longest * (len(sheets) + 1) <= recipe.tokens:
        sheets.append(_sheet(recipe, name, rng, step))
        longest = max(longest, 2 + len(sheets[-1].prompt.split()) + len(sheets[-1].output.split()))
    return name, sheets


def _single_lessons(teacher: _Teacher, rng: Random, tokens: int) -> list[Sheet]:
    """Draw lessons of about one length, any length being as likely as it is, so that little is padded."""
    count = max(1, tokens // _USUAL_LESSON)
    pool = [teacher.lesson(rng) for _ in range(_LENGTHS * count)]
    pool.sort(key=lambda lesson: len(lesson.prompt.split()) + len(lesson.output.split()))
    start = count * rng.randrange(_LENGTHS)
    return [Sheet(lesson.prompt, (), lesson.output) for lesson in pool[start : start + count]]


def _drill(rng: Random, tokens: int) -> list[Sheet]:
    """Word lists to be copied: they teach at every token to find it again and say what follows; exams do at a few."""
    length = rng.randint(6, 24)
    lists = (" ".join(rng.choices(_DRILLED, k=length)) for _ in range(tokens // (2 * length)))
    return [Sheet(words, (), words) for words in lists]


def _sheet(recipe: Recipe, name: str, rng: Random, step: int) -> Sheet:
    exam: Exam = EXAMS.load(name)
    questions, size = exam.practise(rng, recipe.growth(step))
    first = rng.randint(1, MOST_QUESTIONS + 1 - questions) if rng.random() < recipe.late_start else 1
    return exam.sheet(FIRST_TRAINING_SEED + rng.randrange(2**40), questions, first=first, **size)


def collate(exam: str, sheets: list[Sheet], tokenizer: PreTrainedTokenizerFast) -> Batch:
    """Return the sheets as one batch."""
    bos, eos, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    rows, labels = [], []
    for sheet in sheets:
        prompt = [bos, *tokenizer.encode(sheet.prompt, add_special_tokens=False)]
        output = [*tokenizer.encode(sheet.output, add_special_tokens=False), eos]
        rows.append(prompt + output)
        labels.append([IGNORED] * len(prompt) + output)
    longest = max(map(len, rows))
    return Batch(
        exam,
        torch.tensor([row + [pad] * (longest - len(row)) for row in rows]),
        torch.tensor([row + [IGNORED] * (longest - len(row)) for row in labels]),
    )
