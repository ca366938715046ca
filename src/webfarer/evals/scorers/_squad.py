"""Words of an answer as the SQuAD script counts them; Chinese by character.

Lower case, no punctuation, no articles. As published, a point between digits is punctuation too: "1.5" equals "15".
Source: Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", EMNLP 2016, evaluate-v1.1.
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_CHINESE = re.compile(r"([\u3400-\u9fff])")


def tokens(text: str) -> list[str]:
    """Return the words and Chinese characters of `text`, normalised."""
    plain = unicodedata.normalize("NFKC", text).lower()
    kept = "".join(sign for sign in plain if sign not in string.punctuation and unicodedata.category(sign)[0] != "P")
    return _CHINESE.sub(r" \1 ", _ARTICLE.sub(" ", kept)).split()


def common(some: Sequence[str], others: Sequence[str]) -> int:
    """Return how many tokens two texts share, each as often as both have it."""
    return sum((Counter(some) & Counter(others)).values())


def same(answer: str, reference: str) -> bool:
    """Say whether the normalised texts are equal; where nothing is left of them, the texts as they are."""
    mine, yours = tokens(answer), tokens(reference)
    return mine == yours if mine or yours else answer.strip() == reference.strip() != ""
