"""Chat messages, one conversation to a line: what TRL and most trainers read.

Each line is `{"id", "messages", "tools"}`. The model's turns carry `weight`, 0 or 1. Arguments are objects, as chat
templates want them. Loses reward, tokens and provenance. A trainer that does not read `weight` learns turns of weight 0
as well: the figures count them, and `tokens` has none.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from webfarer.data.format import Exported, Wish
from webfarer.data.formats._lines import within, write
from webfarer.data.masking import wire
from webfarer.data.row import Row


class Messages:
    """The format."""

    title: ClassVar[str] = "chat messages (TRL)"
    suffix: ClassVar[str] = ".jsonl"

    def export(self, rows: Iterable[Row], out: Path, wish: Wish) -> Exported:
        """Write the file."""
        weights = [0, 0]

        def lines(row: Row) -> Iterable[dict[str, Any]]:
            for turn in row.messages:
                weights[turn.weight] += turn.role == "assistant"
            return [{"id": row.id, "messages": messages_of(row), "tools": list(row.tools)}]

        examples, left_out = write(rows, out, within(wish, lines))
        return Exported(examples, left_out, {"turns trained": weights[1], "turns of weight 0": weights[0]})


def messages_of(row: Row) -> list[dict[str, Any]]:
    """Return the messages as chat completions write them, the model's with their weight."""
    return [wire(turn) | ({"weight": turn.weight} if turn.role == "assistant" else {}) for turn in row.messages]


format = Messages()
