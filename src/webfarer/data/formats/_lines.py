"""What formats share: a JSONL file written line by line, whole or not at all, and the limit on an example's length.

Not a format. Invariant: a row is written with all of its lines, or left out with the reason.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from webfarer.core.errors import ConfigError, boundary
from webfarer.data.form import Wish
from webfarer.data.masking import Encoder
from webfarer.data.row import Row

Lines = Callable[[Row], Iterable[Mapping[str, Any]]]
"""Says what a row becomes; raises ConfigError for a row that cannot be written."""


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
    """Write the lines of every row; return how many there are, and which rows have none and why."""
    count, left_out = 0, dict[str, str]()
    with _whole(out) as file:
        for made in kept(rows, lines, left_out):
            file.writelines(f"{json.dumps(line, ensure_ascii=False)}\n" for line in made)
            count += len(made)
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


@contextmanager
def _whole(out: Path) -> Iterator[TextIO]:
    """Open a file that is there only when all has been written."""
    half = out.with_name(f"{out.name}.part")
    with boundary(ConfigError, f"writing {out}"):
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            with half.open("w", encoding="utf-8") as file:
                yield file
            half.replace(out)
        finally:
            half.unlink(missing_ok=True)
