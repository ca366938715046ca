"""A training row: one conversation of a kept trajectory, with all that training and its critics need to know of it.

Rows are JSONL. Messages are what the model saw and said; text is never made of tokens or tokens of text here
(:mod:`webfarer.data.masking` does that, for formats that want it). Invariant: `weight` 1 stands on what a model wrote
and nothing else, so a loss over weighted messages never falls on an observation.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from webfarer.data.jsonl import read_lines, write_lines

VERSION = 1


class Called(BaseModel):
    """A tool call within a message; `arguments` is a JSON object."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    arguments: dict[str, Any]


class Turn(BaseModel):
    """One message.

    Attributes:
        reasoning: what the model thought aloud before it; "" unless it is the model's.
        weight: 1 where the loss is taken: what the model wrote in this conversation, and could be used.
    """

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    reasoning: str = ""
    tool_calls: tuple[Called, ...] = ()
    tool_call_id: str = ""
    weight: Literal[0, 1] = 0


class Tokens(BaseModel):
    """A conversation as the model that sampled it had it, where that is known.

    Attributes:
        ids: prompt and replies, in order.
        mask: 1 for ids that the model drew.
        logprobs: of the drawn ids, in order; natural logarithm.
    """

    model_config = ConfigDict(frozen=True)

    ids: tuple[int, ...]
    mask: tuple[int, ...]
    logprobs: tuple[float, ...]


class Row(BaseModel):
    """One conversation.

    Attributes:
        id: of the trajectory's run, and the number of the conversation in it.
        question: id of the question; `text` is it.
        kind: "act" for decisions of the agent, else what the model was asked for ("read", "conclude", …).
        messages: in order; the last one is the model's.
        tools: offered, in the format of chat completions.
        tokens: where they are known.
        reward: 1 for a right answer, 0 for a wrong one.
        marks: of every scorer.
        answer: what was answered; `reference` what is right.
        cells: of the question.
        pages: SHA-256 of every page that was read, by address.
        fare: of the whole trajectory, by meter.
        licence: of the pages, as far as it is known.
        made: agent, model, setting, temperature, seed, run, task, version of the program.
    """

    model_config = ConfigDict(frozen=True)

    version: int = VERSION
    id: str
    question: str
    text: str
    kind: str
    messages: tuple[Turn, ...]
    tools: tuple[dict[str, Any], ...] = ()
    tokens: Tokens | None = None
    reward: float
    marks: dict[str, dict[str, float]] = {}
    answer: str = ""
    reference: str = ""
    cells: dict[str, str] = {}
    pages: dict[str, str] = {}
    fare: dict[str, float] = {}
    licence: str = ""
    made: dict[str, Any] = {}

    def drawn_by(self, folder: Path) -> Tokens | None:
        """Return the tokens if the model in a folder drew them; another's ids may mean other texts."""
        kind, _, name = str(self.made.get("model", "")).partition(":")
        return self.tokens if kind == "local" and Path(name).expanduser().resolve() == folder.resolve() else None


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write a file of rows, whole or not at all; equal rows give equal bytes."""
    write_lines(path, rows)


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file.

    Raises:
        ConfigError: it is missing, or a line is no row of this version: with the line.
    """
    return read_lines(path, Row, "training row")
