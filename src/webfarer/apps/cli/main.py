"""The `webfarer` program: finds the commands, and turns errors into one line and an exit code.

Every other module of this folder without a leading `_` is a plugin: its `app` holds one command, or a named group.
They import what they need when they run, so that `webfarer --help` stays quick.
"""

import io
import sys
from typing import Annotated

import typer

from webfarer.apps.cli._exits import ERROR, USAGE
from webfarer.apps.cli._terminal import clean
from webfarer.core.errors import ConfigError, WebfarerError
from webfarer.core.registry import Seam

COMMANDS = Seam("webfarer.apps.cli", "app", "command")


def _version(wanted: bool) -> None:
    if wanted:
        from webfarer import __version__

        print(f"webfarer {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Ask the web within a budget; get an answer, its sources, and the fare."""


def build() -> typer.Typer:
    """Return the program with all its commands."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        callback=_root,
    )
    for name in COMMANDS.ids():
        if name != "main":
            app.add_typer(COMMANDS.load(name))
    return app


def main(args: list[str] | None = None) -> None:
    """Run the command line; always ends with SystemExit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character must not end the program
    try:
        build()(args=args, prog_name="webfarer")
    except WebfarerError as error:
        print(f"webfarer: {clean(error.message)}", file=sys.stderr)
        sys.exit(USAGE if isinstance(error, ConfigError) else ERROR)
