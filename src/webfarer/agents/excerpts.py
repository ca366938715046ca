"""What the chat policy shows a model of a walk: the passages and the links that fit the question best, within a size.

Ranks by BM25 and cuts; no model call is made here, and nothing here is fenced yet.
"""

from collections.abc import Iterable, Sequence
from urllib.parse import unquote, urlsplit

from webfarer.core.text import BM25, words
from webfarer.core.types import Link, Note, Page, PageKind, Span

_PASSAGE = 500  # blocks are joined until a passage is this long …
_LONGEST = 1200  # … and cut when one is longer than this
_HEAD = 0.2  # share of an excerpt that the beginning of the main text gets in any case
_LABEL, _HEADING, _CONTEXT, _PATH, _QUOTE = 80, 60, 120, 80, 300


def passages(markdown: str) -> list[Span]:
    """Cut a page into passages at blank lines; together they hold all its text."""
    spans: list[Span] = []
    start = at = 0
    while at < len(markdown):
        gap = markdown.find("\n\n", at)
        at = len(markdown) if gap < 0 else gap + 2
        if at - start >= _PASSAGE or at == len(markdown):
            spans += [Span(cut, min(cut + _LONGEST, at)) for cut in range(start, at, _LONGEST)]
            start = at
    return spans


def scores(question: str, texts: Iterable[str]) -> list[float]:
    """Return how well each text fits the question."""
    index = BM25()
    for text in texts:
        index.add(words(text))
    return index.scores(words(question))


def excerpt(page: Page, question: str, limit: int) -> str:
    """Return at most about `limit` characters of the page: where its main text begins, and what fits the question."""
    text = page.markdown
    if len(text) <= limit:
        return text
    main = next((span.start for region, span in page.spans if region == "main"), 0)
    spans = passages(text)
    fit = scores(question, (text[span.start : span.end] for span in spans))
    in_order = sorted(range(len(spans)), key=lambda n: (spans[n].end <= main, n))  # main text first
    by_fit = sorted(in_order, key=lambda n: -fit[n])
    chosen: set[int] = set()
    for numbers, share in ((in_order, _HEAD), (by_fit, 1.0)):
        for number in numbers:
            size = sum(spans[n].end - spans[n].start for n in chosen | {number})
            if size <= limit * share:
                chosen.add(number)
            elif share < 1:
                break
    chosen = chosen or {by_fit[0]}
    return _joined(text, [spans[n] for n in sorted(chosen)], limit)


def _joined(text: str, spans: Sequence[Span], limit: int) -> str:
    out, end = "", 0
    for span in spans:
        out += ("" if span.start == end else "[…]\n") + text[span.start : span.end]
        end = span.end
    return out[:limit] + ("" if end == len(text) else "\n[…]")


def best_passages(pages: Sequence[Page], question: str, limit: int) -> list[tuple[Page, str]]:
    """Return the passages of all pages that fit the question, best first, at most `limit` characters."""
    found = [
        (page, page.markdown[span.start : span.end])
        for page in pages
        if page.kind is PageKind.CONTENT
        for span in passages(page.markdown)
    ]
    fit = scores(question, (text for _, text in found))
    chosen, size = [], 0
    for number in sorted(range(len(found)), key=lambda n: -fit[n]):
        size += len(found[number][1])
        if fit[number] > 0 and size <= limit:
            chosen.append(found[number])
    return chosen


def ranked(links: Sequence[Link], question: str) -> list[Link]:
    """Return the links, best first: label, surroundings and address against the question."""
    fit = scores(question, (f"{x.label} {x.label} {x.context} {x.heading} {_path(x.url)}" for x in links))
    order = sorted(range(len(links)), key=lambda n: (-fit[n], links[n].region != "main", n))
    return [links[n] for n in order]


def link_lines(links: Sequence[Link]) -> str:
    """Return one line a link: number, label, heading, surroundings, path."""
    return "\n".join(_line(link) for link in links)


def _line(link: Link) -> str:
    parts = [link.label[:_LABEL] or "(no label)", link.heading[:_HEADING]]
    if link.context.strip() not in (link.label.strip(), ""):
        parts.append(link.context[:_CONTEXT])
    parts.append(_path(link.url)[:_PATH])
    return f"{link.id}. " + " | ".join(" ".join(part.split()) for part in parts if part)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return unquote(parts.path + (f"?{parts.query}" if parts.query else "")) or "/"


def note_lines(notes: Sequence[Note], limit: int) -> str:
    """Return one numbered line a note, the latest ones when all would pass `limit` characters."""
    lines = [
        f'{n}. {note.text} — "{note.quote.text[:_QUOTE]}" ({_path(note.quote.url)})' for n, note in enumerate(notes, 1)
    ]
    while len(lines) > 1 and sum(map(len, lines)) > limit:
        lines.pop(0)
    return "\n".join(" ".join(line.split()) for line in lines)
