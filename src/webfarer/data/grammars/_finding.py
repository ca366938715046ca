"""What the rules of the grammar share: a page with its blocks and its name, and statements as they are found.

What is found is not yet true of the whole site: :mod:`webfarer.data.grammar` sifts it.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from webfarer.core.types import Page
from webfarer.data.grammars._blocks import Blocks
from webfarer.data.grammars._phrases import phrased
from webfarer.data.ground import Relation
from webfarer.evals.scoring import normalise

GAP = "___"
NUMBER = r"-?\d(?:[\d.,_]*\d)?"
UNIT = (
    r"(?:bytes?|[KMGT]i?B|kB|kilobytes?|megabytes?|gigabytes?|bits?|(?:milli|micro|nano)?seconds?|ms|minutes?|hours?|days?"
    r"|weeks?|months?|years?|percent|pages?|lines?|columns?|characters?|digits?|times|levels?|entries|rows?|terms|files?"
    r"|%|个字节|字节|秒|分钟|小时|天|个月|年|个|页|行|位)"
)
_LONGEST, _MOST_WORDS = 78, 10
_EMPTY = frozenset("none true false null nil yes no n/a na ditto".split()) | {"", "是", "否", "无", "同上"}
_UNFIT = ("\\", "{x}", "![", GAP, "`")
_SENTENCE = re.compile(r"(?:\S+\s+){3,}\S*\w{2}[.!?]|.*[.!?]\s+[A-Z].*|.*[。！？].*")
_CHAPTER = re.compile(r"^\d+(?:\.\d+)*\.? +(?=[^\W\d])")
_FOOTNOTES = re.compile(r"(?:[(\[][\d, ]+[)\]]\s*)+")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page that is read.

    Attributes:
        name: what the ground calls the page.
        names: what it calls every page, by address.
        once: names of entries and rows that mean one thing on the site.
        language: of the ground.
    """

    page: Page
    blocks: Blocks
    name: str
    names: Mapping[str, str]
    once: Collection[str]
    language: str


@dataclass(frozen=True, slots=True)
class Found:
    """A statement as a rule finds it: `start` and `end` bound the evidence on its page."""

    kind: str
    subject: str
    key: str
    relation: Relation
    value: str
    start: int
    end: int


def found(sheet: Sheet, kind: str, value: str, span: tuple[int, int], **words: str) -> Found:
    """Return a statement about the page itself, whose relation is good for nothing else."""
    key = ":".join((kind, *words.values()))
    return Found(kind, sheet.name, key, phrased(kind, sheet.language, **words), value, *span)


def plain(text: str) -> str:
    """Return the text of a cell or a term without the signs of code and emphasis around it."""
    inner = text.strip().strip("*")
    bare = inner.strip("`")
    return bare if "`" not in bare and inner.startswith("`") == inner.endswith("`") else inner


def unnumbered(title: str) -> str:
    """Return a title without the number of its chapter or section."""
    return _CHAPTER.sub("", title)


def says_something(value: str) -> bool:
    """Say whether a value is worth asking for: short, of words or numbers, no sentence and no mere yes or no."""
    words = normalise(value).strip()
    return (
        len(value) <= _LONGEST
        and len(value.split()) <= _MOST_WORDS
        and value.casefold() not in _EMPTY
        and not _FOOTNOTES.fullmatch(value)
        and not _SENTENCE.fullmatch(value)
        and (len(words) > 1 or words.isdigit())
        and not any(mark in value for mark in _UNFIT)
    )


def fits_a_question(text: str) -> bool:
    """Say whether a text of the page can be quoted in a question without confusing it."""
    pairs = (("“", "”"), ("(", ")"), ("[", "]"))
    return not any(mark in text for mark in ("{x}", "![", GAP, "\\|")) and all(
        text.count(opened) == text.count(closed) for opened, closed in pairs
    )


def whole_word(text: str, value: str) -> bool:
    """Say whether `value` stands in `text` exactly once."""
    return len(re.findall(rf"(?<![A-Za-z0-9_]){re.escape(value)}(?![A-Za-z0-9_])", text)) == text.count(value) == 1


def stands_once(page: Page, gapped: str) -> bool:
    """Say whether the page has one place only where a sentence with a gap fits."""
    before, _, after = gapped.partition(GAP)
    if not before:
        return page.markdown.count(after) == 1
    ends = [found.end() for found in re.finditer(re.escape(before), page.markdown)]
    return sum(after in page.markdown[end : end + _LONGEST + len(after)] for end in ends) == 1
