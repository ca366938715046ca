"""The person at the terminal, who can be asked; nobody where input or output is no terminal."""

import asyncio
import sys
from collections.abc import Sequence

import typer

from webfarer.agents.people import Person
from webfarer.apps.cli._terminal import clean


class Terminal:
    """Asks on stderr, so that stdout holds nothing but the answer; one question at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def ask(self, question: str, choices: Sequence[str], shown: str) -> str:
        """Show what the question is about, ask, and return what is typed; a longer text can be edited."""
        async with self._turn:
            return await asyncio.to_thread(_ask, question, choices, clean(shown))


def _ask(question: str, choices: Sequence[str], shown: str) -> str:
    hint = f" [{'/'.join(choices)}]" if choices else " (e: type a new one)" if "\n" in shown else ""
    text = f"\n{shown}\n\n{question}{hint}" if shown else f"{question}{hint}"
    said: str = typer.prompt(text, default="", show_default=False, err=True)
    if choices or said.strip().lower() != "e":
        return said
    print("End with a line that holds only a dot.", file=sys.stderr)
    return "\n".join(iter(input, "."))


def person() -> Person | None:
    """Return the person at the terminal, or None."""
    return Terminal() if sys.stdin.isatty() and sys.stderr.isatty() else None
