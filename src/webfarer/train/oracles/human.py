"""People: items are put in a queue on disk, and `webfarer label` asks for them whenever somebody has time.

Nothing waits here: what nobody has answered is left out, and the learning stops until it is. With several people an
item needs an answer of each, and is refused when one of them skips it; what most say is taken, and of equals the first
person's by name.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence

from webfarer.core.errors import ConfigError
from webfarer.train.labels import Queue
from webfarer.train.oracle import Desk, Said
from webfarer.train.pool import PoolItem, final_answer


class HumanOracle:
    """Reads what people said."""

    def __init__(self, desk: Desk) -> None:
        if desk.people < 1:
            raise ConfigError(f"{desk.people} people cannot label; --people is at least 1")
        self.name = f"human, {desk.people} of them"
        self._people = desk.people
        self._queue = Queue(desk.folder)
        self._guidelines = desk.guidelines

    async def label(self, items: Sequence[PoolItem]) -> AsyncIterator[Said]:
        """Put the items in the queue, and yield what enough people have answered."""
        self._queue.extend(items, self._guidelines)
        said = self._queue.said()
        for item in items:
            about = [words[item.id] for _, words in sorted(said.items()) if item.id in words]
            answers = [each for each in about if each.word == "label"]
            if len(answers) >= self._people:
                yield _agreed(item, about, answers)
            elif len(about) >= self._people:
                yield _agreed(item, about, [each for each in about if each.word == "skip"])


def _agreed(item: PoolItem, about: Sequence[Said], answers: Sequence[Said]) -> Said:
    """Return what most of `answers` say, which are some of all that was said about an item; all of it has its cost."""
    said = [final_answer(each.answer, item.choices) for each in answers]
    votes = Counter(said)
    place = max(range(len(answers)), key=lambda place: votes[said[place]])
    by = ", ".join(each.by for each, final in zip(answers, said, strict=True) if final == said[place])
    cost: Counter[str] = Counter()
    for each in about:
        cost.update(each.cost)
    return answers[place].model_copy(update={"by": by, "cost": dict(cost)})


oracle = HumanOracle
