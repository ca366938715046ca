"""Language: the question, and the answer where it is words, are in the language of the ground, English or Chinese.

Told by script and function words; of what a question quotes, by its page. Names, code and numbers belong to every
language, so an answer is in another one only when it has Han characters in English, or English function words in
Chinese.
"""

import re

from webfarer.core.text import is_chinese
from webfarer.data.check import Desk
from webfarer.data.ground import Ground
from webfarer.data.question import Question

_FUNCTION = re.compile(
    r"\b(?:an?|and|are|by|did|do|does|find|for|from|give|how|in|is|list|name|of|on|the|to|was|were|what|when|where|"
    r"which|who|whose)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile("“[^“”]*”")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_FOREIGN = 0.3  # share of the letters that names may have


class LanguageCheck:
    """Drops a question or answer in another language than its pages."""

    order = 30
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        pass

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return what is in another language."""
        for url in question.gold:
            if url in ground.pages and (code := ground.pages[url].language) not in ("", ground.language):
                return f"{url} is in {code!r}"
        spoken = is_chinese if ground.language == "zh" else _english
        if not spoken(_QUOTED.sub("", question.question)):
            return f"the question is not in {ground.language!r}"
        other = (lambda part: len(_FUNCTION.findall(part)) > 1) if ground.language == "zh" else is_chinese
        wrong = [part for part in sorted(question.wanted - set(question.gold)) if other(part)]
        return f"the answer {wrong[0][:200]!r} is not in {ground.language!r}" if wrong else ""


def _english(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    latin = len(_LATIN.findall(text))
    return latin >= (1 - _FOREIGN) * letters and not is_chinese(text) and _FUNCTION.search(text) is not None


check = LanguageCheck
