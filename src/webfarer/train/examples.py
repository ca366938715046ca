"""From files to examples: our own rows, chat conversations, and prompts with their completions.

A line with `kind` and `reward` is a row of ours (:mod:`webfarer.data.row`); one with `messages` a conversation, where
every turn of the assistant is taught unless its `weight` is 0 (OpenAI's format); one with `prompt` and `completion` is
read as TRL reads it: two texts are joined without a chat template, two lists of messages with it. Invariant: every line
gives examples, is counted as dropped, or is an error that names it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webfarer.core.errors import ConfigError, boundary
from webfarer.data.masking import Encoded, Encoder
from webfarer.data.row import VERSION, Row, Turn
from webfarer.evals.sources import read
from webfarer.train.example import Example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows become examples.

    Attributes:
        whole: every token is taught, prompts too.
        longest: the most tokens of an example; 0 for any number.
        drop_long: leave longer rows out; otherwise they are errors.
    """

    whole: bool = False
    longest: int = 0
    drop_long: bool = False


@dataclass(frozen=True, slots=True)
class Corpus:
    """Examples of a file.

    Attributes:
        rows: examples of each row; mostly one.
        dropped: ids of the rows that were too long.
    """

    rows: tuple[tuple[Example, ...], ...]
    dropped: tuple[str, ...]


class Reader:
    """Makes examples in the language of one model.

    Args:
        folder: of the model.
        tokenizer: its tokenizer.
        how: what is taught, and how long an example may be.
    """

    def __init__(self, folder: Path, tokenizer: "PreTrainedTokenizerBase", how: Reading = Reading()) -> None:
        self._folder, self._tokenizer, self._how = folder.resolve(), tokenizer, how

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self._tokenizer)  # only conversations need a chat template

    def file(self, path: Path) -> Corpus:
        """Read a file.

        Raises:
            ConfigError: a line is no row, teaches nothing, is too long, or cannot be written by the chat template.
        """
        rows: list[tuple[Example, ...]] = []
        dropped: list[str] = []
        for line in read(path):
            name = str(line.values.get("id") or f"{path.name}:{line.number}")
            try:
                with boundary(ConfigError, "no row to learn from"):
                    found = self._examples(name, line.values)
            except ConfigError as error:
                raise ConfigError(f"{line.place} ({name}): {error.message}", row=line.number) from error
            longest = max((len(example.ids) for example in found), default=0)
            if 0 < self._how.longest < longest:
                if not self._how.drop_long:
                    raise ConfigError(
                        f"{line.place} ({name}): {longest} tokens, more than {self._how.longest}; "
                        "raise --longest, or leave such rows out with --drop-long",
                        row=line.number,
                    )
                dropped.append(name)
                continue
            if not found or not all(example.taught for example in found):
                raise ConfigError(
                    f"{line.place} ({name}): no token is taught; a row needs a turn of the assistant with weight 1, "
                    "or a completion",
                    row=line.number,
                )
            rows.append(found)
        if not rows:
            raise ConfigError(f"{path}: no row to learn from, {len(dropped)} were too long")
        return Corpus(tuple(rows), tuple(dropped))

    def conversation(
        self, name: str, turns: Sequence[Turn], tools: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[Example, ...]:
        """Return a conversation's examples; more than one where the template shows the past differently later."""
        return self._named(name, self._encoder.encode(turns, tools))

    def text(self, name: str, prompt: str, completion: str) -> tuple[Example, ...]:
        """Return a text that is continued, and ended with the tokenizer's end of text."""
        before = self._tokenizer(prompt)["input_ids"]
        after = self._tokenizer(completion, add_special_tokens=False)["input_ids"]
        end = self._tokenizer.eos_token_id
        if end is None:
            raise ConfigError("the tokenizer has no end-of-text token, so no text could ever end; set its eos_token")
        own = [*after, *([] if after[-1:] == [end] else [end])]
        return self._named(name, [Encoded((*before, *own), (0,) * len(before) + (1,) * len(own))])

    def _examples(self, name: str, values: Mapping[str, Any]) -> tuple[Example, ...]:
        if "kind" in values and "reward" in values:
            return self._row(Row.model_validate(dict(values)))
        if "messages" in values:
            return self.conversation(name, _turns(values["messages"], True), values.get("tools") or ())
        if "prompt" not in values or "completion" not in values:
            raise ConfigError(f"no messages, and no prompt with a completion; it has {', '.join(values) or 'nothing'}")
        prompt, completion = values["prompt"], values["completion"]
        if isinstance(prompt, str) and isinstance(completion, str):
            return self.text(name, prompt, completion)
        turns = [*_turns(prompt, False), *_turns(completion, True)]
        return self.conversation(name, turns, values.get("tools") or ())

    def _row(self, row: Row) -> tuple[Example, ...]:
        if row.version != VERSION:
            raise ConfigError(f"version {row.version} of the schema; this program reads {VERSION}")
        drawn_by = str(row.made.get("model", ""))
        ours = Path(drawn_by.removeprefix("local:")).expanduser().resolve() == self._folder
        if row.tokens is not None and drawn_by.startswith("local:") and ours:
            return self._named(row.id, [Encoded(row.tokens.ids, row.tokens.mask)])
        return self.conversation(row.id, row.messages, row.tools)

    def _named(self, name: str, encoded: Sequence[Encoded]) -> tuple[Example, ...]:
        return tuple(
            Example(
                name if number == 1 else f"{name}#{number}",
                each.ids,
                each.ids if self._how.whole else tuple(each.labels),
            )
            for number, each in enumerate(encoded, 1)
        )


def _turns(messages: Sequence[Mapping[str, Any]], taught: bool) -> list[Turn]:
    """Read messages of chat completions; `taught`: the assistant's have weight 1 unless they say otherwise."""
    turns = []
    for message in messages:
        own = message["role"] == "assistant" and taught
        turns.append(
            Turn(
                role=message["role"],
                content=message.get("content") or "",
                reasoning=message.get("reasoning_content") or message.get("reasoning") or "",
                tool_calls=tuple(map(_called, message.get("tool_calls") or ())),
                tool_call_id=message.get("tool_call_id") or "",
                weight=message.get("weight", 1) if own else 0,
            )
        )
    return turns


def _called(call: Mapping[str, Any]) -> Any:
    function = call["function"]
    arguments = function["arguments"]
    return {
        "id": call.get("id", ""),
        "name": function["name"],
        "arguments": json.loads(arguments) if isinstance(arguments, str) else arguments,
    }
