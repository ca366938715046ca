"""The links of a walk that were not looked at yet; what the simplest policies choose from.

Each page's links are handed out once, so that a long walk does not go through all of them at every step. Not a ranking.
"""

from collections.abc import Iterator

from webfarer.agents.decisions import Click, Walk


class Frontier:
    """Remembers how many pages of the walk were looked at."""

    def __init__(self) -> None:
        self._looked_at = 0

    def fresh(self, walk: Walk) -> Iterator[Click]:
        """Yield every link of the pages read since the last call, in order, that leads to a page not opened yet."""
        pages = walk.pages[self._looked_at :]
        self._looked_at += len(pages)
        for page in pages:
            for link in page.links:
                if link.url not in walk.opened and walk.scope(link.url):
                    yield Click(page, link)
