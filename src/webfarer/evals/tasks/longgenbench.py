"""LongGenBench: many questions in one prompt, to be answered one by one in one long output.

A path is a file of questions (GSM8K's `test.jsonl`; rows with `choices` are asked with letters); the subset is how many
make a pack, 30 as published. What does not fill a pack is left out. `LongGenBench_prompt.txt` beside it, where there is
one, gives the worked examples, which is why numbers begin at 9. Scored by number, not by order. Source: Liu et al.,
"LongGenBench: Long-context Generation Benchmark", Findings of EMNLP 2024, arXiv 2410.04199.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, locate, read, stable_id
from webfarer.evals.task import Card, Changes, Item, Source, open_web

_PACK = 30
_FIRST = 9
_LETTERS = "ABCDEFGHIJ"
_EXAMPLES = "LongGenBench_prompt.txt"
_MARK = "####"
_ASK = (
    "Answer every question below, in order and step by step, without repeating it. Begin each answer with its number, "
    'as "Answer_{first}:", and end it with "The answer is …".\n'
)


class LongGenBench:
    """The task."""

    card = Card(
        title="LongGenBench",
        source="https://arxiv.org/abs/2410.04199",
        settings=("closed",),
        scorers=("long_answers",),
        licence="that of the questions",
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the questions and pack them."""
        size = int(source.subset) if source.subset.isdecimal() else 0 if source.subset else _PACK
        if size < 1:
            raise ConfigError(f"no subset {source.subset!r} of LongGenBench; give the number of questions in a pack")
        path = locate(source, self.card)
        examples = path.with_name(_EXAMPLES)
        before = f"Examples:\n{examples.read_text().strip()}\n\n" if examples.is_file() else ""
        asked = list(map(_question, read(path)))
        packs = [asked[at : at + size] for at in range(0, len(asked) - size + 1, size)]
        if not packs:
            raise ConfigError(f"{path} holds fewer than {size} questions, which is a pack")
        return [_item(number, pack, before) for number, pack in enumerate(packs, 1)]

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Nothing of the web is needed."""
        return open_web()


def _question(row: Row) -> tuple[str, str]:
    """Return a question and its answer, without the way that leads to it."""
    question, answer = row.text("question"), row.text("answer", "answerKey").rpartition(_MARK)[2].strip()
    if not answer:
        raise ConfigError(f"{row.place}: nothing follows {_MARK} in the answer", row=row.number, key="answer")
    choices: Any = row.find("choices")
    texts = choices.get("text") if isinstance(choices, dict) else choices
    if not texts:
        return question, answer
    if not isinstance(texts, list) or len(texts) > len(_LETTERS):
        raise ConfigError(f"{row.place}: 'choices' is no list of up to {len(_LETTERS)}", row=row.number, key="choices")
    listed = [f"({letter}) {text}" for letter, text in zip(_LETTERS, texts, strict=False)]
    letter = _LETTERS[int(answer)] if answer.isdecimal() and int(answer) < len(texts) else answer.upper()
    if letter not in _LETTERS[: len(texts)]:
        raise ConfigError(f"{row.place}: the answer {answer!r} is none of its {len(texts)} choices", row=row.number)
    return "\n".join([question, *listed]), letter


def _item(number: int, pack: Sequence[tuple[str, str]], before: str) -> Item:
    asked = "\n".join(f"Question_{at}:\n{question}" for at, (question, _) in enumerate(pack, _FIRST))
    return Item(
        id=f"{number}-{stable_id(asked)[:8]}",
        question=f"{_ASK.format(first=_FIRST)}\n{before}Questions:\n{asked}",
        answer="\n".join(f"Answer_{at}: The answer is {answer}." for at, (_, answer) in enumerate(pack, _FIRST)),
        data={"answers": {str(at): answer for at, (_, answer) in enumerate(pack, _FIRST)}},
    )


task = LongGenBench()
