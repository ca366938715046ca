"""A report on the terminal or in a file."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from webfarer.agents.rendering import renderer_for
from webfarer.agents.reports import Report
from webfarer.apps.cli._narration import fare_line
from webfarer.apps.cli._terminal import clean, one_line
from webfarer.core.errors import ConfigError
from webfarer.core.types import Answer


class Paper:
    """Where a report goes: a file of the format that its name asks for, or stdout as Markdown.

    Raises:
        ConfigError: the file cannot be of any known format, or its folder is not there; before anything is spent.
    """

    def __init__(self, out: Path | None) -> None:
        self._out = out
        self._renderer = renderer_for(out or Path("report.md"))
        if out is not None and not out.parent.is_dir():
            raise ConfigError(f"there is no folder {out.parent}")

    def show(self, answer: Answer, console: Console) -> None:
        """Write the report; print it when there is no file.

        Raises:
            ConfigError: the file cannot be written.
        """
        assert isinstance(answer, Report)
        made = self._renderer.render(answer)
        if self._out is None:
            console.print(Text(clean(made.decode())))
        else:
            try:
                self._out.write_bytes(made)
            except OSError as error:
                reason = f"cannot write {self._out}: {error.strerror}"
                raise ConfigError(f"{reason}; the run is kept: webfarer runs show {answer.run}") from error
            console.print(Text(f"{self._out}: {len(answer.sections)} sections, {len(answer.claims)} statements"))
        for label, value in (("Fare", fare_line(answer.fare)), ("Run", answer.run)):
            console.print(Text.assemble((f"{label:<7}", "dim"), one_line(value)))
