"""When a page was published or last changed, by its own account, as an ISO 8601 date; "" when it does not say.

The last change goes before the publication; what is written for machines before what is written for people. A form
that two countries read differently (03/04/2025) says nothing. Not a clock: headers and today's date are never asked.
Source: Open Graph `article:`, schema.org `datePublished` and `dateModified`, PDF 32000-1 §7.9.4.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice

from selectolax.lexbor import LexborHTMLParser

_FIRST, _LAST = 1990, 2100  # the web began in 1990
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_FORMS = (
    (re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)"), "ymd"),
    (re.compile(r"(?<!\d)(\d{4})([/.])(\d{1,2})\2(\d{1,2})(?!\d)"), "y_md"),
    (re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日"), "ymd"),
    (re.compile(rf"(?<![\d.])(\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?{_MONTH},? (\d{{4}})(?!\d)", re.I), "dmy"),
    (re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})(?!\d)", re.I), "mdy"),
)
_COMMON = re.compile(r"[:：]?\s*(\d{4})-(\d{2})-(\d{2})(?!\d)")
_PACKED = re.compile(r"(?:D:)?(\d{4})(\d{2})(\d{2})(?:\d{2}|T|Z|$)")
_MODIFIED = frozenset(("article:modified_time", "og:updated_time", "last-modified", "dcterms.modified", "datemodified"))
_PUBLISHED = frozenset(
    "article:published_time datepublished date dc.date dc.date.issued dcterms.date dcterms.created dcterms.issued "
    "citation_publication_date citation_online_date pubdate publishdate parsely-pub-date sailthru.date".split()
)
_JSON_LD = re.compile(r'"(dateModified|datePublished)"\s*:\s*"([^"]{4,40})"')
_SAYING = "updated modified published posted changed revised reviewed 更新 发布 發布 修改 修订 发表".split()
_SAID = re.compile(
    r"(?:updated|modified|published|posted|last[ -](?:changed|revised|reviewed))\b|"
    r"(?:更新|发布|發布|修改|修订|发表)(?:时间|日期|時間|于)?"
)
_NEAR = 60  # characters after those words in which the date ends
_LONGEST = 200
_SAID_MOST = 20  # places looked at


def iso_date(text: str) -> str:
    """Return the first date in `text` as "2025-04-16", or "" when there is none that can be read in one way only."""
    text = text.strip()
    if len(text) > _LONGEST:
        return ""
    common = _PACKED.match(text) or _COMMON.match(text)
    if common:
        return _valid(common[1], common[2], common[3])
    found: list[tuple[int, str]] = []
    for pattern, order in _FORMS:
        if match := pattern.search(text):
            parts = dict(zip(order, match.groups(), strict=True))
            month = parts["m"]
            number = month if month.isdigit() else str(_MONTHS.index(month[:3].lower()) + 1)
            found.append((match.start(), _valid(parts["y"], number, parts["d"])))
    return min(found)[1] if found else ""


def _valid(year: str, month: str, day: str) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat() if _FIRST <= int(year) <= _LAST else ""
    except ValueError:
        return ""


def date_of(tree: LexborHTMLParser, html: str, declared: Mapping[str, str], texts: Sequence[str]) -> str:
    """Return the date of an HTML page.

    Args:
        tree: the page, parsed.
        html: its markup.
        declared: content by name, in lower case, of the `meta` elements in its head.
        texts: of the parts that may say "last updated", in this order.
    """
    return next(filter(None, map(iso_date, _candidates(tree, html, declared, texts))), "")


def _candidates(tree: LexborHTMLParser, html: str, declared: Mapping[str, str], texts: Sequence[str]) -> Iterator[str]:
    named = list(declared.items())
    # the tree is searched only for what the markup holds: a search of it costs as much as all the rest
    if 'itemprop="date' in html:
        for node in tree.css('[itemprop^="date"]'):
            get = node.attributes.get
            named.append(((get("itemprop") or "").lower(), get("content") or get("datetime") or node.text()))
    if "application/ld+json" in html:
        for script in tree.css('script[type="application/ld+json"]'):
            named.extend((name.lower(), value) for name, value in _JSON_LD.findall(script.text()))
    yield from (value for name, value in named if name in _MODIFIED)
    yield from (value for name, value in named if name in _PUBLISHED)
    if "<time" in html:
        times = [node.attributes.get("datetime") or node.text() for node in tree.css("time")]
        if len({iso_date(text) for text in times}) == 1:  # several are a list of other things
            yield times[0]
    for text in map(str.lower, texts):
        if not any(map(text.__contains__, _SAYING)):  # a tenth of what the pattern costs
            continue
        for match in islice(_SAID.finditer(text), _SAID_MOST):
            line = text[match.end() : match.end() + _NEAR].partition("\n")[0]
            yield line.rstrip("0123456789./-") if len(line) == _NEAR else line  # half a date is another date
