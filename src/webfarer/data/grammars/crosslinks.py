"""What pages state of each other: which one follows, which one a sentence links to, and how each is summed up.

A page counts as named by a link only where the link's own words are its name. Invariant: the value of such a statement
is exactly what the ground calls the page.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping

from webfarer.core.types import Link, Page
from webfarer.data.grammars._finding import (
    GAP,
    Found,
    Sheet,
    fits_a_question,
    found,
    plain,
    says_something,
    stands_once,
    unnumbered,
    whole_word,
)
from webfarer.data.grammars._phrases import phrased
from webfarer.data.grammars.clozes import sentence_spans

_NEXT = re.compile(r"Next(?: topic| page)?|下一(?:主题|页|个主题)", re.IGNORECASE)
_BREAK = re.compile(r" [—–|·»-] ")
_SUMMARY = re.compile(r" +[—–-]+ +")
_MANUAL = re.compile(r"(.{2,40}?) +[—–-]{1,2} +(.{8,78})")


def page_names(pages: Mapping[str, Page]) -> dict[str, str]:
    """Return what each page is called: its title without the site's own, cut at the first dash where that is enough.

    Numbers of chapters are taken off. A page without a title, or with that of another one, has no name.
    """
    titles = {url: page.title for url, page in pages.items() if page.title and fits_a_question(page.title)}
    ends = Counter(parts[-1] for title in titles.values() if len(parts := _BREAK.split(title)) > 1)
    site = next((end for end, count in ends.most_common(1) if count * 2 > len(pages)), None)
    if site:
        titles = {url: re.sub(rf"{_BREAK.pattern}{re.escape(site)}$", "", title) for url, title in titles.items()}
    titles = {url: unnumbered(title) for url, title in titles.items()}
    short = {url: _SUMMARY.split(title)[0] for url, title in titles.items()}
    often, short_often = Counter(titles.values()), Counter(short.values())
    named = {url: short[url] if short_often[short[url]] == 1 else title for url, title in titles.items()}
    return {url: name for url, name in named.items() if often[titles[url]] == 1}


def crosslinks(sheet: Sheet) -> Iterator[Found]:
    """Yield what a page states of others, and of itself."""
    yield from _following(sheet)
    yield from _summary(sheet)
    yield from _linking(sheet)


def _following(sheet: Sheet) -> Iterator[Found]:
    for link in sheet.page.links:
        name = sheet.names.get(link.url)
        end = link.at + len(link.label)
        if name and _NEXT.fullmatch(link.heading) and name in sheet.page.markdown[link.at : end]:
            yield Found("next", sheet.name, "next", phrased("next", sheet.language), name, link.at, end)
            return


def _summary(sheet: Sheet) -> Iterator[Found]:
    """Yield the line that sums up a page: behind its name in its title, or below the heading NAME of a manual."""
    title = sheet.blocks.title
    lines = [title] if title else []
    lines += [line for line in sheet.blocks.lines if line.heading in ("NAME", "Name", "名称")][:1]
    for line in lines:
        said = _MANUAL.fullmatch(line.text)
        if said and plain(said[1]).split("(")[0] == sheet.name.split("(")[0] and says_something(said[2]):
            relation = phrased("summary", sheet.language)
            value = said[2].rstrip(".。")
            yield Found("summary", sheet.name, "summary", relation, value, line.start, line.end)
            return


def _linking(sheet: Sheet) -> Iterator[Found]:
    """Yield the sentences that name exactly one other page, by a link to it."""
    links = [link for link in sheet.page.links if link.region == "main" and link.url in sheet.names]
    links.sort(key=_at)
    for line in sheet.blocks.lines:
        inside = links[bisect_left(links, line.start, key=_at) : bisect_left(links, line.end, key=_at)]
        for span in sentence_spans(line) if inside else ():
            here = [link for link in inside if span.start <= link.at < span.end]
            if len(here) != 1 or unnumbered(plain(here[0].label)) != sheet.names[here[0].url]:
                continue
            value, text = sheet.names[here[0].url], sheet.page.markdown[span.start : span.end]
            gapped = text.replace(f"`{value}`", GAP).replace(value, GAP)
            if whole_word(text, value) and fits_a_question(text) and stands_once(sheet.page, gapped):
                yield found(sheet, "link", value, span, text=gapped)


def _at(link: Link) -> int:
    return link.at


grammar = crosslinks
