"""Opens every link in the order in which it was found: a baseline that ignores the question.

Reads and answers as the lexical policy does, so that a comparison of the two says what choosing links is worth.
"""

from collections import deque

from webfarer.agents.decisions import Click, Context, Enough, Move, Walk
from webfarer.agents.policies._frontier import Frontier
from webfarer.agents.reading import ReadingPolicy


class BreadthFirst(ReadingPolicy):
    """Chooses the link that was found first."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._frontier = Frontier()
        self._queue: deque[Click] = deque()

    async def choose(self, walk: Walk) -> Move:
        """Return the first link found that leads to a page not opened yet."""
        self._queue.extend(self._frontier.fresh(walk))
        while self._queue and self._queue[0].link.url in walk.opened:
            self._queue.popleft()
        return self._queue[0] if self._queue else Enough("every link of the site was opened")


policy = BreadthFirst
