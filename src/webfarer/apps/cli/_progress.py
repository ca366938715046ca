"""Live progress on stderr: a line for what happened, and on a terminal a last line with the fare so far."""

from types import TracebackType
from typing import Self

from rich.text import Text

from webfarer.apps.cli._narration import fare_line, narrate
from webfarer.apps.cli._terminal import console, one_line
from webfarer.core.run import Run
from webfarer.core.trace import Event

_SHOWN = {
    *("page", "note", "note_dropped", "nowhere", "back", "degraded", "stop"),
    *("act", "observed", "malformed", "evidence_dropped", "clarified", "plan", "section"),
}

_DOING = {"model": "asking the model", "search": "searching", "fetch": "opening a page"}


class Progress:
    """Shows a run while it goes on; a silent one shows nothing but what is said through :meth:`say`.

    Attributes:
        run: the run whose fare is shown, once there is one.
    """

    def __init__(self, *, silent: bool = False) -> None:
        self.run: Run | None = None
        self._silent = silent
        self._console = console(stderr=True)
        self._status = self._console.status("starting")
        self._question = -1  # number of the call that asks a person

    def __enter__(self) -> Self:
        self._spin()
        return self

    def _spin(self) -> None:
        if self._console.is_terminal and not self._silent:
            self._status.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(Text(text, "yellow"))

    def event(self, event: Event) -> None:
        """Show an event."""
        if self._silent:
            return
        if event.type in _SHOWN:
            self._console.print(narrate(event))
        if self.run is None:
            return
        if event.type == "click":
            self._show(f"opening {event.data['label'] or event.data['url']}", self.run)
        elif event.type == "call" and event.data["kind"] == "person":
            self._question = event.seq
            self._status.stop()  # it would write over what is typed
        elif event.type == "call":
            self._show(_DOING.get(event.data["kind"], "waiting"), self.run)
        elif event.type == "result" and event.data["call"] == self._question:
            self._spin()

    def _show(self, doing: str, run: Run) -> None:
        self._status.update(Text(f"{one_line(doing, 60)} · {fare_line(run.ledger.fare)}"))
