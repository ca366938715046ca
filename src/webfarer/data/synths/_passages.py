"""Pieces of a page's main text, sentences, list items and table rows, as exact slices, so that they can be evidence.

Not :func:`webfarer.evals.navset.sentences`, which takes marks out of sentences and so loses their places. Code blocks
and headings are no text. Invariant: a piece lies within one line, and pieces come in document order.
"""

import re
from collections.abc import Iterator

from webfarer.core.types import Page, Span

_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^[ \t>]*(?P<item>[*+-] +|\d+[.)] +)?(?P<text>[^\s#].*?)[ \t]*$", re.MULTILINE)
_RULED = re.compile(r"\|[\s|:-]*")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])|(?<=[。！？])(?=.)")
_SENTENCE = re.compile(r"[A-Z`\u3400-\u9fff][^*|<>\[\]]*[.!?。！？]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_TELLING = 8  # words of a sentence that may be told from others, in Chinese one and a half times as many characters
_SHORTEST = 4
_LONGEST = 40  # twice as many characters
_LISTED = 200  # characters of an item or a row


def sentences(page: Page) -> Iterator[Span]:
    """Yield where the whole sentences are, neither too short nor too long."""
    for prose, line in _lines(page):
        if not line["text"].startswith("|"):
            yield from _split(prose, Span(*line.span("text")), _TELLING)


def pieces(page: Page) -> Iterator[Span]:
    """Yield where sentences, short ones too, short list items and short table rows are."""
    for prose, line in _lines(page):
        if not line["item"] and not line["text"].startswith("|"):
            yield from _split(prose, Span(*line.span("text")), _SHORTEST)
        elif len(line["text"]) <= _LISTED and not _RULED.fullmatch(line["text"]):
            yield Span(*line.span("text"))


def _lines(page: Page) -> Iterator[tuple[str, re.Match[str]]]:
    prose = _FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block.group()), page.markdown)
    for region, part in page.spans:
        if region == "main":
            for line in _LINE.finditer(prose, part.start, part.end):
                yield prose, line


def _split(prose: str, line: Span, least: int) -> Iterator[Span]:
    stops = [gap.span() for gap in _END.finditer(prose, line.start, line.end)]
    starts, ends = [line.start, *(after for _, after in stops)], [*(gap for gap, _ in stops), line.end]
    for start, end in zip(starts, ends, strict=True):
        if _SENTENCE.fullmatch(prose, start, end) and _fits(prose[start:end], least):
            yield Span(start, end)


def _fits(sentence: str, least: int) -> bool:
    han = len(_HAN.findall(sentence))
    return 3 * least <= 2 * han <= 4 * _LONGEST if han else least <= len(sentence.split()) <= _LONGEST
