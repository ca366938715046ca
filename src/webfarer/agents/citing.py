"""From a model's answer with [n] marks to a draft: each sentence with the evidence it cites.

The marks are the numbers that :mod:`webfarer.agents.views` gave the evidence. A sentence that cites nothing, or a
number that does not exist, becomes a claim without a quote, which no check can verify and nothing hides.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

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

_SPOT = r"\^?\d{1,3}(?:\s?[,，、;–—-]\s?\^?\d{1,3})*"
_MARK = re.compile(
    rf"(?<!\s)\s*[\[［【](?:evidence |证据 ?)?({_SPOT})(?:†[^\]］】\n]{{0,40}})?[\]］】](?:\(https?://[^\s()]*\))?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d+)(?:\s?[–—-]\s?\^?(\d+))?")
_WIDEST = 20  # numbers in a range like [1-3]
_CONFLICT = re.compile(r"^[^\w\n]*(?:Conflict|Contradiction|冲突|矛盾)[^\w\n:：]*[:：][^\S\n]*(.+)$\n?", re.I | re.M)
_CLOSING = r"[\"'”’»)*_」』）]*"
_AFTER_STOP = re.compile(rf"([.!?…。！？]{_CLOSING})((?:{_MARK.pattern})+)", re.IGNORECASE)
_GAP = re.compile(rf"[.!?…]{_CLOSING}[^\S\n]+(?=[^a-z\s])|[。！？]{_CLOSING}|(?<![:：\n])\n+")
_NO_STOP = re.compile(
    r"(?:^|[\s(.])(?:[A-Z]|Dr|Mr|Mrs|Ms|Prof|St|Nos?|vs|approx|ca|cf|Fig|Vol|pp?|e\.g|i\.e)\.$|(?:^|\n)[^\S\n]*\d{1,3}\.$"
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_HIDDEN, _CUT = "\ue000", "\ue001"  # private characters: stand for a piece of code, and between two sentences
_IMAGE = re.compile(r"!+(?=\[)|<+(?=img\b)", re.IGNORECASE)
_LEAD = re.compile(r"^[\s>|#]*(?:[-*+•]\s+|\d{1,3}[.)]\s+)?")
_RULE = re.compile(r"[\s|:-]*-[\s|:-]*")
_SAYS = re.compile(r"[^\W_]")


def draft_of(answer: str, evidence: Sequence[Quote]) -> Draft:
    """Return the draft that `answer` is, its claims in the order of the text and those that disagree behind them."""
    disputes: list[tuple[str, list[int]]] = []

    def take_out(match: re.Match[str]) -> str:
        numbers = [n for n in dict.fromkeys(_numbers(match[1])) if 0 < n <= len(evidence)]
        if len(numbers) < 2:
            return match[0]  # it names no two pieces of evidence, so it stays a sentence
        disputes.append((plain(match[1]).strip("*_ "), numbers))
        return ""

    text = _CONFLICT.sub(take_out, answer).strip()
    claims = [claim for piece in _pieces(text) for claim in _claims(piece, evidence)]
    conflicts: list[Conflict] = []
    for about, numbers in disputes:
        conflicts.append(Conflict(about=about, claims=tuple(range(len(claims), len(claims) + len(numbers)))))
        claims += [Claim(text=evidence[n - 1].text, quote=evidence[n - 1]) for n in numbers]
    return Draft(plain(text), tuple(claims), conflicts=tuple(conflicts))


def plain(answer: str) -> str:
    """Return the answer without its marks, images made links: whoever shows an image tells its server what was asked.

    What looks like either in code is code.
    """
    return _outside_code(lambda text: _IMAGE.sub("", _MARK.sub("", text)), answer).strip()


def cites(answer: str, evidence: Sequence[Quote]) -> bool:
    """Say whether the answer cites at least one piece of evidence that exists."""
    return any(0 < n <= len(evidence) for n in _numbers(answer))


def _outside_code(change: Callable[[str], str], text: str) -> str:
    """Return `text` with its code as it is and the rest changed."""
    text = text.replace(_HIDDEN, "").replace(_CUT, "")
    code = iter(_CODE.findall(text))
    return re.sub(_HIDDEN, lambda _: next(code), change(_CODE.sub(_HIDDEN, text)))


def _pieces(text: str) -> Iterator[str]:
    """Yield the statements: sentences, list items, table rows; a line that ends in a colon leads in the next one."""
    pieces = [piece for piece in _outside_code(_cut, text).split(_CUT) if piece.strip()]
    for piece, following in zip_longest(pieces, pieces[1:], fillvalue=""):
        if not (piece.lstrip().startswith("|") and _RULE.fullmatch(following)):  # the head of a table states nothing
            yield piece


def _cut(text: str) -> str:
    """Mark where statements end; marks that follow a full stop belong to the sentence before it."""
    text = _MARK.sub(lambda match: match[0].lstrip(), text)
    text = _AFTER_STOP.sub(lambda match: f"{match[2]}{match[1]}", text)
    out, at = "", 0
    for gap in _GAP.finditer(text):
        same_line = "\n" not in gap.group()
        row = same_line and text[at : gap.start()].lstrip().startswith("|")
        sign = same_line and text.startswith("#", gap.end())  # a heading begins a line
        if not row and not sign and not _NO_STOP.search(text[max(0, gap.start() - 8) : gap.start() + 1]):
            out += text[at : gap.end()] + _CUT
            at = gap.end()
    return out + text[at:]


def _claims(piece: str, evidence: Sequence[Quote]) -> Iterator[Claim]:
    said = _LEAD.sub("", plain(piece)).strip(" |\n")
    if not _SAYS.search(said) or piece.lstrip().startswith("#"):
        return
    numbers = list(dict.fromkeys(_numbers(piece)))
    unknown = [n for n in numbers if not 0 < n <= len(evidence)]
    for number in numbers:
        if number not in unknown:
            yield Claim(text=said, quote=evidence[number - 1])
    if unknown or not numbers:
        what = ", ".join(f"[{n}]" for n in unknown)
        yield Claim(text=said, problem=f"there is no evidence {what}" if what else "it cites nothing")


def _numbers(text: str) -> Iterator[int]:
    for mark in _MARK.finditer(_CODE.sub("", text)):
        for match in _NUMBER.finditer(mark[1]):
            first, last = int(match[1]), int(match[2] or match[1])
            yield from range(first, last + 1) if 0 <= last - first < _WIDEST else (first, last)
