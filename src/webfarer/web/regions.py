"""Which part of a page an element opens (navigation, footer, …) and whether anybody can see it.

Judged by tag, role and the common class and id names; style sheets are not read. Hidden text must never reach a prompt:
it is how a page speaks to a model behind its reader's back.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from webfarer.core.types import Region

TELLING_TAGS: dict[str, Region] = {
    "main": "main",
    "nav": "nav",
    "header": "header",
    "footer": "footer",
    "aside": "aside",
}
_ROLES: dict[str, Region] = {
    "main": "main",
    "navigation": "nav",
    "banner": "header",
    "contentinfo": "footer",
    "complementary": "aside",
    "doc-toc": "nav",
}
HIDING = ("hidden", "aria-hidden", "style")
"""Attributes without which nothing is hidden."""
NAMING = frozenset(("class", "id", "role", "aria-label"))
"""Attributes without which only a telling tag opens a region."""
NAMED = frozenset("div ul ol section table dl form".split()) | frozenset(TELLING_TAGS)
"""Tags that may open a region."""

_BREADCRUMB = re.compile(r"bread-?crumb|(?<![a-z])crumbs(?![a-z])", re.IGNORECASE)
_WORDS: tuple[tuple[Region, str], ...] = (
    ("footer", r"footer|(?:site|page|global|main)[-_]?footer|colophon"),
    (
        "nav",
        r"nav|navbar|nav-?bar|navigation|navheader|navfooter|menu|menu-?bar|top-?nav|side-?nav|(?:site|main|primary|"
        r"global|page)[-_]?(?:nav|menu|navigation)|(?:\w+[-_])?toc|table-?of-?contents|local-?toc|pagination|pager|related|"
        r"sphinxsidebar(?:wrapper)?",
    ),
    ("aside", r"side-?bar|(?:left|right|main|page)[-_]?side-?bar|side-?bar[-_](?:left|right)|side-?bar-\w+"),
    ("header", r"header|(?:site|global|main)[-_]?header|masthead|top-?bar|banner"),
)
_NAMES = tuple((region, re.compile(rf"(?:^|\s)(?:{names})(?:$|\s)", re.IGNORECASE)) for region, names in _WORDS)

_NOTE = re.compile(
    r"(?<![a-z])(?:foot|end)?notes?(?![a-z])|admonition|topic|callout|caution|warning|important|hint", re.I
)
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|"
    r"(?:font-size|opacity)\s*:\s*(?:0+(?:\.0*)?|\.0+)\s*(?:[a-z%!;]|$)|"
    r"(?:left|top|right|text-indent)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)


def is_hidden(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Say whether an element is kept from its reader by its own attributes.

    `aria-hidden` counts, though such an element can be seen: it marks decoration, doubles and closed dialogs.
    """
    if "hidden" in attributes:
        return True
    if attributes.get("aria-hidden") == "true" and tag not in ("body", "main", "article"):
        return True
    style = attributes.get("style")
    return bool(style and _HIDING.search(style))


def region_of(tag: str, attributes: Mapping[str, str | None]) -> Region | None:
    """Return the region an element opens, or None."""
    get = attributes.get
    return _region(tag, get("role") or "", f"{get('class') or ''} {get('id') or ''}", get("aria-label") or "")


@lru_cache(maxsize=4096)
def _region(tag: str, role: str, names: str, label: str) -> Region | None:
    if _BREADCRUMB.search(names) or (_BREADCRUMB.search(label) and (tag == "nav" or role == "navigation")):
        return "breadcrumb"
    if role in _ROLES:
        return _ROLES[role]
    if tag == "aside" and (role in ("note", "doc-footnote", "doc-endnotes", "doc-tip") or _NOTE.search(names)):
        return None  # footnotes and boxed remarks belong to the text they stand in
    if tag in TELLING_TAGS:
        return TELLING_TAGS[tag]
    return next((region for region, pattern in _NAMES if pattern.search(names)), None)
