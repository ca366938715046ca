"""Ablation: every gold page is needed, so that without it the ground does not give the answer.

By the synth's `solve`, and by the texts: no other page may state a part of the answer together with a name that the
question gives, in one line, or below a title or heading with that name. That is meant to drop too much rather than too
little: what stands together need not be what was asked. Counts and addresses of pages are not looked for in texts.
"""

from collections.abc import Iterator

from webfarer.core.types import Page
from webfarer.data.check import Desk
from webfarer.data.checks._texts import plain, states
from webfarer.data.formula import Count, constants, from_json
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.data.synth import SYNTHS


class AblationCheck:
    """Drops a question that can be answered without one of its gold pages."""

    order = 60
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        self._ground: Ground | None = None
        self._texts: dict[str, _Text] = {}

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return which gold page is not needed, or which other page states the answer."""
        synth = SYNTHS.load(question.synth)
        for url in question.gold:
            if question.wanted in synth.solve(question, ground.without([url])):
                return f"not needed: {url}"
        for name, part in _pairs(question):
            for url, text in self._read(ground).items():
                if url not in question.gold and text.holds(name, part):
                    return f"{url} states {part!r} together with {name!r}"
        return ""

    def _read(self, ground: Ground) -> dict[str, "_Text"]:
        if self._ground is not ground:
            self._ground = ground
            self._texts = {url: _Text(page) for url, page in ground.pages.items()}
        return self._texts


def _pairs(question: Question) -> Iterator[tuple[str, str]]:
    """Yield the names that the question gives, each with each part of the answer."""
    if question.formula is None or isinstance(query := from_json(question.formula), Count):
        return
    for name in map(plain, dict.fromkeys(constants(query))):
        for part in map(plain, sorted(question.wanted)):
            yield name, part


class _Text:
    """A page's lines, each with the titles above it."""

    def __init__(self, page: Page) -> None:
        title, heading = plain(page.title), ""
        self._lines: list[tuple[str, str]] = []
        for line in page.markdown.split("\n"):
            words = plain(line)
            if line.startswith("#"):
                heading = words
            if words:
                self._lines.append((f"{title}\n{heading}", words))
        self._all = f"{title}\n" + "\n".join(words for _, words in self._lines)

    def holds(self, name: str, part: str) -> bool:
        """Say whether a line states `part`, and it or a title above it states `name`."""
        if part not in self._all or name not in self._all:
            return False
        return any(states(line, part) and (states(line, name) or states(above, name)) for above, line in self._lines)


check = AblationCheck
