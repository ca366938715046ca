"""The search index that Sphinx ships with a site for its own search box, read as a page that lists the site.

Each document becomes a link whose label is its title and whose context is every word the index knows of it, so whoever
ranks links by their context searches the whole site. Only the form Sphinx has written since 1.x with JSON keys is read,
and only for sites whose pages end in `.html`. Source: `sphinx.search.IndexBuilder`, `Search.setIndex({…})`.
"""

import json
import re
from urllib.parse import urljoin

from webfarer.core.types import Link, Page, Span

NAME = "searchindex.js"
_TAG = re.compile(r"<[^>]*>")
_CALL = re.compile(r"\s*Search\.setIndex\((\{.*\})\)\s*;?\s*", re.DOTALL)


def read_index(text: str, page: Page, most: int) -> Page | None:
    """Return the index in `text` as a page with at most `most` links, or None when it is none.

    Args:
        text: the script, decoded.
        page: what is known of it so far; URL and id are taken from it.
        most: links kept.
    """
    call = _CALL.fullmatch(text)
    if call is None:
        return None
    try:
        index = json.loads(call.group(1))
        names, titles = list(index["docnames"]), list(index["titles"])
        known: list[list[str]] = [[] for _ in names]
        for table in (index["titleterms"], index["terms"]):
            for word, numbers in table.items():
                for number in [numbers] if isinstance(numbers, int) else numbers:
                    known[number].append(word)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
    lines = ["# Search index", ""]
    at = len(lines[0]) + 2
    links: list[Link] = []
    for name, title, words in zip(names[:most], titles, known, strict=False):
        label = " ".join(_TAG.sub("", str(title)).split()) or str(name)
        target = urljoin(page.url, f"{name}.html")
        links.append(Link(id=len(links) + 1, url=target, label=label, context=" ".join(words), at=at + 2))
        lines.append(f"- {label}")
        at += len(lines[-1]) + 1
    markdown = "\n".join(lines)
    return Page(
        page.id,
        page.url,
        title="Search index",
        markdown=markdown,
        links=tuple(links),
        canonical=page.url,
        spans=(("nav", Span(0, len(markdown))),),
        truncated=len(names) > most,
    )
