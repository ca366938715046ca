"""A pool in a file: JSONL with a prompt on each line, choices where there are few answers, and the answer where known.

Not the published sets (:mod:`webfarer.train.pools` reads those), but what is held out of either is drawn here.
Invariants: the answers go into the key and nowhere else; no prompt is both in the pool and held out.
"""

import math
from collections.abc import Collection, Sequence
from pathlib import Path
from random import Random
from typing import Any

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, read
from webfarer.train.pool import AnswerKey, Key, PoolItem, Set, admitted


def read_pool(path: Path, held_out: int, seed: int) -> Set:
    """Read a pool.

    Args:
        path: lines of {"prompt"}, with "id", "choices" and "answer" where there are some.
        held_out: how many items with an answer are kept to be examined on.
        seed: draws those.

    Raises:
        ConfigError: the file is none, a row of it is no item, or too few items have an answer.
    """
    items, answers = [], {}
    for row in read(path):
        name = str(row.find("id") or f"row-{row.number}")
        item = PoolItem(id=name, prompt=row.text("prompt", "question"), choices=_choices(row))
        items.append(item)
        if (given := row.find("answer")) is not None:
            answers[name] = admitted(item, _text(given))
            if not answers[name]:
                known = f"none of the choices {', '.join(item.choices)}" if item.choices else "no text or number"
                raise ConfigError(f"{row.place}: the answer {given!r} is {known}; leave it out where it is not known")
    return hold_out(items, AnswerKey(answers, {item.id: item for item in items}), answers, held_out, seed)


def hold_out(items: Sequence[PoolItem], key: Key, answered: Collection[str], count: int, seed: int) -> Set:
    """Return items apart, some by lot to be examined on; others with the prompt of one of these are left out.

    Raises:
        ConfigError: too few items have an answer.
    """
    candidates = {item.prompt: item for item in reversed(items) if item.id in answered}
    if len(candidates) < count:
        raise ConfigError(
            f"{count} items are to be held out, but only {len(candidates)} different ones have an answer; "
            "give fewer, or --held-out 0 to learn without being examined"
        )
    examined = set(Random(seed).sample(sorted(candidates), count))
    held_out = [item for item in items if item.prompt in examined and candidates[item.prompt] is item]
    return Set([item for item in items if item.prompt not in examined], held_out, key)


def _choices(row: Row) -> tuple[str, ...]:
    given = row.find("choices")
    if given is None or given == []:
        return ()
    texts = [_text(each) for each in given] if isinstance(given, list) else [""]
    if "" in texts or len(set(texts)) < max(2, len(texts)):
        raise ConfigError(f"{row.place}: choices are a list of different texts, two at least, not {given!r}")
    return tuple(texts)


def _text(value: Any) -> str:
    """Return a text or number as text, without spaces around it; "" for anything else."""
    if not isinstance(value, str | int | float) or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return str(value).strip()
