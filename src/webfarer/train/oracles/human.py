"""People: items are put in a queue on disk, and `webfarer label` asks for them whenever somebody has time.

Nothing waits here: what nobody has answered is left out, and the learning stops until it is. With several people an
item is answered when all of them have; what most of them say is taken, and of equals the first person's by name.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from webfarer.train.labels import Queue, alike
from webfarer.train.oracle import Desk, Said
from webfarer.train.pool import PoolItem


class HumanOracle:
    """Reads what people said."""

    def __init__(self, desk: Desk) -> None:
        self._people = desk.people
        self._queue = Queue(desk.folder)
        self._guidelines = desk.guidelines

    async def label(self, items: Sequence[PoolItem]) -> AsyncIterator[Said]:
        """Put the items in the queue, and yield what enough people have answered."""
        self._queue.extend(items, self._guidelines)
        said = self._queue.said()
        for item in items:
            about = [words[item.id] for _, words in sorted(said.items()) if item.id in words]
            if len(about) >= self._people:
                yield _agreed(about)


def _agreed(about: Sequence[Said]) -> Said:
    """Return what most said; a refusal only where nobody gave an answer."""
    answers = [each for each in about if each.word == "label"] or list(about)
    votes = Counter(alike(each.answer) for each in answers)
    chosen = max(answers, key=lambda each: votes[alike(each.answer)])
    cost: Counter[str] = Counter()
    for each in about:
        cost.update(each.cost)
    by = ", ".join(each.by for each in answers if alike(each.answer) == alike(chosen.answer))
    return chosen.model_copy(update={"by": by, "cost": dict(cost)})


oracle = HumanOracle
