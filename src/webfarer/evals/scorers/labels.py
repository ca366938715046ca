"""Accuracy and macro F1 of a label, as LaMP-1 and LaMP-2 define them.

The labels are `item.data["labels"]`; the answer is stripped and must be one of them to the letter, else it is none
(-1). Macro F1 is the mean over every label of the list, 0 for one that never comes up.
Source: Salemi et al., "LaMP: When Large Language Models Meet Personalization", ACL 2024, and its evaluation script.
"""

from collections.abc import Mapping, Sequence

from webfarer.core.errors import ConfigError
from webfarer.evals.scorer import Attempt, Marks, means
from webfarer.evals.scorers._averaged import Averaged


class Labels(Averaged):
    """Right when the label is the reference's.

    An attempt's marks also hold what the total is made of: the number of the label given and of the right one, and how
    many labels there are.
    """

    metrics = ("accuracy", "f1", "given", "gold", "labels")

    async def mark(self, attempt: Attempt) -> Marks:
        """Mark one answer.

        Raises:
            ConfigError: the item's labels are not known, or the reference is none of them.
        """
        labels = [str(label) for label in attempt.item.data.get("labels", ())]
        said, true = attempt.text.strip(), attempt.item.answer.strip()
        if true not in labels:
            raise ConfigError(f"item {attempt.item.id}: the reference {true!r} is none of its {len(labels)} labels")
        given = labels.index(said) if said in labels else -1
        gold = labels.index(true)
        return Marks({"accuracy": float(given == gold), "given": given, "gold": gold, "labels": len(labels)})

    def total(self, marks: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
        """Return accuracy and macro F1."""
        if not marks:
            return {}
        pairs = [(each["given"], each["gold"]) for each in marks]
        labels = int(max(each["labels"] for each in marks))
        return means([{"accuracy": each["accuracy"]} for each in marks]) | {
            "f1": sum(_f1(pairs, label) for label in range(labels)) / labels
        }


def _f1(pairs: Sequence[tuple[float, float]], label: int) -> float:
    """Return the F1 of one label: twice its hits by how often it was given and how often it was right."""
    hits = sum(given == gold == label for given, gold in pairs)
    times = sum(given == label for given, _ in pairs) + sum(gold == label for _, gold in pairs)
    return 2 * hits / times if times else 0.0


scorer = Labels()
