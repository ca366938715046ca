"""A report as a list of blocks, the same for every format: what a reader is shown, in which order.

What is unverified, missing or in conflict is a block or a field of its own, so that no format can leave it out. The
strings in the blocks are what models and websites wrote, white space folded, and nothing of them is escaped yet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from webfarer.agents.reports import Report, Section, Statement, Table, statements
from webfarer.agents.wording import wording
from webfarer.core.fare import Fare
from webfarer.core.types import Claim, StopReason
from webfarer.web.corpus import display_name, in_corpus

_LONGEST_QUOTE, _LONGEST_TITLE = 600, 200


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; the title of the report has level 1."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What the report says of itself; `grave` when a reader must not miss it."""

    text: str
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A statement, the numbers of its sources, and a remark when it is not verified, else ""."""

    text: str
    sources: tuple[int, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote: the number of its source, the words, and when the source was written, or ""."""

    source: int
    text: str
    date: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph and the quotes that carry it."""

    said: tuple[Said, ...]
    quotes: tuple[Quoted, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: its header, each row's name and cells, and the quotes that carry the cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Said, ...]], ...]
    quotes: tuple[Quoted, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """What sources disagree on, and what each says, dated."""

    about: str
    quotes: tuple[Quoted, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A source: its number, title and date, where it lies, for people, and its URL, "" for a file."""

    number: int
    title: str
    date: str
    place: str
    url: str


Block = Heading | Remark | Prose | Rows | Sides | Reference


def outline(report: Report) -> list[Block]:
    """Return what a report shows, in order."""
    return list(_Outline(report).blocks())


class _Outline:
    def __init__(self, report: Report) -> None:
        self._report, self._say = report, wording(report.question)
        self._numbers = {source.url: number for number, source in enumerate(report.sources, 1)}
        self._dates = {source.url: source.date for source in report.sources}

    def blocks(self) -> Iterator[Block]:
        report, say = self._report, self._say
        yield Heading(1, report.plan.title)
        yield Remark(say["question"].format(report.question))
        if asked := report.clarification:
            yield Remark(say["asked_back"].format(asked.question))
            yield Remark(say["answered" if asked.answer else "assumed"].format(asked.answer or asked.assumption))
        yield Remark(say["model"].format(report.model) if report.model else say["no_model"])
        if report.stop_reason not in (StopReason.ANSWERED, StopReason.NO_SOURCES):
            yield Remark(say["ended"].format(report.stop_reason, report.stop_detail), grave=True)
        if not report.claims:
            yield Remark(say["nothing_at_all"], grave=True)
        for number, section in enumerate(report.sections, 1):
            yield from self._section(number, section)
        if report.sources:
            yield Heading(2, say["sources"])
        for number, source in enumerate(report.sources, 1):
            file = in_corpus(source.url)
            place, title = display_name(source.url), source.title[:_LONGEST_TITLE]
            yield Reference(number, title or place, source.date, place, "" if file else source.url)
        yield Remark(say["fare"].format(_fare(report.fare)))
        if report.run:
            yield Remark(say["run"].format(report.run))

    def _section(self, number: int, section: Section) -> Iterator[Block]:
        say, claims = self._say, self._report.claims
        yield Heading(2, f"{number}. {section.title}")
        for question in section.also:
            yield Remark(say["also"].format(question))
        if section.stop_reason not in (StopReason.ANSWERED, StopReason.NO_SOURCES):
            yield Remark(say["section_ended"].format(section.stop_reason, section.stop_detail), grave=True)
        if not section.numbers:
            yield Remark(say["nothing"], grave=True)
        for paragraph in section.paragraphs:
            said = statements(claims[n] for n in paragraph)
            yield Prose(tuple(map(self._said, said)), self._quotes(claims[n] for n in paragraph))
        if section.table:
            yield from self._table(section.table)
        for conflict in section.conflicts:
            quotes = [self._quoted(claims[n], say["no_date"]) for n in conflict.claims if claims[n].quote]
            yield Sides(say["disagree"].format(conflict.about), tuple(quotes))

    def _table(self, table: Table) -> Iterator[Block]:
        say, claims = self._say, self._report.claims
        rows = [
            tuple(
                Said(say["not_found"]) if n is None else self._said(Statement(claims[n].text, (claims[n],)))
                for n in row
            )
            for row in table.cells
        ]
        numbers = [n for row in table.cells for n in row if n is not None]
        named = tuple(zip(table.rows, rows, strict=True))
        yield Rows(("", *table.columns), named, self._quotes(claims[n] for n in numbers))
        found, every = len(table.rows) - len(table.absent), len(table.rows)
        yield Remark(say["table"].format(found, every, len(numbers), every * len(table.columns)))
        if table.absent:
            yield Remark(say["absent"].format(", ".join(table.absent)), grave=True)

    def _cell(self, number: int | None) -> Said:
        if number is None:
            return Said(self._say["not_found"])
        claim = self._report.claims[number]
        return self._said(Statement(claim.text, (claim,)))

    def _said(self, said: Statement) -> Said:
        sources = dict.fromkeys(self._numbers[claim.quote.url] for claim in said.claims if claim.quote)
        problems = dict.fromkeys(claim.problem for claim in said.claims if not claim.verified)
        problem = self._say["unverified"].format("; ".join(problems)) if problems else ""
        return Said(said.text, tuple(sources), problem)

    def _quotes(self, claims: Iterable[Claim]) -> tuple[Quoted, ...]:
        return tuple(dict.fromkeys(self._quoted(claim) for claim in claims if claim.quote))

    def _quoted(self, claim: Claim, no_date: str = "") -> Quoted:
        assert claim.quote
        text, url = " ".join(claim.quote.text.split()), claim.quote.url
        shown = text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"
        return Quoted(self._numbers[url], shown, self._dates[url] or no_date)


def _fare(fare: Fare) -> str:
    spent = {meter: amount for meter, amount in fare.model_dump().items() if amount and not meter.startswith("tokens_")}
    return ", ".join(
        f"{amount:,} {meter}" if isinstance(amount, int) else f"{amount:.4g} {meter}" for meter, amount in spent.items()
    )
