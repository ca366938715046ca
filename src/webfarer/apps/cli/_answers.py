"""An answer, shown to people: its text, claims with their quotes, sources, the fare, and how the walk ended."""

from rich.console import Console
from rich.text import Text

from webfarer.apps.cli._narration import fare_line
from webfarer.apps.cli._terminal import clean, one_line
from webfarer.core.types import Answer, Claim
from webfarer.web.corpus import display_name, in_corpus


def show_answer(answer: Answer, console: Console) -> None:
    """Print the whole answer."""
    console.print(Text(clean(answer.text) or "No answer was found.", "bold"))
    numbers = {source.url: number for number, source in enumerate(answer.sources, 1)}
    if answer.claims:
        console.print()
    for claim in answer.claims:
        _show_claim(claim, numbers, console)
    if answer.sources:
        console.print(Text("\nSources", "dim"))
    for source in answer.sources:
        console.print(
            Text(f"  [{numbers[source.url]}] {one_line(source.title)}  {_place(source.url)}  {source.date}".rstrip())
        )
    for conflict in answer.conflicts:
        console.print(Text(f"\nSources disagree on {one_line(conflict.about)}:", "yellow"))
        for number in conflict.claims:
            claim = answer.claims[number]
            console.print(Text(f"  {one_line(claim.text)} ({_dated(claim, answer)})"))
    ended = f"{answer.stop_reason}: {answer.stop_detail}" if answer.stop_detail else str(answer.stop_reason)
    console.print()
    for label, value in (("Fare", fare_line(answer.fare)), ("Ended", ended), ("Run", answer.run)):
        console.print(Text.assemble((f"{label:<7}", "dim"), one_line(value)))


def _place(url: str) -> str:
    """Return where a source lies, for people: a corpus's page is a file."""
    return one_line(display_name(url) if in_corpus(url) else url, 2000)


def _dated(claim: Claim, answer: Answer) -> str:
    url = claim.quote.url if claim.quote else ""
    date = next((source.date for source in answer.sources if source.url == url), "")
    return ", ".join(part for part in (_place(url), date or "no date") if part)


def _show_claim(claim: Claim, numbers: dict[str, int], console: Console) -> None:
    mark = ("  ✓ ", "green") if claim.verified else (f"  unverified ({one_line(claim.problem)}): ", "yellow")
    said = one_line(claim.text)
    if claim.quote is None:
        console.print(Text.assemble(mark, said))
        return
    quoted = one_line(claim.quote.text)
    where = f"“{quoted}” [{numbers.get(claim.quote.url, '?')}]"
    console.print(Text.assemble(mark, where if said == quoted else f"{said}\n    {where}"))
