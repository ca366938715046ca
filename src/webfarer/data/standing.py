"""Whether a text states a phrase, and where a page states one together with a name; whatever case, spacing and width.

Not a judge of meaning: dates and quantities in other formats are other texts here. Invariant: a number is never found
inside a longer one ("5" is not stated by "5.5", "15" or "5a"); between Han characters there are no word boundaries.
"""

import re
import unicodedata
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webfarer.core.types import Page, Span

_SPACE = re.compile(r"\s+")
_HAN = re.compile(r" ?([\u3000-\u303f\u3400-\u9fff]) ?")
_NO_HAN = "\u3000"
_INSIDE = ".,:/-"
_JOINED = r"[^\s\u3000-\u9fff，；：（）]+"
_BEFORE, _AFTER = re.compile(rf"{_JOINED}$"), re.compile(_JOINED)
_MARKS = "`\"'“”‘’()[]{},.;:!?—–"  # around a word, and no part of it


def plain(text: str) -> str:
    """Return `text` as it is compared: one case and width, single spaces, none beside a Han character."""
    if not text.isascii():
        text = _HAN.sub(r"\1", _SPACE.sub(" ", unicodedata.normalize("NFKC", text)))
    return _SPACE.sub(" ", text).strip().casefold()


def states(text: str, phrase: str) -> bool:
    """Say whether `phrase` stands in `text`; both are :func:`plain`."""
    start = text.find(phrase) if phrase else -1
    while start >= 0:
        end = start + len(phrase)
        if not _cut(text[max(0, start - 2) : start], phrase) and not _cut(text[end : end + 2][::-1], phrase[::-1]):
            return True
        start = text.find(phrase, start + 1)
    return False


def _cut(before: str, phrase: str) -> bool:
    """Say whether what stands before the phrase (or, both reversed, after it) belongs to its first word or number."""
    if not before or not _in_word(phrase[0]):
        return False
    number = phrase[0].isdigit() and len(before) > 1 and before[0].isdigit() and before[1] in _INSIDE
    return number or _in_word(before[-1])


def _in_word(character: str) -> bool:
    return character.isalnum() and character < _NO_HAN


def is_cut(text: str, start: int, end: int) -> bool:
    """Say whether a piece of a text is part of a longer word or piece of code."""
    joined = _BEFORE.search(text[:start]), _AFTER.match(text[end:])
    return any(match and match[0].strip(_MARKS) for match in joined)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page's markdown: where it is, its words, and those of the titles above it; all :func:`plain`."""

    span: Span
    words: str
    above: str


class Text:
    """The lines of a page."""

    def __init__(self, page: Page) -> None:
        title, heading, at = plain(page.title), "", 0
        self._lines: list[Line] = []
        for line in page.markdown.split("\n"):
            words = plain(line)
            if line.startswith("#"):
                heading = words
            if words:
                self._lines.append(Line(Span(at, at + len(line)), words, f"{title}\n{heading}"))
            at += len(line) + 1
        self._all = f"{title}\n" + "\n".join(line.words for line in self._lines)

    def about(self, name: str, part: str) -> Iterator[Line]:
        """Yield the lines that state `part`, where they or a title above them state `name`."""
        if part in self._all and name in self._all:
            for line in self._lines:
                if states(line.words, part) and (states(line.words, name) or states(line.above, name)):
                    yield line

    def holding(self, pieces: list[str]) -> Iterator[Line]:
        """Yield the lines in which every piece stands."""
        if all(piece in self._all for piece in pieces):
            yield from (line for line in self._lines if all(piece in line.words for piece in pieces))


_recent: deque[tuple[Mapping[str, Page], dict[str, Text]]] = deque(maxlen=2)


def texts_of(pages: Mapping[str, Page]) -> Mapping[str, Text]:
    """Return the texts of a ground's pages; those of the last grounds are kept."""
    texts = next((texts for known, texts in _recent if known is pages), None)
    if texts is None:
        texts = {url: Text(page) for url, page in pages.items()}
        _recent.append((pages, texts))
    return texts
