"""Whether the pages that state the answer were opened; for navigation tasks, and to split failures by cause.

Source: Nogueira and Cho, "End-to-End Goal-Driven Web Navigation", NeurIPS 2016, which asks for the last page.
"""

from webfarer.evals.matching import page_key
from webfarer.evals.scorer import Attempt, Marks
from webfarer.evals.scorers._averaged import Averaged


class GoldPage(Averaged):
    """Right when every gold page was opened; says nothing where none is known.

    `share` is how many of them were; `last` is whether the run ended on one.
    """

    metrics = ("correct", "share", "last")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark the pages that were opened."""
        gold = {page_key(url) for url in attempt.item.gold}
        if not gold:
            return Marks({})
        opened = [page_key(url) for url in attempt.opened]
        reached = gold & set(opened)
        values = {
            "correct": float(reached == gold),
            "share": len(reached) / len(gold),
            "last": float(bool(opened) and opened[-1] in gold),
        }
        return Marks(values, {"missed": [url for url in attempt.item.gold if page_key(url) not in reached]})


scorer = GoldPage()
