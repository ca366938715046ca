"""When two short texts say the same: dates in any format, numbers with units, lists in any order, addresses of a page.

Not a judge of meaning: nothing here knows synonyms. Invariant: whatever is compared is compared both ways alike, and a
text without any letter or digit equals only itself.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from urllib.parse import unquote, urlsplit

from webfarer.evals.quantities import Quantity, chinese_number, folded, quantity

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_NUMERAL = "[〇零一二三四五六七八九十]"
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\d){_YEAR}([-/.])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}})(?!\d)",
        rf"(?<!\d){_YEAR}\s*年\s*(?P<month>\d{{1,2}})\s*月\s*(?P<day>\d{{1,2}})\s*[日号]",
        rf"(?<![\d.]){_DAY}\.? (?:of )?{_MONTH},? {_YEAR}(?!\d)",
        rf"\b{_MONTH} {_DAY},? {_YEAR}(?!\d)",
        rf"(?<!\d){_YEAR}\s*年\s*(?P<month>\d{{1,2}})\s*月",
        rf"\b{_MONTH},? {_YEAR}(?!\d)",
        r"(?<!\d)(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]",
        rf"(?<![\d.]){_DAY} (?:of )?{_MONTH}(?![a-z])",
        rf"\b{_MONTH} {_DAY}(?!\d)(?![.:]\d)",
        # one of the two can only be a day: no country reads it another way
        rf"(?<!\d)(?P<day>1[3-9]|2\d|3[01])([-/.])(?P<month>\d{{1,2}})\2{_YEAR}(?!\d)",
        rf"(?<!\d)(?P<month>\d{{1,2}})([-/.])(?P<day>1[3-9]|2\d|3[01])\2{_YEAR}(?!\d)",
    )
)
_HAN_DATE = re.compile(rf"(?<!{_NUMERAL}){_NUMERAL}{{1,8}}(?=\s*[年月日号])")
_LEAP = 2000  # a year in which every day of the calendar exists
_GROUPED = re.compile(r"(?<!\d)(?<!\d[., ])\d{1,3}(?:(?:,\d{3})+|(?: \d{3})+)(?![, ]?\d)")
_BETWEEN = re.compile(r"((?<=\d)[\W_]+(?=\d))")
_BULLET = re.compile(r"^[^\S\n]*(?:[-*•·]|\(?\d{1,3}[.)、](?!\d))[^\S\n]*", re.MULTILINE)
_LEAD = re.compile(r"^[^,;、\n]{1,200}?:\s+")
_COMMA = re.compile(r"[;、\n]|,(?!\d{3}(?!\d))|(?<!\d),")
_LAST = re.compile(r"^(?:and|or|和|以及|及)\s+|^(?:以及|和)(?=\S)")
_PAIR = re.compile(r"(?<=\S)\s+and\s+(?=\S)|(?<=\S)和(?=\S)")
_FINAL = re.compile(r"(?:final answer|最终答案)\s*[:：]", re.IGNORECASE)


def final_answer(text: str) -> str:
    """Return what follows the last "FINAL ANSWER:", as the GAIA prompt asks for; all of it where there is none."""
    _, *said = _FINAL.split(text)
    return said[-1].strip(" \n*`") if said else text


def iso_dates(text: str) -> str:
    """Return the folded text with each date that reads in one way only as "2025-04-16", "2025-04", "--04-16"."""
    plain = _HAN_DATE.sub(lambda match: _figures(match.group()), folded(text))
    for pattern in _DATES:
        plain = pattern.sub(_iso, plain)
    return plain


def ungrouped(text: str) -> str:
    """Return the text without the commas and spaces that separate thousands."""
    return _GROUPED.sub(lambda match: match.group().replace(",", "").replace(" ", ""), text)


def key(text: str) -> str:
    """Return the letters and digits of `text` in lower case, its dates in one format: equal for equal short texts.

    What stands between two digits leaves a mark ("1:30" is not "130"), unless it separates thousands.
    """
    pieces = _BETWEEN.split(ungrouped(iso_dates(text)))
    pieces = [_mark(piece) if number % 2 else _bare(piece) for number, piece in enumerate(pieces)]
    return "".join(pieces) or text.strip()


def alike(one: str, other: str) -> bool:
    """Say whether two short texts are the same quantity, the same date or the same words; never for an empty one."""
    return _same(_reading(one), _reading(other))


def listed(text: str, lead: bool = True, pair: bool = True) -> list[str]:
    """Return the items of a list: a JSON array, lines (with bullets or numbers), or items with separators between.

    A comma between a digit and three digits belongs to a number.

    Args:
        text: the list.
        lead: what ends with the first colon leads in and is left out.
        pair: the last two items of a line may have "and" between them.
    """
    try:
        array = json.loads(text)
    except (ValueError, RecursionError):
        array = None
    if isinstance(array, list):
        return [str(item).strip() for item in array if str(item).strip()]
    plain = unicodedata.normalize("NFKC", text.replace("：", ": ")).strip()
    plain = _LEAD.sub("", plain) if lead else plain
    items = [_LAST.sub("", part.strip().rstrip(".。")) for part in _COMMA.split(_BULLET.sub("", plain))]
    items = [item for item in items if item]
    if pair and items and "\n" not in plain:
        items = [*items[:-1], *_PAIR.split(items[-1])]
    return items


def paired(some: Sequence[str], others: Sequence[str]) -> int:
    """Return how many of `some` can be paired with one of `others` that is alike each (a largest matching)."""
    mine, yours = list(map(_reading, some)), list(map(_reading, others))
    left = set(range(len(yours)))
    partner: dict[int, int] = {}
    place: dict[int, int] = {}
    for number in range(len(mine)):
        wanted_by: dict[int, int] = {}
        seekers, free = [number], None
        for seeker in seekers:
            fitting = [other for other in left if other not in wanted_by and _same(mine[seeker], yours[other])]
            wanted_by |= dict.fromkeys(fitting, seeker)
            free = next((other for other in fitting if other not in partner), None)
            if free is not None:
                break
            seekers += [partner[other] for other in fitting]
        else:  # what was asked for in vain will never be free again
            left -= wanted_by.keys()
        while free is not None:  # each seeker takes what it asked for and leaves what it had to the one before
            seeker = wanted_by[free]
            partner[free] = seeker
            place[seeker], free = free, place.get(seeker)
    return len(partner)


def f1(precision: float, recall: float) -> float:
    """Return the harmonic mean; 0 when both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def page_key(url: str) -> str:
    """Return what two addresses of one page have in common: no scheme, `www.`, default port, fragment, last slash."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    host = parts.netloc.rpartition("@")[2].lower().removeprefix("www.")
    host = host.removesuffix(":80" if parts.scheme == "http" else ":443")
    return host + unquote(parts.path).rstrip("/") + (f"?{parts.query}" if parts.query else "")


def _reading(text: str) -> tuple[Quantity | None, str]:
    return quantity(text), key(text)


def _same(one: tuple[Quantity | None, str], other: tuple[Quantity | None, str]) -> bool:
    if one[0] is not None and other[0] is not None:
        return one[0].agrees(other[0])
    return one[1] == other[1] != ""


def _mark(between: str) -> str:
    """Return what is kept of the signs between two digits: symbols, a point, a comma, or a dash for all else."""
    signs = between.strip()
    return _bare(signs) or ("." if signs == "." else "," if set(signs) & set(",;、") else "-")


def _bare(text: str) -> str:
    return "".join(sign for sign in text if not sign.isspace() and unicodedata.category(sign)[0] != "P")


def _figures(numerals: str) -> str:
    value = chinese_number(numerals)
    return numerals if value is None else str(int(value))


def _iso(match: re.Match[str]) -> str:
    parts = match.groupdict()
    month, day, year = parts["month"], parts.get("day"), parts.get("year")
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
    try:
        date(int(year or _LEAP), number, int(day or 1))
    except ValueError:
        return match.group()
    return "-".join([year or "-", f"{number:02}", *([f"{int(day):02}"] if day else [])])
