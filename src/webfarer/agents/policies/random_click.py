"""Clicks at random and goes back at a dead end: the baseline of a walker that knows nothing.

Reads and answers as the lexical policy does. The same seed takes the same way.
"""

from random import Random

from webfarer.agents.decisions import Back, Click, Context, Enough, Move, Walk
from webfarer.agents.reading import ReadingPolicy


class RandomClick(ReadingPolicy):
    """Chooses a link of the current page, each as likely as the next."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._random = Random(context.seed)

    async def choose(self, walk: Walk) -> Move:
        """Return a click on a random link of this page; without one the way back, and at the first page the end."""
        links = walk.links(walk.page)
        if links:
            return Click(walk.page, self._random.choice(links))
        return Back("nothing to open here") if len(walk.path) > 1 else Enough("every link here was opened")


policy = RandomClick
