"""What reaches the terminal: text of strangers without its control characters, and the two consoles.

Page titles, quotes and error messages come from websites. They are shown as plain `rich.text.Text`, never as markup,
and only after :func:`clean` or :func:`one_line`.
"""

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from webfarer.core.trace import Event

_JOINERS = "\u200c\u200d"  # Persian and emoji are written with them
_DANGEROUS = ("Cc", "Cf", "Cs")  # controls (escape sequences), format (reversed text), halves of characters
_C1 = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


def clean(text: str) -> str:
    """Return `text` without characters that command a terminal; line ends stay, tabs become spaces."""
    return "".join(
        ch
        for ch in text.replace("\t", " ")
        if ch == "\n" or ch in _JOINERS or unicodedata.category(ch) not in _DANGEROUS
    )


def one_line(text: str, most: int = 300) -> str:
    """Return `text` cleaned, white space folded, and cut to `most` characters."""
    folded = clean(" ".join(text.split()))
    return folded if len(folded) <= most else folded[: most - 1] + "…"


def console(*, stderr: bool = False) -> "Console":
    """Return a console that wraps nothing itself and reads no markup."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_event(event: "Event") -> None:
    """Print one event as a line of JSON; DEL and the C1 controls, which JSON lets through, as escapes."""
    import typer

    typer.echo(event.line().translate(_C1).encode())
