"""Retrieval: which of the relevant documents were opened, and how early.

Relevant is what `item.data["qrels"]` grades above 0 (address → grade), else the gold pages with grade 1. The ranking
is the order in which pages were opened. Source: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR
techniques", TOIS 2002, with linear gain, as trec_eval computes it.
"""

import math
from collections.abc import Mapping, Sequence

from webfarer.evals.matching import page_key
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged

_FEW, _MORE = 5, 10


class Retrieval(Averaged):
    """nDCG@10 and recall of what was opened, and the share of the relevant documents that is cited.

    Says nothing where no document is known to be relevant.
    """

    metrics = ("ndcg_10", "recall_5", "recall_10", "recall", "cited")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark the pages that were opened and cited."""
        graded = attempt.item.data.get("qrels") or dict.fromkeys(attempt.item.gold, 1.0)
        grades = {page_key(url): float(grade) for url, grade in graded.items() if grade > 0}
        if not grades:
            return Marks({})
        opened = list(dict.fromkeys(map(page_key, attempt.opened)))
        claims = attempt.answer.claims if attempt.answer else ()
        cited = {page_key(claim.quote.url) for claim in claims if claim.quote}
        return Marks(
            {
                "ndcg_10": ndcg(opened, grades, _MORE),
                "recall_5": len(grades.keys() & set(opened[:_FEW])) / len(grades),
                "recall_10": len(grades.keys() & set(opened[:_MORE])) / len(grades),
                "recall": len(grades.keys() & set(opened)) / len(grades),
                "cited": len(grades.keys() & cited) / len(grades),
            }
        )


def ndcg(ranked: Sequence[str], grades: Mapping[str, float], k: int) -> float:
    """Return the discounted gain of the first `k`, as a share of the best that could be had."""
    best = sorted(grades.values(), reverse=True)
    return _gain([grades.get(document, 0.0) for document in ranked[:k]]) / _gain(best[:k])


def _gain(grades: Sequence[float]) -> float:
    return math.fsum(grade / math.log2(place + 2) for place, grade in enumerate(grades))


scorer = Retrieval()
