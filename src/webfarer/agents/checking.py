"""From a draft to an answer: every quote is looked up, character for character, in the archived page.

Mechanical only: it says whether a quote is where the note says it is, not whether the quote proves the statement.
What fails is kept and marked unverified.
"""

from collections.abc import Iterable

from webfarer.agents.decisions import Draft
from webfarer.core.errors import FetchError
from webfarer.core.types import Claim, Note, Source
from webfarer.web.client import Web


def claims_of(draft: Draft, web: Web) -> tuple[Claim, ...]:
    """Turn the draft's notes into claims, each checked against the archive; a text without notes is one bare claim."""
    if draft.text and not draft.notes:
        return (Claim(text=draft.text, problem="the answer cites nothing"),)
    return tuple(_claim(note, web) for note in draft.notes)


def _claim(note: Note, web: Web) -> Claim:
    problem = ""
    try:
        markdown = web.page(note.quote.page).markdown
    except FetchError as error:
        problem = error.message
    else:
        at = note.quote.start
        if not note.quote.text.strip():
            problem = "the quote is empty"
        elif markdown[at : at + len(note.quote.text)] != note.quote.text:
            problem = "the quote is not on the page"
    return Claim(text=note.text, quote=note.quote, verified=not problem, problem=problem)


def sources_of(draft: Draft, titles: dict[str, str]) -> tuple[Source, ...]:
    """Return the pages the draft rests on, those of its notes first, each once.

    Args:
        draft: the draft.
        titles: archive id → title of the pages read.
    """
    found: dict[str, Source] = {}
    quoted: Iterable[tuple[str, str]] = ((note.quote.page, note.quote.url) for note in draft.notes)
    for page, url in (*quoted, *((page.id, page.url) for page in draft.sources)):
        found.setdefault(url, Source(page=page, url=url, title=titles.get(page, "")))
    return tuple(found.values())
