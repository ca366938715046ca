"""`goal`: every query, goal and page has to do with the question, or with what was read on the way.

By words: of the content words of a query or a goal a share must stand in the question or on a page that was read
before; a page must hold a content word of the question or of what it was opened for, or its title must have been read
before. Not a judge of meaning: a translated query shares only names and numbers with the question (`goal:share=0` lets
it pass). What is written in a script that :func:`webfarer.core.text.words` does not split has no words, and passes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from webfarer.core.text import words
from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Action, Trajectory


@dataclass(frozen=True)
class Goal:
    """The rule.

    Attributes:
        share: least share of the words of a query or goal that must be known.
    """

    share: float = 0.3

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 6
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return the first query, goal or page that leads away."""
        pages = trajectory.pages or {}
        asked = set(words(trajectory.item.question))
        known = set(asked)
        for action in trajectory.actions:
            for text in _aims(action):
                aim = set(words(text))
                if len(aim & known) < self.share * len(aim):
                    return f"{action.name} for {text!r}"
            read = [pages[url] for url in action.read if url in pages]
            wanted = asked.union(*map(words, _aims(action)))
            for page in read:
                named = set(words(page.title)) <= known  # the next step of a chain may share no word with its end
                if wanted and not named and wanted.isdisjoint(_words(page.title, page.markdown)):
                    return f"{page.url} says nothing of the question"
            known.update(*(_words(page.title, page.markdown) for page in read))
        return ""


def _aims(action: Action) -> Iterator[str]:
    for name in ("query", "goal"):
        value = action.arguments.get(name, ())
        yield from (value,) if isinstance(value, str) else map(str, value)


@lru_cache(maxsize=1024)  # samples of one question read the same pages
def _words(title: str, markdown: str) -> frozenset[str]:
    return frozenset(words(f"{title}\n{markdown}"))


rule = Goal
