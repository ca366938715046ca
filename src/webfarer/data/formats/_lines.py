"""What formats share: a JSONL file written line by line, whole or not at all, and the limit on an example's length.

Not a format. Invariant: a row is written with all of its lines, or left out with the reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from webfarer.core.errors import ConfigError, boundary
from webfarer.data.format import Wish
from webfarer.data.jsonl import json_line
from webfarer.data.masking import Encoder
from webfarer.data.row import Row
from webfarer.evals.records import whole

Lines = Callable[[Row], Iterable[Mapping[str, Any]]]
"""Says what a row becomes; raises ConfigError for a row that cannot be written."""

_SHOWN = 3


def kept(rows: Iterable[Row], lines: Lines, left_out: dict[str, str]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield what each row becomes; those that cannot be written go to `left_out`, with the reason."""
    for row in rows:
        try:
            made = list(lines(row))
        except ConfigError as error:
            left_out[row.id] = error.message
        else:
            yield made


def write(rows: Iterable[Row], out: Path, lines: Lines) -> tuple[int, dict[str, str]]:
    """Write the lines of every row; return how many there are, and which rows have none and why.

    Raises:
        ConfigError: there is nothing to write, or it cannot be written.
    """
    count, left_out = 0, dict[str, str]()
    with boundary(ConfigError, f"writing {out}"), whole(out) as file:
        for made in kept(rows, lines, left_out):
            file.writelines(map(json_line, made))
            count += len(made)
        if not count:
            why = "; ".join(f"{name}: {reason}" for name, reason in islice(left_out.items(), _SHOWN))
            raise ConfigError(f"no row could be written to {out}: {why or 'there is none'}")
    return count, left_out


def within(wish: Wish, lines: Lines) -> Lines:
    """Return `lines`, refusing rows of which an example has more tokens than are wished for.

    Raises:
        ConfigError: there is a limit and no tokenizer to count with.
    """
    if not wish.longest:
        return lines
    if wish.tokenizer is None:
        raise ConfigError("a limit on the length counts tokens: name the tokenizer's folder too")
    encoder = Encoder.load(wish.tokenizer)

    def checked(row: Row) -> Iterable[Mapping[str, Any]]:
        examples = encoder.encode(row.messages, row.tools)
        fits(max((len(example.ids) for example in examples), default=0), wish.longest)
        return lines(row)

    return checked


def fits(tokens: int, longest: int) -> None:
    """Raise ConfigError when an example is too long; 0 is no limit."""
    if longest and tokens > longest:
        raise ConfigError(f"{tokens} tokens are more than {longest}")
