"""Which other page of a site states a name and a value together: in one line, or below a title with that name.

Words are compared, not marks, so what is found is rather too much than too little. Built once for a site; only lines
that hold the rarest word of the name are looked at.
"""

from collections.abc import Mapping

from webfarer.core.types import Page
from webfarer.evals.scoring import normalise


class Elsewhere:
    """The words of every line of a site; a title or heading stands for the lines below it as well."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self._lines: list[str] = []
        self._urls: list[str] = []
        self._ends: list[int] = []  # line: the line behind the last one that it stands for
        for url, page in pages.items():
            self._add(url, page)
        self._with: dict[str, list[int]] = {}
        for number, line in enumerate(self._lines):
            for word in dict.fromkeys(line.split()):
                self._with.setdefault(word, []).append(number)

    def _add(self, url: str, page: Page) -> None:
        first = len(self._lines)
        raw = [f"# {page.title}", *page.markdown.split("\n")]
        self._lines += map(normalise, raw)
        self._urls += [url] * len(raw)
        self._ends += range(first + 1, first + len(raw) + 1)
        self._ends[first] = following = first + len(raw)
        for number in reversed(range(1, len(raw))):
            if raw[number].startswith("#"):
                self._ends[first + number] = following
                following = first + number

    def states(self, url: str, name: str, value: str) -> bool:
        """Say whether a page other than `url` states `value` together with `name`."""
        name, value = normalise(name), normalise(value)
        numbers = min((self._with.get(word, []) for word in name.split()), key=len, default=[])
        return any(
            self._urls[number] != url
            and name in self._lines[number]
            and any(value in line for line in self._lines[number : self._ends[number]])
            for number in numbers
        )
