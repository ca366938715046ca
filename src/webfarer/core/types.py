"""The nouns every floor shares: Link, Page, Hit, Note, Claim, Answer.

What stays inside the process and is made by the thousand is a frozen dataclass; what travels (JSON, the trace, the
library's result) is a pydantic model. Page text is untrusted: it enters a prompt only through
:func:`webfarer.models.prompts.fence`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from webfarer.core.fare import Fare

Region = Literal["main", "nav", "header", "footer", "aside", "breadcrumb"]


class Span(NamedTuple):
    """A half-open range of character offsets into a page's markdown."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Link:
    """Something on a page that leads to another URL: an anchor, a button, an `onclick`, a `data-url`.

    Attributes:
        id: 1-based number on its page, in document order; stable for the same bytes.
        url: absolute target without fragment, canonicalised.
        fragment: the target's fragment without `#`, or "".
        label: visible text, else aria-label, title, image alt or the last part of the path; white space folded.
        context: text around the link within its block, at most 200 characters, white space folded; from a site's own
            search index, every word it knows of the target.
        heading: nearest heading above the link, or "".
        region: part of the page it stands in.
        at: offset of the label in the page's markdown.
    """

    id: int
    url: str
    label: str
    context: str = ""
    heading: str = ""
    fragment: str = ""
    region: Region = "main"
    at: int = 0


class PageKind(StrEnum):
    """What a fetched document turned out to be; only CONTENT is worth quoting."""

    CONTENT = "content"
    BLOCKED = "blocked"
    CONSENT = "consent"
    LOGIN = "login"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Page:
    """A document as read.

    Attributes:
        id: archive id of the bytes it was read from; "" when it was not archived.
        url: final URL after redirects, without fragment.
        title: text of `<title>`, else the first heading, else "".
        markdown: visible text as markdown; offsets in :class:`Link` and :class:`Span` refer to it.
        links: in document order; several links may share a target.
        canonical: `<link rel=canonical>` when it names the same site, else `url`.
        language: ISO 639-1 code ("en", "zh") or "" when unknown.
        kind: content, or why it is none.
        date: when it was published or last changed by its own account, ISO 8601 ("2025-04-16"), or "".
        spans: parts of `markdown` by region, in order (main text, navigation, …); together they cover it.
        truncated: true when a size limit cut the document.
    """

    id: str
    url: str
    title: str
    markdown: str
    links: tuple[Link, ...] = ()
    canonical: str = ""
    language: str = ""
    kind: PageKind = PageKind.CONTENT
    date: str = ""
    spans: tuple[tuple[Region, Span], ...] = field(default=())
    truncated: bool = False


class Quote(BaseModel):
    """An exact piece of a page's markdown.

    Attributes:
        page: archive id of the page.
        url: the page's URL.
        text: the quoted characters, exactly as in the markdown.
        start: offset of the first character.
    """

    model_config = ConfigDict(frozen=True)

    page: str
    url: str
    text: str
    start: int


class Note(BaseModel):
    """What the critic kept of one page: a statement and the quote that carries it."""

    model_config = ConfigDict(frozen=True)

    text: str
    quote: Quote


class Claim(BaseModel):
    """One statement of the answer with the quote that is to support it.

    Attributes:
        text: the statement.
        quote: where it is said; None when the answer cites nothing for it.
        verified: the quote was found, character for character, in the archived page.
        problem: why it is not verified, or "".
    """

    model_config = ConfigDict(frozen=True)

    text: str
    quote: Quote | None = None
    verified: bool = False
    problem: str = ""


class Source(BaseModel):
    """A page the answer rests on; `date` is the page's own, or ""."""

    model_config = ConfigDict(frozen=True)

    page: str
    url: str
    title: str
    date: str = ""


class Conflict(BaseModel):
    """Claims that contradict each other.

    Attributes:
        about: what they disagree on.
        claims: their numbers in the answer's claims, from 0; their sources' dates say which is newer.
    """

    model_config = ConfigDict(frozen=True)

    about: str
    claims: tuple[int, ...]


class Hit(BaseModel):
    """One result of a search.

    Attributes:
        url: absolute, canonical.
        title: plain text.
        snippet: what the engine shows of the page, plain text.
        date: ISO 8601, or "" when the engine gives none.
        engine: id of the searcher that found it.
        page: archive id, when it was found in our own archive.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    title: str
    snippet: str = ""
    date: str = ""
    engine: str = ""
    page: str = ""


class StopReason(StrEnum):
    """Why a run ended."""

    ANSWERED = "answered"
    BUDGET = "budget"
    LOOP = "loop"
    TURNS = "turns"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    NO_SOURCES = "no_sources"
    FAILED = "failed"


class Answer(BaseModel):
    """What a run gives back, always.

    Attributes:
        question: what was asked.
        text: the answer; "" when nothing was found.
        claims: the statements `text` is made of.
        sources: pages the claims rest on, best first; may hold more pages than are quoted.
        conflicts: claims that contradict each other.
        stop_reason: why the run ended.
        stop_detail: one line for people: which limit, which error; "" when answered.
        fare: what it cost.
        run: id of the run, for `webfarer runs show`.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    text: str
    claims: tuple[Claim, ...] = ()
    sources: tuple[Source, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    stop_reason: StopReason
    stop_detail: str = ""
    fare: Fare = Fare()
    run: str = ""

    @property
    def verified(self) -> bool:
        """True when there is at least one claim and every claim's quote was found on its page."""
        return bool(self.claims) and all(claim.verified for claim in self.claims)
