"""One run from the command line: progress while it goes on, Ctrl-C, the answer, the exit code.

The first Ctrl-C asks the run to end with its best answer so far; the second one breaks it off, and it can be resumed.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, NoReturn

import typer
from rich.console import Console

from webfarer.agents.people import Person
from webfarer.agents.runs import Options
from webfarer.apps.cli._answers import show_answer
from webfarer.apps.cli._exits import EXIT_CODES
from webfarer.apps.cli._progress import Progress
from webfarer.apps.cli._terminal import clean, console, print_event
from webfarer.core.config import Settings
from webfarer.core.run import Run
from webfarer.core.types import Answer

Start = Callable[[Options], Coroutine[Any, Any, Answer]]
Show = Callable[[Answer, Console], None]


def ask(
    start: Start,
    settings: Settings,
    *,
    person: Person | None = None,
    show: Show = show_answer,
    as_json: bool = False,
    quiet: bool = False,
) -> NoReturn:
    """Run what `start` makes of the options, show it, and exit with the code of its stop reason.

    Args:
        start: begins the run.
        settings: of the run.
        person: who may be asked.
        show: prints the answer.
        as_json: print every event of the trace as one line of JSON, and nothing else.
        quiet: print the answer's text only.
    """
    with Progress(silent=as_json or quiet) as progress:
        listener = print_event if as_json else progress.event
        options = Options(settings=settings, on_event=listener, person=person)
        try:
            answer = asyncio.run(_stoppable(start, options, progress))
        except KeyboardInterrupt:
            if progress.run is not None:
                progress.say(f"broken off; go on with: webfarer runs resume {progress.run.id}")
            raise
    if quiet:
        print(clean(answer.text))
    elif not as_json:
        show(answer, console())
    raise typer.Exit(EXIT_CODES[answer.stop_reason])


async def _stoppable(start: Start, options: Options, progress: Progress) -> Answer:
    loop = asyncio.get_running_loop()

    def began(run: Run) -> None:
        progress.run = run

        def stop() -> None:
            loop.remove_signal_handler(signal.SIGINT)  # the next Ctrl-C is a KeyboardInterrupt again
            run.stop()
            progress.say("stopping after what is under way; Ctrl-C again breaks the run off")

        loop.add_signal_handler(signal.SIGINT, stop)

    try:
        return await start(replace(options, on_run=began))
    finally:
        loop.remove_signal_handler(signal.SIGINT)
