"""From a draft to an answer: every quote is looked up, character for character, in the archived page.

Mechanical only: it says whether a quote is where the note says it is, not whether the quote proves the statement.
What fails is kept and marked unverified.
"""

from collections.abc import Mapping

from webfarer.agents.decisions import Draft
from webfarer.core.errors import FetchError
from webfarer.core.types import Claim, Page, Quote, Source
from webfarer.web.client import Web


def claims_of(draft: Draft, web: Web) -> tuple[Claim, ...]:
    """Check the draft's claims against the archive; a text without any is one bare claim."""
    if draft.text and not draft.claims:
        return (Claim(text=draft.text, problem="the answer cites nothing"),)
    return tuple(_checked(claim, web) for claim in draft.claims)


def _checked(claim: Claim, web: Web) -> Claim:
    if claim.quote is None:
        return claim.model_copy(update={"verified": False, "problem": claim.problem or "it cites nothing"})
    problem = _problem(claim.quote, web)
    return claim.model_copy(update={"verified": not problem, "problem": problem})


def _problem(quote: Quote, web: Web) -> str:
    try:
        markdown = web.page(quote.page).markdown
    except FetchError as error:
        return error.message
    if not quote.text.strip():
        return "the quote is empty"
    found = markdown[quote.start : quote.start + len(quote.text)] == quote.text
    return "" if found else "the quote is not on the page"


def sources_of(draft: Draft, pages: Mapping[str, Page]) -> tuple[Source, ...]:
    """Return the pages the draft rests on, those of its claims first, each once.

    Args:
        draft: the draft.
        pages: the pages read, by archive id.
    """
    found: dict[str, Source] = {}
    quoted = [(claim.quote.page, claim.quote.url) for claim in draft.claims if claim.quote]
    for page_id, url in (*quoted, *((page.id, page.url) for page in draft.sources)):
        page = pages.get(page_id)
        title, date = (page.title, page.date) if page else ("", "")
        found.setdefault(url, Source(page=page_id, url=url, title=title, date=date))
    return tuple(found.values())
