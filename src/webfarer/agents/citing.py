"""From a model's answer with [n] marks to a draft: each sentence with the evidence it cites.

The marks are the numbers that :mod:`webfarer.agents.views` gave the evidence. A sentence that cites nothing, or a
number that does not exist, becomes a claim without a quote, which no check can verify and nothing hides.
"""

import re
from collections.abc import Iterator, Sequence

from webfarer.agents.decisions import Draft
from webfarer.core.types import Claim, Conflict, Quote
from webfarer.models.prompts import FENCE_RULE

CITING = (
    "Cite: after each statement of the answer put the numbers of the evidence that says so, like [2] or [1][4]. State "
    "only what the evidence says. When two pieces of evidence contradict each other, say so, prefer the newer one, and "
    "end with a line `Conflict: what they disagree on [1][2]`. When the evidence does not answer the question, say "
    "what is missing."
)
RULES = f"{CITING}\n{FENCE_RULE}"

_MARK = re.compile(r"\s*(?:\[(?:evidence |证据 ?)?\^?\d+(?:\s*[,，、;-]\s*\^?\d+)*\]|【\d+】)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_CONFLICT = re.compile(r"^\W*(?:Conflict|Contradiction|冲突|矛盾)\W*[:：]\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_AFTER_STOP = re.compile(rf"([.!?。！？])((?:{_MARK.pattern})+)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s])|(?<=[。！？])|\n+")
_SAYS = re.compile(r"[^\W_]")


def draft_of(answer: str, evidence: Sequence[Quote]) -> Draft:
    """Return the draft that `answer` is, its claims in the order of the text."""
    claims: list[Claim] = []
    conflicts: list[Conflict] = []
    for match in _CONFLICT.finditer(answer):
        found = [
            Claim(text=evidence[n - 1].text, quote=evidence[n - 1]) for n in _numbers(match[1]) if n <= len(evidence)
        ]
        if len(found) > 1:
            first = len(claims)
            claims += found
            about = _MARK.sub("", match[1]).strip()
            conflicts.append(Conflict(about=about, claims=tuple(range(first, len(claims)))))
    text = _CONFLICT.sub("", answer).strip()
    stated = [claim for piece in _pieces(text) for claim in _claims(piece, evidence)]
    shifted = [Conflict(about=c.about, claims=tuple(n + len(stated) for n in c.claims)) for c in conflicts]
    return Draft(plain(text), (*stated, *claims), conflicts=tuple(shifted))


def plain(answer: str) -> str:
    """Return the answer without its marks."""
    return _MARK.sub("", answer).strip()


def cites(answer: str, evidence: Sequence[Quote]) -> bool:
    """Say whether the answer cites at least one piece of evidence that exists."""
    return any(n <= len(evidence) for n in _numbers(answer))


def _pieces(text: str) -> list[str]:
    """Return the sentences; marks that follow a full stop belong to the sentence before it."""
    drawn_in = _AFTER_STOP.sub(lambda match: f"{match[2]}{match[1]}", text)
    return [piece for piece in _SENTENCE.split(drawn_in) if piece.strip()]


def _claims(piece: str, evidence: Sequence[Quote]) -> Iterator[Claim]:
    said = plain(piece).strip(" -*#>|")
    if not _SAYS.search(said) or piece.lstrip().startswith("#"):
        return
    numbers = list(dict.fromkeys(_numbers(piece)))
    known = [n for n in numbers if n <= len(evidence)]
    for number in known:
        yield Claim(text=said, quote=evidence[number - 1])
    if not known:
        what = ", ".join(f"[{n}]" for n in numbers)
        yield Claim(text=said, problem=f"there is no evidence {what}" if what else "it cites nothing")


def _numbers(text: str) -> list[int]:
    return [int(n) for mark in _MARK.findall(text) for n in _NUMBER.findall(mark) if 0 < int(n) < 10_000]
