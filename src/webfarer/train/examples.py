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
from typing import Any

from pydantic import ValidationError
from transformers import PreTrainedTokenizerBase

from webfarer.core.errors import ConfigError, boundary
from webfarer.data.masking import Encoded, Encoder
from webfarer.data.row import VERSION, Row, Turn
from webfarer.engine.chat import Chat
from webfarer.evals.sources import read
from webfarer.train.example import Example


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

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.longest < 0:
            raise ConfigError(f"the longest length is {self.longest}; it is at least 1, or 0 for the model's own")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Examples of a file.

    Attributes:
        questions: examples of each question, in the order of its first row; a row of no question is one of its own.
        dropped: ids of the rows that were too long.
    """

    questions: tuple[tuple[Example, ...], ...]
    dropped: tuple[str, ...]


class Reader:
    """Makes examples in the language of one model.

    Args:
        folder: of the model.
        tokenizer: its tokenizer.
        how: what is taught, and how long an example may be.
    """

    def __init__(self, folder: Path, tokenizer: PreTrainedTokenizerBase, how: Reading = Reading()) -> None:
        self._folder, self._tokenizer, self._how = folder, tokenizer, how

    @cached_property
    def _encoder(self) -> Encoder:
        return Encoder(self._tokenizer)  # only conversations need a chat template

    @cached_property
    def _chat(self) -> Chat:
        return Chat(self._tokenizer)

    def file(self, path: Path) -> Corpus:
        """Read a file.

        Raises:
            ConfigError: a line is no row, teaches nothing, is too long, or cannot be written by the chat template.
        """
        questions: dict[Any, tuple[Example, ...]] = {}
        dropped: list[str] = []
        for line in read(path):
            name = str(line.values.get("id") or f"{path.name}:{line.number}")
            try:
                with boundary(ConfigError, "no row to learn from"):
                    found = self._examples(name, line.values)
            except ConfigError as error:
                raise ConfigError(f"{line.place} ({name}): {_said(error)}", row=line.number) from error
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
            question = line.values["question"] if _ours(line.values) else line.number
            questions[question] = questions.get(question, ()) + found
        if not questions:
            raise ConfigError(f"{path}: no row to learn from; {'all were too long' if dropped else 'it is empty'}")
        return Corpus(tuple(questions.values()), tuple(dropped))

    def conversation(
        self, name: str, turns: Sequence[Turn], tools: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[Example, ...]:
        """Return a conversation's examples; more than one where the template shows the past differently later."""
        return self._named(name, self._encoder.encode(turns, tools))

    def text(self, name: str, prompt: str, completion: str) -> tuple[Example, ...]:
        """Return a text that is continued, and ended with the tokenizer's end of text.

        Special tokens within it stay plain text. The completion has the tokens that it has behind its prompt, unless
        one of them would reach across; then its own.

        Raises:
            ConfigError: it is empty, or the tokenizer cannot write it as it is.
        """
        end = self._tokenizer.eos_token_id
        if end is None:
            raise ConfigError("the tokenizer has no end-of-text token, so no text could ever end; set its eos_token")
        completion = completion.removesuffix(str(self._tokenizer.eos_token))
        if not completion:
            raise ConfigError("no token is taught: the completion is empty")
        before, both = self._plain(prompt), self._plain(prompt + completion)
        own = both[len(before) :] if both[: len(before)] == before else self._plain(completion)
        if self._decoded(before + own) not in (prompt + completion, self._decoded(before) + completion):
            raise ConfigError(
                f"the tokenizer cannot write this as it is behind its prompt: {completion[:80]!r}; "
                "let the completion, not the prompt, have the space between them"
            )
        first = self._tokenizer.bos_token_id
        starts = first is not None and self._tokenizer("")["input_ids"][:1] == [first]
        ids = ((first,) if starts else ()) + before
        return self._named(name, [Encoded((*ids, *own, end), (0,) * len(ids) + (1,) * (len(own) + 1))])

    def _plain(self, text: str) -> tuple[int, ...]:
        return self._chat.rendered(self._chat.spoken({"role": "assistant", "content": text})["content"])

    def _decoded(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _examples(self, name: str, values: Mapping[str, Any]) -> tuple[Example, ...]:
        if _ours(values):
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
        if own := row.drawn_by(self._folder):
            return self._named(row.id, [Encoded(own.ids, own.mask)])
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


def _ours(values: Mapping[str, Any]) -> bool:
    return "kind" in values and "reward" in values


def _said(error: ConfigError) -> str:
    """Return an error in one line; of many faults of a row the first."""
    if not isinstance(error.__cause__, ValidationError):
        return error.message
    fault = error.__cause__.errors()[0]
    return f"no row to learn from: {'.'.join(map(str, fault['loc']))}: {fault['msg']}"


def _turns(messages: Any, taught: bool) -> list[Turn]:
    """Read messages of chat completions; `taught`: the assistant's have weight 1 unless they say otherwise."""
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        raise ConfigError("messages are a list of objects; prompt and completion are two texts, or two such lists")
    turns = []
    for message in messages:
        role, weight = message["role"], message.get("weight")
        own = role == "assistant" and taught
        turns.append(
            Turn(
                role="system" if role == "developer" else role,
                content=_text(message.get("content")),
                reasoning=message.get("reasoning_content") or message.get("reasoning") or "",
                tool_calls=tuple(map(_called, message.get("tool_calls") or ())),
                tool_call_id=message.get("tool_call_id") or "",
                weight=0 if not own else 1 if weight is None else weight,
            )
        )
    return turns


def _text(content: Any) -> Any:
    """Return parts of text as one; anything else is left for :class:`Turn` to refuse."""
    if isinstance(content, list) and all(isinstance(p, Mapping) and p.get("type") == "text" for p in content):
        return "".join(part["text"] for part in content)
    return content or ""


def _called(call: Mapping[str, Any]) -> Any:
    function = call["function"]
    arguments = function["arguments"]
    return {
        "id": call.get("id", ""),
        "name": function["name"],
        "arguments": json.loads(arguments) if isinstance(arguments, str) else arguments,
    }
