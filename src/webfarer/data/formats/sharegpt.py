"""ShareGPT's conversations, as LLaMA-Factory reads them: from human and observation, and from gpt and function_call.

Each line is `{"id", "conversations", "system", "tools"}`, with `tools` and calls as JSON text. There is no weight for a
turn: where all of the model's turns are to be learnt, a line is a whole row; else it ends at a turn of weight 1, and
the trainer is to be set to learn the last turn alone (`mask_history: true`), as the figures say. Loses reward, tokens,
provenance and call ids; results of one step become one observation, parted as Qwen's and Hermes' templates part them.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from webfarer.core.errors import ConfigError
from webfarer.data.format import Exported, Wish
from webfarer.data.formats._lines import within, write
from webfarer.data.row import Row, Turn

_BETWEEN = "\n</tool_response>\n<tool_response>\n"


class ShareGpt:
    """The format."""

    title: ClassVar[str] = "ShareGPT (LLaMA-Factory)"
    suffix: ClassVar[str] = ".jsonl"

    def export(self, rows: Iterable[Row], out: Path, wish: Wish) -> Exported:
        """Write the file."""
        rows = list(rows)
        last_alone = any(turn.role == "assistant" and not turn.weight for row in rows for turn in row.messages)

        def lines(row: Row) -> Iterator[dict[str, Any]]:
            ends = [place for place, turn in enumerate(row.messages, start=1) if turn.weight]
            for end in ends if last_alone else ends[-1:]:
                yield {"id": row.id, **_line(row.messages[:end], row.tools)}

        examples, left_out = write(rows, out, within(wish, lines))
        return Exported(examples, left_out, {"mask_history": last_alone})


def _line(turns: Sequence[Turn], tools: Sequence[dict[str, Any]]) -> dict[str, Any]:
    system = turns[0].content if turns[0].role == "system" else ""
    said: list[dict[str, str]] = []
    for observed, group in groupby(turns[1:] if turns[0].role == "system" else turns, lambda turn: turn.role == "tool"):
        if observed:
            said.append({"from": "observation", "value": _BETWEEN.join(turn.content for turn in group)})
        else:
            said += map(_spoken, group)
    sides = [each["from"] in ("gpt", "function_call") for each in said]
    if sides != [bool(place % 2) for place in range(len(sides))]:
        raise ConfigError("sharegpt has no place for two messages of one side in a row")
    written = json.dumps([tool["function"] for tool in tools], ensure_ascii=False) if tools else ""
    return {"conversations": said, "system": system, "tools": written}


def _spoken(turn: Turn) -> dict[str, str]:
    if turn.role == "system":
        raise ConfigError("sharegpt has a place for one system message, before all others")
    if turn.role == "user":
        return {"from": "human", "value": turn.content}
    thought = f"<think>\n{turn.reasoning}\n</think>\n\n" if turn.reasoning else ""
    if not turn.tool_calls:
        return {"from": "gpt", "value": thought + turn.content}
    if turn.content:
        raise ConfigError("sharegpt has no place for text beside a call")
    calls = [{"name": call.name, "arguments": call.arguments} for call in turn.tool_calls]
    return {"from": "function_call", "value": thought + json.dumps(calls, ensure_ascii=False)}


format = ShareGpt()
