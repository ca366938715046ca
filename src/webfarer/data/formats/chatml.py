"""Text with ChatML's tags, and which of its characters are trained: for trainers that bring no chat template.

Each line is `{"id", "text", "spans"}`; a span is start and end, in characters, of what the model wrote, its end tag
included. Tools, calls and results stand in the text as the dialect "tags" has them. A row whose messages hold a tag of
ChatML is left out: once it is text, nobody can tell it from a real one. Loses reward, tokens, provenance and call ids.
"""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from webfarer.core.errors import ConfigError
from webfarer.data.format import Exported, Wish
from webfarer.data.formats._lines import within, write
from webfarer.data.row import Row, Turn
from webfarer.models.base import Tool, ToolCall
from webfarer.models.dialogue import DIALECTS, Dialect

_TAG = re.compile(r"<\|(?:im_start|im_end|endoftext)\|>")


class ChatMl:
    """The format."""

    title: ClassVar[str] = "text with ChatML tags"
    suffix: ClassVar[str] = ".jsonl"

    def export(self, rows: Iterable[Row], out: Path, wish: Wish) -> Exported:
        """Write the file."""
        trained = 0

        def lines(row: Row) -> Iterable[dict[str, Any]]:
            nonlocal trained
            text, spans = _written(row)
            trained += sum(end - start for start, end in spans)
            return [{"id": row.id, "text": text, "spans": spans}]

        examples, left_out = write(rows, out, within(wish, lines))
        return Exported(examples, left_out, {"characters trained": trained})


def _written(row: Row) -> tuple[str, list[tuple[int, int]]]:
    dialect: Dialect = DIALECTS.load("tags")
    rules = dialect.rules([Tool(**tool["function"]) for tool in row.tools]) if row.tools else ""
    turns = row.messages
    if rules and turns[0].role == "system":
        turns = (turns[0].model_copy(update={"content": f"{turns[0].content}\n\n{rules}"}), *turns[1:])
    elif rules:
        turns = (Turn(role="system", content=rules), *turns)
    text, spans = "", []
    for observed, group in groupby(turns, lambda turn: turn.role == "tool"):
        for turn in [_observed(list(group), dialect)] if observed else group:
            text += f"<|im_start|>{turn.role}\n"
            start = len(text)
            text += f"{_body(turn)}<|im_end|>"
            if turn.weight:
                spans.append((start, len(text)))
            text += "\n"
    return text, spans


def _observed(results: Sequence[Turn], dialect: Dialect) -> Turn:
    said = dialect.observed([(ToolCall(turn.tool_call_id, "", {}), turn.content) for turn in results])
    return Turn(role="user", content="\n".join(message.content for message in said))


def _body(turn: Turn) -> str:
    parts = [f"<think>\n{turn.reasoning}\n</think>\n"] if turn.reasoning else []
    parts += [turn.content] if turn.content else []
    for call in turn.tool_calls:
        named = json.dumps({"name": call.name, "arguments": call.arguments}, ensure_ascii=False)
        parts.append(f"<tool_call>\n{named}\n</tool_call>")
    body = "\n".join(parts)
    if found := _TAG.search(body):
        raise ConfigError(f"a message holds {found[0]}, which is a tag in this format")
    return body


format = ChatMl()
