"""`webfarer doctor`: does everything work here, and if not, what mends it."""

from pathlib import Path
from typing import Annotated

import typer

from webfarer.apps.cli._exits import ERROR

app = typer.Typer()


@app.command()
def doctor(
    model: Annotated[str | None, typer.Option(help="Check this model instead of the one in the settings.")] = None,
    base_url: Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint of the model.")] = None,
    home: Annotated[Path | None, typer.Option(help="Where runs and the archive lie.")] = None,
) -> None:
    """Check that everything works here.

    Looks at the installation, the settings, the home folder, the web client and the model, and says what mends a
    problem; then the exit code is 1.
    """
    import asyncio

    from rich.text import Text

    from webfarer.apps.cli._checks import checks
    from webfarer.apps.cli._terminal import clean, console

    out = console()
    styles = {"ok": "green", "warning": "yellow", "problem": "bold red"}

    async def report() -> bool:
        sound = True
        async for check in checks(model=model, base_url=base_url, home=home):
            out.print(Text.assemble((f"{check.state:<8}", styles[check.state]), f"{check.what}: {clean(check.found)}"))
            if check.mend:
                out.print(Text(f"{'':8}→ {clean(check.mend)}"))
            sound = sound and check.state != "problem"
        return sound

    if not asyncio.run(report()):
        raise typer.Exit(ERROR)
