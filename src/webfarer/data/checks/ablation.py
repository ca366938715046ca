"""Ablation: every gold page is needed, so that without it the ground does not give the answer.

By the synth's `solve`, and by the texts: no other page may state a part of the answer together with a name that the
question gives, in one line, or below a title or heading with that name; and of several pages none may be found by a
piece of the question alone, with the answer beside it. That is meant to drop too much rather than too little: what
stands together need not be what was asked. Counts and addresses of pages are not looked for in texts.
"""

import re
from collections.abc import Iterator

from webfarer.data.check import Desk
from webfarer.data.formula import Count, constants, from_json
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.data.standing import plain, states, texts_of
from webfarer.data.synth import SYNTHS

_QUOTED = re.compile("“([^“”]+)”")
_GAP = re.compile(r"_{3,}|\[mask \d+\]")
_KEPT = 32  # grounds without a page


class AblationCheck:
    """Drops a question that can be answered without one of its gold pages."""

    order = 60
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        self._ground: Ground | None = None
        self._without: dict[str, Ground] = {}

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return which gold page is not needed, or which other page or piece of the question gives the answer."""
        synth = SYNTHS.load(question.synth)
        for url in question.gold:
            if question.wanted in synth.solve(question, self._ablated(ground, url)):
                return f"not needed: {url}"
        if _is_count(question):
            return ""
        texts = texts_of(ground.pages)
        for name, part in _pairs(question):
            for url, text in texts.items():
                if url not in question.gold and any(text.about(name, part)):
                    return f"{url} states {part!r} together with {name!r}"
        return _shortcut(question, ground)

    def _ablated(self, ground: Ground, url: str) -> Ground:
        """Return the ground without a page; the last few are kept, as are their nets."""
        if self._ground is not ground:
            self._ground, self._without = ground, {}
        found = self._without.pop(url, None) or ground.without([url])
        self._without[url] = found
        if len(self._without) > _KEPT:
            del self._without[next(iter(self._without))]
        return found


def _is_count(question: Question) -> bool:
    return question.formula is not None and isinstance(from_json(question.formula), Count)


def _names(question: Question) -> list[str]:
    """Return the names and values that the question gives."""
    return [] if question.formula is None else list(dict.fromkeys(constants(from_json(question.formula))))


def _pairs(question: Question) -> Iterator[tuple[str, str]]:
    """Yield the names that the question gives, each with each part of the answer."""
    for name in map(plain, _names(question)):
        for part in map(plain, sorted(question.wanted)):
            yield name, part


def _shortcut(question: Question, ground: Ground) -> str:
    """Return which piece of a question of several pages stands in one line of the site only, beside the answer."""
    if len(question.gold) < 2:
        return ""
    parts = [plain(part) for part in question.wanted]
    for quoted in (*_QUOTED.findall(question.question), *_names(question)):
        pieces = [piece for each in _GAP.split(quoted) if (piece := plain(each))]
        lines = [line.words for text in texts_of(ground.pages).values() for line in text.holding(pieces)]
        if len(lines) == 1 and all(states(lines[0], part) for part in parts):
            return f"{quoted[:200]!r} alone leads to the answer"
    return ""


check = AblationCheck
