"""The person at the terminal, who can be asked; nobody where input or output is no terminal."""

import asyncio
import sys
from collections.abc import Sequence

import typer

from webfarer.agents.people import Person
from webfarer.apps.cli._terminal import clean


class Terminal:
    """Asks on stderr, so that stdout holds nothing but the answer."""

    async def ask(self, question: str, choices: Sequence[str], shown: str) -> str:
        """Show what the question is about, ask, and return what is typed."""
        text = f"\n{clean(shown)}\n{question}" if shown else question
        hint = f" [{'/'.join(choices)}]" if choices else ""
        said: str = await asyncio.to_thread(typer.prompt, f"{text}{hint}", default="", show_default=False, err=True)
        return said


def person() -> Person | None:
    """Return the person at the terminal, or None."""
    return Terminal() if sys.stdin.isatty() and sys.stderr.isatty() else None
