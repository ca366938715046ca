"""Words of English and Chinese text, and BM25 over them.

English words are stemmed (Snowball); runs of Chinese characters become overlapping pairs, single characters stay when
they stand alone. Not a search index: it ranks what fits in memory (the index over an archive is a searcher's job).
Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
"""

import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import snowballstemmer

_WORD = re.compile(r"[a-z0-9_ß-ɏ]+(?:['’][a-z]+)?|[\u3400-\u9fff]+", re.IGNORECASE)
_POSSESSIVE = re.compile("['’]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_FIRST_HAN = "\u3400"
_STOP_EN = frozenset(
    """a about according am among an and any are as at be been but by can could did do does during for from go goes had
    happen has have held how i if in into is it its may me must my no nor not of on or our please should so such take
    taken takes tell than that the their them then there these they this those to too us was we were what when where
    which who whom whose why will with would you your""".split()
)
_STOP_ZH = frozenset(
    """了 和 是 在 与 及 或 吗 呢 请 问 请问 什么 哪 哪些 哪里 哪个 哪间 哪一 哪天 一天 多少 几 如何 怎么 怎样 何时
    为 有 由 于 其 是谁 是多 是什 是哪 在哪""".split()
)
_stemmer = snowballstemmer.stemmer("english")


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return the Snowball stem of a lower-case English word."""
    return str(_stemmer.stemWord(word))


def is_chinese(text: str) -> bool:
    """Say whether Han characters outnumber a fifth of the text's letters."""
    han = len(_HAN.findall(text))
    return han > 0 and han * 5 >= sum(ch.isalpha() for ch in text)


def words(text: str) -> list[str]:
    """Split `text` into index terms, stop words dropped: stems, numbers, Chinese character pairs.

    Identifiers with `_` give their parts as well ("max_size" → "max_size", "max", "size").
    """
    out: list[str] = []
    for token in _WORD.findall(text.lower()):
        if token[0] < _FIRST_HAN:
            out.extend(_terms(token))
            continue
        for run in token.split("的"):  # it joins words: pairs across it mean nothing
            out.extend(_pairs(run))
    return out


@lru_cache(maxsize=65_536)
def _terms(token: str) -> tuple[str, ...]:
    word = _POSSESSIVE.split(token)[0]
    parts = (word, *word.split("_")) if "_" in word else (word,)
    return tuple(stem(part) for part in parts if part.strip("_") and part not in _STOP_EN)


def _pairs(run: str) -> Iterable[str]:
    if len(run) <= 1:
        return (run,) if run and run not in _STOP_ZH else ()
    return (run[i : i + 2] for i in range(len(run) - 1) if run[i : i + 2] not in _STOP_ZH)


class BM25:
    """BM25 over a list of bags of words; documents may be added and may grow.

    Args:
        k1: saturation of repeated terms.
        b: strength of the length normalisation.
    """

    def __init__(self, k1: float = 1.2, b: float = 0.75) -> None:
        self.k1, self.b = k1, b
        self._lengths: list[int] = []
        self._total = 0
        self._postings: dict[str, dict[int, int]] = {}

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, terms: Sequence[str]) -> int:
        """Add a document; return its number."""
        self._lengths.append(0)
        self.extend(len(self._lengths) - 1, terms)
        return len(self._lengths) - 1

    def extend(self, number: int, terms: Sequence[str]) -> None:
        """Append terms to document `number`."""
        self._lengths[number] += len(terms)
        self._total += len(terms)
        for term in terms:
            posting = self._postings.setdefault(term, {})
            posting[number] = posting.get(number, 0) + 1

    def idf(self, term: str) -> float:
        """Return the (never negative) inverse document frequency of `term`."""
        n = len(self._postings.get(term, ()))
        return math.log(1 + (len(self._lengths) - n + 0.5) / (n + 0.5))

    def scores(self, query: Iterable[str]) -> list[float]:
        """Return every document's score for `query`; each distinct query term counts once."""
        mean = max(1.0, self._total / max(1, len(self._lengths)))
        scores = [0.0] * len(self._lengths)
        for term in sorted(set(query)):  # sorted: floating-point sums must not depend on hash order
            idf = self.idf(term)
            for number, tf in self._postings.get(term, {}).items():
                norm = self.k1 * (1 - self.b + self.b * self._lengths[number] / mean)
                scores[number] += idf * tf * (self.k1 + 1) / (tf + norm)
        return scores
