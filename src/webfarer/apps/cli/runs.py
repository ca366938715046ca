"""`webfarer runs`: the recorded runs, listed, shown, replayed, resumed."""

from pathlib import Path
from typing import Annotated

import typer

from webfarer.apps.cli._exits import EXIT_HELP

app = typer.Typer(name="runs", no_args_is_help=True, help="List, show, replay and resume recorded runs.")

RunId = Annotated[str, typer.Argument(help="The run's id, or the beginning of one.")]
Home = Annotated[Path | None, typer.Option(help="Where runs and the archive lie.")]


@app.command("list")
def list_(home: Home = None) -> None:
    """List all runs, newest first."""
    from webfarer.agents.runs import list_runs
    from webfarer.apps.cli._terminal import one_line
    from webfarer.core.config import load_settings

    settings = load_settings(home=home)
    for run in list_runs(settings):
        print(f"{run.run}  {run.stop_reason:<11}  {run.seconds:7.2f}s  {one_line(run.question, 100)}")


@app.command()
def show(
    run_id: RunId,
    home: Home = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the events as they are, one JSON event a line.")
    ] = False,
) -> None:
    """Show the trace of a run, and its answer."""
    from webfarer.agents.runs import find
    from webfarer.apps.cli._answers import show_answer
    from webfarer.apps.cli._narration import narrate
    from webfarer.apps.cli._terminal import console, print_event
    from webfarer.core.config import load_settings
    from webfarer.core.trace import read_events
    from webfarer.core.types import Answer

    events = read_events(find(load_settings(home=home), run_id))
    out = console()
    for event in events:
        if as_json:
            print_event(event)
        else:
            out.print(narrate(event))
    if as_json:
        return
    out.print()
    if events and events[-1].type == "end":
        show_answer(Answer.model_validate(events[-1].data["answer"]), out)
    else:
        out.print(f"The run did not come to its end; go on with: webfarer runs resume {run_id}")


@app.command()
def replay(run_id: RunId, home: Home = None) -> None:
    """Replay a run and compare every event.

    Neither the network nor a model is asked.
    """
    import asyncio
    import hashlib

    from webfarer.agents import runs
    from webfarer.apps.cli._answers import show_answer
    from webfarer.apps.cli._terminal import console
    from webfarer.core.config import load_settings
    from webfarer.core.errors import ReplayMismatch

    settings = load_settings(home=home)
    lines: list[str] = []
    options = runs.Options(settings=settings, on_event=lambda event: lines.append(event.line() + "\n"))
    answer = asyncio.run(runs.replay(run_id, options=options))
    again = "".join(lines).encode()
    if again != runs.find(settings, run_id).read_bytes():
        raise ReplayMismatch(f"the run ended before its recording did, after {len(lines)} events")
    show_answer(answer, console())
    print(f"\nreplayed {len(lines)} events, identical, sha256 {hashlib.sha256(again).hexdigest()}")


@app.command(epilog=EXIT_HELP)
def resume(run_id: RunId, home: Home = None) -> None:
    """Go on with a run that was broken off.

    What it has recorded is replayed; nothing is fetched or paid twice.
    """
    from webfarer.agents import runs
    from webfarer.apps.cli._asking import ask
    from webfarer.core.config import load_settings

    ask(lambda options: runs.resume(run_id, options=options), load_settings(home=home))
