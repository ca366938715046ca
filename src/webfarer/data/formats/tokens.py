"""Token ids and labels, one example to a line: the loss mask exactly as it is meant, for any trainer that takes tokens.

Each line is `{"id", "input_ids", "labels", "logprobs", "reward", "tokenizer"}`; labels are -100 where nothing is learnt
(torch, transformers, TRL). Ids that the model itself drew are taken where they are known and the tokenizer, if one is
named, is that model's; others are encoded by the tokenizer's chat template. Loses the text.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from webfarer.core.errors import ConfigError
from webfarer.data.format import Exported, Wish
from webfarer.data.formats._lines import fits, write
from webfarer.data.masking import Encoded, Encoder
from webfarer.data.row import Row


class Tokens:
    """The format."""

    title: ClassVar[str] = "token ids and labels"
    suffix: ClassVar[str] = ".jsonl"

    def export(self, rows: Iterable[Row], out: Path, wish: Wish) -> Exported:
        """Write the file."""
        source = _Named(wish.tokenizer) if wish.tokenizer else _Drawn()
        figures = {"ids": 0, "ids trained": 0}

        def lines(row: Row) -> Iterator[dict[str, Any]]:
            found = source.examples(row)
            fits(max((len(example.ids) for example, _ in found), default=0), wish.longest)
            for example, logprobs in found:
                figures["ids"] += len(example.ids)
                figures["ids trained"] += sum(example.mask)
                yield {
                    "id": row.id,
                    "input_ids": example.ids,
                    "labels": example.labels,
                    "logprobs": logprobs,
                    "reward": row.reward,
                    "tokenizer": source.tokenizer,
                }

        examples, left_out = write(rows, out, lines)
        return Exported(examples, left_out, {**figures, "tokenizer": source.tokenizer})


Example = tuple[Encoded, tuple[float, ...]]


class _Drawn:
    """Ids as one model drew them; `tokenizer` is its name."""

    def __init__(self) -> None:
        self.tokenizer = ""

    def examples(self, row: Row) -> list[Example]:
        if row.tokens is None:
            raise ConfigError("its token ids are not known; name a tokenizer's folder")
        model = str(row.made.get("model", ""))
        self.tokenizer = self.tokenizer or model
        if model != self.tokenizer:
            raise ConfigError(f"its ids are those of {model}, the first row's of {self.tokenizer}: name a tokenizer")
        return [(Encoded(row.tokens.ids, row.tokens.mask), row.tokens.logprobs)]


class _Named:
    """Ids of the tokenizer in a folder; `tokenizer` is its identity."""

    def __init__(self, folder: Path) -> None:
        self._encoder = Encoder.load(folder)
        self._folder = folder
        self.tokenizer = self._encoder.identity

    def examples(self, row: Row) -> list[Example]:
        if own := row.drawn_by(self._folder):
            return [(Encoded(own.ids, own.mask), own.logprobs)]
        return [(example, ()) for example in self._encoder.encode(row.messages, row.tools)]


format = Tokens()
