"""A pool in a file: JSONL with a prompt on each line, choices where there are few answers, and the answer where known.

Not the published sets (:mod:`webfarer.train.pools` reads those). Items whose answer is known can be held out to be
examined on. Invariant: the answers go into the key and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import read
from webfarer.train.labels import alike
from webfarer.train.pool import PoolItem, Set


@dataclass(frozen=True, slots=True)
class FileKey:
    """The answers of a file; a text is right when it says the same, case and spaces apart."""

    answers: Mapping[str, str]

    def answer(self, item: str) -> str:
        """Return the answer.

        Raises:
            ConfigError: the file has none.
        """
        if item not in self.answers:
            raise ConfigError(f"the pool's file has no answer to {item!r}: choose the oracle human or model")
        return self.answers[item]

    def right(self, item: str, text: str) -> bool:
        """Say whether a text is the answer."""
        return alike(text) == alike(self.answer(item))


def read_pool(path: Path, held_out: int, seed: int) -> Set:
    """Read a pool.

    Args:
        path: lines of {"prompt"}, with "id", "choices" and "answer" where there are some.
        held_out: how many items with an answer are kept to be examined on.
        seed: draws those.

    Raises:
        ConfigError: the file is none, or too few items have an answer.
    """
    items, answers = [], {}
    for row in read(path):
        choices = row.find("choices") or ()
        name = str(row.find("id") or f"row-{row.number}")
        items.append(PoolItem(id=name, prompt=row.text("prompt", "question"), choices=tuple(map(str, choices))))
        if row.find("answer") is not None:
            answers[name] = row.text("answer")
    if len(answers) < held_out:
        raise ConfigError(f"{path}: {held_out} items are to be held out, but only {len(answers)} have an answer")
    examined = set(Random(seed).sample(sorted(answers), held_out))
    key = FileKey(answers)
    return Set(
        [item for item in items if item.id not in examined], [item for item in items if item.id in examined], key
    )
