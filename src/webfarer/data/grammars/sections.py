"""Which sections a page begins and ends with.

Asked of every page in the same words, so that only who knows which page is meant can look. Not an outline: sections
within sections, and pages with fewer than three, are passed over. Invariant: no other page of the site holds the title
of the section (:mod:`webfarer.data.grammar` sees to it), which leaves out "Introduction" and its like.
"""

import re
from collections.abc import Iterator

from webfarer.data.grammars._finding import Found, Sheet, plain, says_something, unnumbered
from webfarer.data.grammars._phrases import phrased

_HEADING = re.compile(r"^(#{1,6}) +(.+?) *$", re.MULTILINE)
_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_LEAST = 3


def sections(sheet: Sheet) -> Iterator[Found]:
    """Yield the titles of the first and the last section of a page."""
    text = _FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), sheet.page.markdown)
    title = sheet.blocks.title
    found = [
        heading
        for region, span in sheet.page.spans
        if region == "main"
        for heading in _HEADING.finditer(text, span.start, span.end)
        if title and heading.start() > title.start
    ]
    top = min((len(heading[1]) for heading in found), default=0)
    found = [heading for heading in found if len(heading[1]) == top]
    for kind, heading in (("opening", found[0]), ("closing", found[-1])) if len(found) >= _LEAST else ():
        value = unnumbered(plain(heading[2]))
        if says_something(value):
            yield Found(kind, sheet.name, kind, phrased(kind, sheet.language), value, *heading.span(2))


grammar = sections
