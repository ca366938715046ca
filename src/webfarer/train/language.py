"""How one model reads a prompt and writes an answer, as tokens: the same for what it is taught and for what is scored.

A conversation where its tokenizer has a chat template, else a text that is continued, behind a space where words need
one. Not a format of rows (:mod:`webfarer.train.examples`, which does the work).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from webfarer.core.errors import ConfigError
from webfarer.data.masking import IGNORED
from webfarer.data.row import Turn
from webfarer.train.example import Example
from webfarer.train.examples import Reader

Ids = tuple[int, ...]


@dataclass(frozen=True)
class Language:
    """The language of a tokenizer."""

    tokenizer: PreTrainedTokenizerBase

    def example(self, name: str, prompt: str, answer: str) -> Example:
        """Return an answer to a prompt, of which the answer and its end are taught."""
        if self.tokenizer.chat_template:
            turns = [Turn(role="user", content=prompt), Turn(role="assistant", content=answer, weight=1)]
            (example,) = self._reader.conversation(name, turns)
        else:
            try:
                (example,) = self._reader.text(name, prompt, answer)
            except ConfigError:  # words of this tokenizer cannot stand side by side
                (example,) = self._reader.text(name, prompt, f" {answer}")
        return example

    def exchange(self, prompt: str, answer: str) -> tuple[Ids, Ids]:
        """Return the tokens of a prompt, and of an answer with its end."""
        example = self.example("", prompt, answer)
        cut = next(place for place, label in enumerate(example.labels) if label != IGNORED)
        return example.ids[:cut], example.ids[cut:]

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """The tokens that end an answer."""
        _, answer = self.exchange("?", "?")
        return tuple(sorted({answer[-1], int(self.tokenizer.eos_token_id)}))

    def text(self, output: Ids) -> str:
        """Return an output as text, without its end."""
        return str(self.tokenizer.decode(list(output), skip_special_tokens=True)).strip()

    @cached_property
    def _reader(self) -> Reader:
        return Reader(Path(), self.tokenizer)
