"""What the tests of fine-tuning share: tiny models of the engine's tests, and examples of random tokens."""

import sys
from pathlib import Path
from random import Random

from webfarer.data.masking import IGNORED
from webfarer.train.example import Example

sys.path.append(str(Path(__file__).parents[1] / "engine"))  # its tiny models

import tiny


def examples(count: int, longest: int, seed: int = 1) -> list[Example]:
    """Draw examples in which about half of the tokens are taught, the last one always."""
    draws = Random(seed)
    made = []
    for number in range(count):
        ids = tuple(draws.randrange(tiny.VOCAB) for _ in range(draws.randint(2, longest)))
        labels = tuple(each if draws.random() < 0.5 else IGNORED for each in ids[:-1])
        made.append(Example(f"e{number}", ids, (*labels, ids[-1])))
    return made
