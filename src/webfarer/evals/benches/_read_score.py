"""How much of a known text a reader gives back, and how much else: counted in words, each as often as it stands there.

The order of words is not looked at; that whole sentences survive is counted apart (`quotable`). Not a judge of layout.
Markup does not count: only words and numbers, and single Chinese characters.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webfarer.evals.bench import Row
from webfarer.evals.scoring import mean, normalise


@dataclass(frozen=True, slots=True)
class Score:
    """What one reader made of one document.

    Attributes:
        recall: share of the true words that it gave.
        clean: share of the words it gave that are true.
        quotable: share of the true passages that stand in its text as they are, white space apart.
        seconds: it took.
    """

    recall: float
    clean: float
    quotable: float
    seconds: float


def score(given: str, truth: str, passages: Sequence[str], seconds: float) -> Score:
    """Compare the text a reader gave with what is true."""
    said, true = Counter(normalise(given).split()), Counter(normalise(truth).split())
    common = (said & true).total()
    folded = " ".join(given.split())
    found = sum(" ".join(passage.split()) in folded for passage in passages)
    return Score(
        recall=common / true.total() if true else 1.0,
        clean=common / said.total() if said else 1.0,
        quotable=found / len(passages) if passages else 1.0,
        seconds=seconds,
    )


def summary(scores: Iterable[Score]) -> Row:
    """Return the figures of a table row: means, the worst recall, and speed."""
    scores = list(scores)
    return {
        "recall": mean((one.recall for one in scores), 4),
        "least_recall": round(min(one.recall for one in scores), 4),
        "clean": mean((one.clean for one in scores), 4),
        "quotable": mean((one.quotable for one in scores), 4),
        "per_s": round(len(scores) / max(1e-9, sum(one.seconds for one in scores)), 1),
    }
