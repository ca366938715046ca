"""Criteria of quality that a program can measure in a row.

Which of them matter, and whether more or less of it is better, is not known here: preferences say that
(:mod:`.critiq`). Invariant: every row is measured by the same criteria.
"""

import json
import math
from collections.abc import Sequence
from itertools import pairwise

from webfarer.core.text import words
from webfarer.data.row import Row


def measured(row: Row) -> dict[str, float]:
    """Return what a row measures by every criterion, under the name that reports show.

    Counts are logarithms: the tenth page more is not worth what the first one was.
    """
    turns = [turn for turn in row.messages if turn.weight]
    thought = words("\n".join(turn.reasoning for turn in turns))
    said = words("\n".join(turn.content for turn in turns))
    conclusion = words(row.messages[-1].content) if row.messages else []
    read = "\n".join(turn.content for turn in row.messages if turn.role != "assistant").lower()
    actions = [json.dumps([call.name, call.arguments], sort_keys=True) for turn in turns for call in turn.tool_calls]
    return {
        "the answer is right": row.reward,
        "length of thought": math.log1p(len(thought)),
        "length of what is said": math.log1p(len(said)),
        "length of the conclusion": math.log1p(len(conclusion)),
        "length of what is read": math.log1p(len(read)),
        "number of actions": math.log1p(len(actions)),
        "number of pages": math.log1p(len(row.pages)),
        "tokens spent": math.log1p(row.fare.get("tokens", 0.0)),
        "actions done again": _repeated(actions),
        "phrases written again": _repeated(list(pairwise([*thought, *said]))),
        "words of the question used": _held(words(row.text), " ".join([*thought, *said])),
        "answer taken from what is read": _held(words(row.answer), read),
        "conclusion taken from what is read": _held(conclusion, read),
    }


def _repeated(things: Sequence[object]) -> float:
    """Return the share of things that came before."""
    return 1 - len(set(things)) / len(things) if things else 0.0


def _held(terms: Sequence[str], text: str) -> float:
    """Return the share of terms that stand in the text, as words or within them; 1 of none."""
    return sum(term in text for term in terms) / len(terms) if terms else 1.0
