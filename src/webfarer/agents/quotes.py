"""Finds the words a model says it copied in the page it copied them from.

Models fold white space, drop markdown marks and straighten quotation marks. The page is searched exactly, then folded
the same way; what is returned is always the page's own characters, widened to whole words and numbers, so that "5 EUR"
never stands for "1.5 EUR" or "-5 EUR". Words that are not on the page are not found: nothing here is fuzzy.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from webfarer.core.types import Note, Page, Quote

_PAIRED = "*_`~"
_MARKS = frozenset(f"{_PAIRED}#\\[]⟦")
_SAME = str.maketrans({"‹": "<", "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "−": "-", "\u00ad": None})
_GAPS = re.compile(r"\s*(?:\.\.\.|…|\[…\])\s*")
_WORD = re.compile(r"[^\W_]")
_CJK = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uff00-\uffef]")
_SIGNS = "-−"
_SEPARATORS = f".,:/–{_SIGNS}"  # inside numbers, times, dates, ranges
_SHORTEST = 8
_TRIES = 50


def locate(page: Page, quote: str) -> Quote | None:
    """Return `quote` as it stands in the page's markdown, or None."""
    wanted = quote.strip().strip("\"“”'")
    for candidate in (wanted, max(_GAPS.split(wanted), key=len)):
        if len(_WORD.findall(candidate)) < 2 or (candidate != wanted and len(candidate) < _SHORTEST):
            continue
        found = list(_occurrences(page.markdown, candidate))
        if found:
            start, end = next((at for at in found if _whole(page.markdown, *at) == at), found[0])
            start, end = _whole(page.markdown, start, end)
            return Quote(page=page.id, url=page.url, text=page.markdown[start:end], start=start)
    return None


def merge(kept: Iterable[Note], new: Iterable[Note]) -> list[Note]:
    """Return the notes of `new` whose statement and quote are in neither `kept` nor an earlier one."""
    seen = {key for note in kept for key in _keys(note)}
    out: list[Note] = []
    for note in new:
        keys = _keys(note)
        if seen.isdisjoint(keys):
            out.append(note)
        seen |= keys
    return out


def _keys(note: Note) -> set[tuple[str, str]]:
    return {("statement", _fold(note.text)[0].rstrip(".")), ("quote", _fold(note.quote.text)[0])}


def _occurrences(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    at = text.find(wanted)
    if at >= 0:
        for _ in range(_TRIES):
            yield at, at + len(wanted)
            at = text.find(wanted, at + 1)
            if at < 0:
                return
        return
    folded, offsets = _fold(text)
    needle, _ = _fold(wanted)
    at = folded.find(needle) if needle else -1
    for _ in range(_TRIES):
        if at < 0:
            return
        yield _with_marks(text, offsets[at], offsets[at + len(needle) - 1] + 1)
        at = folded.find(needle, at + 1)


def _with_marks(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a range by the marks that touch it, so that **bold** words keep both of theirs."""
    return len(text[:start].rstrip(_PAIRED)), end + len(text[end:]) - len(text[end:].lstrip(_PAIRED))


@lru_cache(maxsize=8)
def _fold(text: str) -> tuple[str, tuple[int, ...]]:
    """Return `text` without marks, case and needless space, and for each character left the offset it came from."""
    out: list[str] = []
    offsets: list[int] = []
    space = -1
    for at, raw in enumerate(text):
        if raw in _MARKS:
            continue
        if raw.isspace() or raw == "|":
            space = at if space < 0 else space
            continue
        for ch in unicodedata.normalize("NFKC", raw).translate(_SAME).casefold():
            if space >= 0 and out and _apart(out[-1], ch):
                out.append(" ")
                offsets.append(space)
            space = -1
            out.append(ch)
            offsets.append(at)
    return "".join(out), tuple(offsets)


def _apart(left: str, right: str) -> bool:
    """Say whether white space between two characters matters: between words and numbers, not beside punctuation."""
    return all(_WORD.match(ch) and not _CJK.match(ch) for ch in (left, right))


def _whole(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a range so that it cuts no word and no number."""
    while start > 0 and _joined(text, start):
        start -= 1
    while end < len(text) and _joined(text, end):
        end += 1
    return start, end


def _joined(text: str, at: int) -> bool:
    """Say whether the characters on both sides of `at` belong to one word or number."""
    before, after = text[at - 1], text[at]
    if _CJK.match(before) or _CJK.match(after):
        return False
    if _WORD.match(before) and _WORD.match(after):
        return True
    if before in _SIGNS and after.isdigit():
        return True
    if before in _SEPARATORS:
        return after.isdigit() and text[at - 2 : at - 1].isdigit()
    return after in _SEPARATORS and before.isdigit() and text[at + 1 : at + 2].isdigit()
