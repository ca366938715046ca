"""Whether a text states a phrase: whole words and whole numbers, whatever their case, spacing and width.

Not a judge of meaning: dates and quantities in other formats are other texts here. Invariant: a number is never found
inside a longer one ("5" is not stated by "5.5", "15" or "5a"); between Han characters there are no word boundaries.
"""

import re
import unicodedata

_SPACE = re.compile(r"\s+")
_HAN = re.compile(r" ?([\u3000-\u303f\u3400-\u9fff]) ?")
_NO_HAN = "\u3000"
_INSIDE = ".,:/-"


def plain(text: str) -> str:
    """Return `text` as it is compared: one case and width, single spaces, none beside a Han character."""
    if not text.isascii():
        text = _HAN.sub(r"\1", unicodedata.normalize("NFKC", text))
    return _SPACE.sub(" ", text).strip().casefold()


def states(text: str, phrase: str) -> bool:
    """Say whether `phrase` stands in `text`; both are :func:`plain`."""
    start = text.find(phrase) if phrase else -1
    while start >= 0:
        end = start + len(phrase)
        if not _cut(text[max(0, start - 2) : start], phrase) and not _cut(text[end : end + 2][::-1], phrase[::-1]):
            return True
        start = text.find(phrase, start + 1)
    return False


def _cut(before: str, phrase: str) -> bool:
    """Say whether what stands before the phrase (or, both reversed, after it) belongs to its first word or number."""
    if not before or not _in_word(phrase[0]):
        return False
    number = phrase[0].isdigit() and len(before) > 1 and before[0].isdigit() and before[1] in _INSIDE
    return number or _in_word(before[-1])


def _in_word(character: str) -> bool:
    return character.isalnum() and character < _NO_HAN
