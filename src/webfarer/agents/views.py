"""What a model is shown of an observation: our own words, and what websites wrote between marks.

Evidence is numbered here and nowhere else; a number that a page forges stands for a real quote, so it can mislead the
reader of the prompt and not the checker of the answer.
"""

from collections.abc import Iterable, Sequence

from webfarer.agents.dance import Dance, Observation, Reading
from webfarer.agents.excerpts import ranked
from webfarer.core.types import Hit, Link, Page, Quote
from webfarer.models.prompts import fence, nonce

_SNIPPET = 300
_QUOTE = 600
_LINKS = 12
_LABEL = 80


def show(seen: Observation, dance: Dance, run_id: str) -> str:
    """Return the observation as text for a model; it must have been learned by `dance`."""
    goal = str(seen.call.arguments.get("goal", "")) or dance.question
    blocks: list[tuple[str, str, str]] = []
    for query, hits in seen.results:
        blocks.append((f"Results for {query!r}:", "results", _hits(hits)))
    for reading in seen.readings:
        blocks.append(("Read:", "page", _reading(reading, dance, goal)))
    if seen.quotes:
        blocks.append(("Found:", "page", _evidence(seen.quotes, dance)))
    if seen.walked:
        answer, pages = seen.walked
        quotes = [claim.quote for claim in answer.claims if claim.quote]
        text = f"Answer: {answer.text or '(nothing found)'}\nEvidence:\n{_evidence(quotes, dance)}\n{_pages(pages)}"
        blocks.append((f"The walk ended ({answer.stop_reason}) after {len(pages)} pages:", "walk", text))
    for problem in seen.problems:
        blocks.append((f"Failed ({problem.error}):", "problem", f"{problem.url}: {problem.message}"))
    lines = [f"{head}\n{fence(text, nonce=nonce(run_id, text), source=source)}" for head, source, text in blocks]
    return "\n\n".join([*lines, *([seen.note] if seen.note else [])]) or "Nothing came of it."


def evidence_lines(dance: Dance, limit: int) -> str:
    """Return all evidence, one numbered line each, the latest when all would pass `limit` characters."""
    lines = [
        f'[{number}] "{" ".join(quote.text.split())[:_QUOTE]}" ({_where(quote.page, quote.url, dance)})'
        for number, quote in enumerate(dance.evidence, 1)
    ]
    while len(lines) > 1 and sum(map(len, lines)) > limit:
        lines.pop(0)
    return "\n".join(lines)


def _hits(hits: Sequence[Hit]) -> str:
    return "\n".join(
        f"{number}. {hit.title} — {hit.url}{f' ({hit.date})' if hit.date else ''}\n   {hit.snippet[:_SNIPPET]}"
        for number, hit in enumerate(hits, 1)
    )


def _reading(reading: Reading, dance: Dance, goal: str) -> str:
    page = reading.page
    parts = [f"{page.title} — {page.url}{f' ({page.date})' if page.date else ''}"]
    if reading.evidence:
        parts.append(f"Evidence:\n{_evidence(reading.evidence, dance)}")
    parts.append(f"Summary: {reading.summary or 'nothing on this page serves the goal.'}")
    links = ranked([link for link in _distinct(page.links) if link.url != page.url], goal)[:_LINKS]
    if links:
        parts.append("Links:\n" + "\n".join(f"- {link.label[:_LABEL]}: {link.url}" for link in links))
    return "\n".join(parts)


def _distinct(links: Iterable[Link]) -> list[Link]:
    return list({link.url: link for link in reversed(list(links))}.values())[::-1]


def _evidence(quotes: Iterable[Quote], dance: Dance) -> str:
    return "\n".join(f'[{dance.cite(quote)}] "{quote.text[:_QUOTE]}"' for quote in quotes)


def _pages(pages: Sequence[Page]) -> str:
    return "Pages read:\n" + "\n".join(f"- {page.title}: {page.url}" for page in pages)


def _where(page_id: str, url: str, dance: Dance) -> str:
    page = dance.pages.get(page_id)
    return f"{page.title}, {url}{f', {page.date}' if page.date else ''}" if page else url
