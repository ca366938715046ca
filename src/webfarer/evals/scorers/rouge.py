"""ROUGE-1 and ROUGE-L (F), tokenised as the `rouge_score` package does; Chinese, which it drops, by character.

`rouge_1` and `rouge_l` do not stem, as LaMP reports them; `..._stemmed` apply Porter's stemmer to words of more than
three letters (the package takes NLTK's, which stems "days" and a few others its own way). Newlines mean nothing
(sentence-level ROUGE-L). Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004.
"""

import re
import unicodedata
from collections.abc import Sequence

import snowballstemmer

from webfarer.evals.matching import f1
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged
from webfarer.evals.scorers._squad import common

_TOKEN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")
_STEMMED = 3  # shorter words stay
_LONGEST = 5000  # tokens that are compared: the common subsequence takes time by the product of both lengths
_porter = snowballstemmer.stemmer("porter")


class Rouge(Averaged):
    """Overlap of answer and reference; the best of the accepted forms for each metric."""

    metrics = ("rouge_1", "rouge_l", "rouge_1_stemmed", "rouge_l_stemmed")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer."""
        forms = [overlap(attempt.text, form) for form in attempt.item.accepted]
        return Marks({name: max(each[name] for each in forms) for name in self.metrics})


def overlap(answer: str, reference: str) -> dict[str, float]:
    """Return the metrics of one answer against one form."""
    values = {}
    for suffix, stem in (("", False), ("_stemmed", True)):
        mine, yours = _tokens(answer, stem), _tokens(reference, stem)
        values[f"rouge_1{suffix}"] = _f(common(mine, yours), mine, yours)
        values[f"rouge_l{suffix}"] = _f(common_subsequence(mine, yours), mine, yours)
    return values


def common_subsequence(some: Sequence[str], others: Sequence[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(others) + 1)
    for one in some:
        diagonal = 0
        for place, other in enumerate(others, 1):
            diagonal, row[place] = row[place], diagonal + 1 if one == other else max(row[place], row[place - 1])
    return row[-1]


def _f(shared: int, mine: Sequence[str], yours: Sequence[str]) -> float:
    return f1(shared / len(mine), shared / len(yours)) if mine and yours else 0.0


def _tokens(text: str, stem: bool) -> list[str]:
    found = _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())[:_LONGEST]
    return [_porter.stemWord(word) if stem and len(word) > _STEMMED else word for word in found]


scorer = Rouge()
