"""Many questions answered in one long output, each scored by its own number (LongGenBench).

The references are `item.data["answers"]`: number of the question → answer. The output says "Answer_7: … The answer is
X." for each. A question answered twice in different ways is wrong. `by_order` is what the published script counts: the
n-th answer against the n-th reference, so that one left out shifts all that follow.
Source: Liu et al., "LongGenBench: Long-context Generation Benchmark", Findings of EMNLP 2024.
"""

import re

from webfarer.core.errors import ConfigError
from webfarer.evals.matching import alike
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged

_START = re.compile(r"^(?:[^\w\n]|_)*answer[ _]*\(?#?(\d{1,4})\)?[ *_]*[:：.]", re.IGNORECASE | re.MULTILINE)
_SAID = re.compile(r"(?:the |final )?answer is[:：]?\s*(.+?)(?=[.。!！?？](?:\s|$)|\n|$)", re.IGNORECASE)
_CHOICE = re.compile(r"\(?([a-z])\)(?:\W.*)?|([a-z])\W*", re.IGNORECASE | re.DOTALL)


class LongAnswers(Averaged):
    """The share of the questions that are right; `answered` is the share that have an answer at all."""

    metrics = ("accuracy", "answered", "by_order")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one output.

        Raises:
            ConfigError: the item's references are not known.
        """
        known = {int(number): str(answer) for number, answer in attempt.item.data.get("answers", {}).items()}
        if not known:
            raise ConfigError(f'item {attempt.item.id}: the scorer long_answers needs data["answers"]')
        said = answers(attempt.text)
        given: dict[int, list[str]] = {}
        for number, answer in said:
            given.setdefault(number, []).append(answer)
        right = [number for number in known if number in given and all(_same(a, known[number]) for a in given[number])]
        in_order = sum(_same(answer, true) for (_, answer), true in zip(said, known.values(), strict=False))
        values = {
            "accuracy": len(right) / len(known),
            "answered": len(known.keys() & given.keys()) / len(known),
            "by_order": in_order / len(known),
        }
        return Marks(values, {"wrong": [number for number in known if number not in right]})


def answers(text: str) -> list[tuple[int, str]]:
    """Return the number and the answer of every part that gives one, in order."""
    starts = list(_START.finditer(text))
    ends = [*(start.start() for start in starts), len(text)][1:]
    parts = [(int(start[1]), text[start.end() : end]) for start, end in zip(starts, ends, strict=True)]
    return [(number, said[-1].strip()) for number, part in parts if (said := _SAID.findall(part))]


def _same(answer: str, reference: str) -> bool:
    mine, yours = _choice(answer), _choice(reference)
    return mine == yours if mine and yours else alike(answer, reference)


def _choice(text: str) -> str:
    """Return the letter when the text is one of several choices: "B", "(b)", "(B) because"."""
    match = _CHOICE.fullmatch(text.strip().strip("*_ "))
    return (match[1] or match[2]).lower() if match else ""


scorer = LongAnswers()
