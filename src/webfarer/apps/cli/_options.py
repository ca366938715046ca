"""Options that several commands share, and the settings they make."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from webfarer.core.errors import ConfigError, boundary

Model = Annotated[str | None, typer.Option(help="provider:model, such as openai:gpt-4o-mini; none: no model is asked.")]
BaseUrl = Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint of the model.")]
Policy = Annotated[str | None, typer.Option(help="Who takes a walk's decisions; the default fits the model.")]
MaxSteps = Annotated[int | None, typer.Option(help="Limit on actions.")]
MaxPages = Annotated[int | None, typer.Option(help="Limit on pages requested.")]
MaxUsd = Annotated[float | None, typer.Option(help="Limit on US dollars for model calls.")]
MaxTokens = Annotated[int | None, typer.Option(help="Limit on model tokens.")]
MaxSeconds = Annotated[float | None, typer.Option(help="Limit on seconds.")]
MaxBytes = Annotated[int | None, typer.Option(help="Limit on bytes received.")]
ArchiveMode = Annotated[str | None, typer.Option("--archive", help="live, record or replay.")]
AllowPrivate = Annotated[
    list[str] | None, typer.Option(help="Host that may be private or loopback, with optional :port; repeatable.")
]
IgnoreRobots = Annotated[bool, typer.Option("--ignore-robots", help="Do not ask robots.txt.")]
Seed = Annotated[int | None, typer.Option(help="Seed of everything that draws lots.")]
Home = Annotated[Path | None, typer.Option(help="Where runs and the archive lie.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the trace as it happens, one JSON event a line.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print the answer's text only.")]
Browser = Annotated[str | None, typer.Option(help="JavaScript pages in Chromium: auto, never or always.")]

Assignments = Annotated[
    list[str] | None, typer.Option("--set", help="Any other setting, as ask.context=fold; repeatable.")
]


def given(**values: Any) -> dict[str, Any]:
    """Return the values that were given on the command line."""
    return {name: value for name, value in values.items() if value is not None}


def manners(allow_private: list[str] | None, ignore_robots: bool) -> dict[str, Any]:
    """Return the settings of :class:`webfarer.core.config.WebSettings` that these flags stand for."""
    return given(allow_private=allow_private, robots=False if ignore_robots else None)


def limits(
    steps: int | None, pages: int | None, usd: float | None, tokens: int | None, seconds: float | None, size: int | None
) -> dict[str, Any]:
    """Return the limits that were given, by meter."""
    return given(steps=steps, pages=pages, usd=usd, tokens=tokens, seconds=seconds, bytes=size)


def assigned(assignments: list[str] | None, **flags: Any) -> dict[str, Any]:
    """Return `flags` with the settings of `--set` put in, nested by their dots; a value is JSON or plain text.

    Raises:
        ConfigError: one that is no NAME=VALUE.
    """
    for text in assignments or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ConfigError(f"--set {text!r}: write NAME=VALUE, as in ask.context=fold")
        *path, last = name.split(".")
        place = flags
        for part in path:
            place[part] = dict(place.get(part) or {})
            place = place[part]
        try:
            place[last] = json.loads(value)
        except ValueError:
            place[last] = value
    return flags


def writable(*paths: Path | None) -> None:
    """Raise ConfigError unless every file can be written, before anything is paid."""
    for path in filter(None, paths):
        with boundary(ConfigError, f"{path} cannot be written"):
            path.open("a").close()
