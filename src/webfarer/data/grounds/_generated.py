"""What grounds on generated sites share: pages read from their bytes, and statements found where they were planted.

Not a reader of unknown pages: what is true is known, only its place is looked up. Invariant: the evidence of a
statement is an exact piece of the page's markdown that holds the value: a row, an item or a sentence.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from webfarer.core.errors import ConfigError
from webfarer.core.types import Page
from webfarer.data.ground import Place, Statement
from webfarer.data.question import Evidence
from webfarer.web.extract import read_page
from webfarer.worlds.types import PageSpec

_APART = 1_000_000  # seeds of sites that evaluations ask about (webfarer.evals.tasks.world) are smaller
_LINE = re.compile(r".+")
_LISTED = re.compile(r"\|.*\||[-*] .*")
_SENTENCE = re.compile(r"\S(?:.*?[。！？]|.*?[.!?](?= |$)|.+)")
PAGES = 100
"""Of a site."""


@dataclass(frozen=True, slots=True)
class Planted:
    """Something that the page at `path` states."""

    path: str
    subject: str
    relation: str
    value: str


def seed_of(place: Place) -> int:
    """Return the seed of the site that is wanted.

    Raises:
        ConfigError: the number or the seed is negative, or the number too large.
    """
    if place.seed < 0 or not 0 <= place.number < _APART:
        raise ConfigError(
            f"a generated ground needs a seed and a number of 0 or more, not {place.seed}, {place.number}"
        )
    return (place.seed + 1) * _APART + place.number


def read_site(root: str, specs: Mapping[str, PageSpec], paths: Iterable[str]) -> dict[str, Page]:
    """Read the pages of a site, in the order of `paths`; `root` ends in "/"."""
    pages = {}
    for path in paths:
        body, url = specs[path].html, root + path.removeprefix("/")
        page_id = hashlib.sha256(body).hexdigest()
        pages[url] = read_page(body, url=url, content_type="text/html; charset=utf-8", page_id=page_id)
    return pages


def located(root: str, pages: Mapping[str, Page], planted: Iterable[Planted]) -> tuple[Statement, ...]:
    """Return what is planted with its evidence, in document order, page by page."""
    found = []
    order = {url: number for number, url in enumerate(pages)}
    for each in planted:
        page = pages[root + each.path.removeprefix("/")]
        found.append(Statement(each.subject, each.relation, each.value, _evidence(page, each)))
    return tuple(sorted(found, key=lambda said: (order[said.evidence.url], said.evidence.start)))


def _evidence(page: Page, planted: Planted) -> Evidence:
    """Return the line that holds the value, and the subject where one does; of prose, the sentence."""
    lines = [
        line
        for region, span in page.spans
        if region == "main"
        for line in _LINE.finditer(page.markdown, span.start, span.end)
        if planted.value in line[0]
    ]
    if not lines:
        raise ValueError(f"{page.url} does not state {planted.value!r}")
    line = next((line for line in lines if planted.subject in line[0]), lines[0])
    if not _LISTED.fullmatch(line[0]):
        sentences = _SENTENCE.finditer(page.markdown, line.start(), line.end())
        line = next((each for each in sentences if planted.value in each[0]), line)
    return Evidence.at(page, line.start(), line.end())
