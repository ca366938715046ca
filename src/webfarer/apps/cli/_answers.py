"""An answer, shown to people: its text, claims with their quotes, sources, the fare, and how the walk ended."""

from rich.console import Console
from rich.text import Text

from webfarer.apps.cli._narration import fare_line
from webfarer.apps.cli._terminal import clean, one_line
from webfarer.core.types import Answer, Claim


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
            Text(f"  [{numbers[source.url]}] {one_line(source.title)}  {one_line(source.url, 2000)}".rstrip())
        )
    ended = f"{answer.stop_reason}: {answer.stop_detail}" if answer.stop_detail else str(answer.stop_reason)
    console.print()
    for label, value in (("Fare", fare_line(answer.fare)), ("Ended", ended), ("Run", answer.run)):
        console.print(Text.assemble((f"{label:<7}", "dim"), one_line(value)))


def _show_claim(claim: Claim, numbers: dict[str, int], console: Console) -> None:
    mark = ("  ✓ ", "green") if claim.verified else (f"  unverified ({one_line(claim.problem)}): ", "yellow")
    said = one_line(claim.text)
    if claim.quote is None:
        console.print(Text.assemble(mark, said))
        return
    quoted = one_line(claim.quote.text)
    where = f"“{quoted}” [{numbers.get(claim.quote.url, '?')}]"
    console.print(Text.assemble(mark, where if said == quoted else f"{said}\n    {where}"))
