"""Needles in a haystack: statements hidden in a long text, and asked for; generated, in English and Chinese.

The haystack is the text of generated websites, whose own facts are the distractors. One needle or three, at depths from
the beginning to the end; the subset is the length in tokens ("4k", …, "128k"), counted as four English letters or one
and a half Chinese characters. Not NeedleBench: it follows its plan (Li et al., arXiv 2407.11963), none of its texts.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count, product
from random import Random
from typing import get_args

from selectolax.lexbor import LexborHTMLParser

from webfarer.core.config import Settings
from webfarer.evals.sources import drawn, subset
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.worlds.types import Language, WorldSpec
from webfarer.worlds.world import DOMAINS, generate

_SIZE = 60
_LENGTHS = {"4k": 4_000, "8k": 8_000, "16k": 16_000, "32k": 32_000, "64k": 64_000, "128k": 128_000}
_LENGTH = "4k"
_SIGNS = {"en": 4.0, "zh": 1.5}
_NEEDLES = (1, 3)
_DEPTHS = (0, 25, 50, 75, 100)
_COLOURS = {
    "en": ("amber", "crimson", "emerald", "ivory", "scarlet", "teal", "violet", "silver"),
    "zh": ("琥珀色", "深红色", "翠绿色", "象牙色", "银白色", "靛蓝色", "紫罗兰色", "古铜色"),
}
_THINGS = {
    "en": ("anchor", "compass", "gramophone", "hourglass", "lantern", "sextant", "telescope", "typewriter"),
    "zh": ("船锚", "罗盘", "留声机", "沙漏", "灯笼", "六分仪", "望远镜", "打字机"),
}
_STATED = {"en": "The inventory number of the {} {} is {}.", "zh": "{}{}的馆藏编号是{}。"}
_ASKED = {
    "en": "Read the text and answer from it alone. What is the inventory number of {}?",
    "zh": "阅读下面的文字，只根据它回答：{}的馆藏编号是多少？",
}


class Needles:
    """The task."""

    card = Card(
        title="Needles in a haystack",
        source="https://arxiv.org/abs/2407.11963",
        settings=("closed",),
        scorers=("needle",),
        licence="Apache-2.0",
    )

    async def items(self, source: Source) -> list[Item]:
        """Generate the items; depths take turns, then numbers of needles, then languages."""
        tokens = _LENGTHS[subset(source, self.card, _LENGTHS) or _LENGTH]
        return drawn(_items(source.seed, tokens), source, _SIZE)

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Nothing of the web is needed."""
        return open_web()


def _items(seed: int, tokens: int) -> Iterator[Item]:
    for turn in count():
        for language, needles, depth in product(get_args(Language), _NEEDLES, _DEPTHS):
            yield _item(
                Random(f"needle/{seed}/{tokens}/{turn}/{language}/{needles}/{depth}"), language, needles, depth, tokens
            )


def _item(random: Random, language: Language, needles: int, depth: int, tokens: int) -> Item:
    """Hide the first needle at `depth` percent, the others anywhere."""
    pairs = random.sample(list(product(_COLOURS[language], _THINGS[language])), needles)
    values = [str(number) for number in random.sample(range(100_000, 1_000_000), needles)]
    lines = _haystack(random, language, int(tokens * _SIGNS[language]))
    places = [depth / 100, *(random.random() for _ in pairs[1:])]
    hidden = sorted(zip(places, pairs, values, strict=True), reverse=True)
    for place, (colour, thing), value in hidden:
        lines.insert(round(place * len(lines)), _STATED[language].format(colour, thing, value))
    named = [f"{colour}{thing}" if language == "zh" else f"the {colour} {thing}" for colour, thing in pairs]
    asked = _ASKED[language].format("、".join(named) if language == "zh" else " and of ".join(named))
    return Item(
        id=f"{language}-{needles}-{depth}-{random.getrandbits(32):08x}",
        question=f"{asked}\n\n{chr(10).join(lines)}\n\n{asked}",
        answer="; ".join(values),
        parts=tuple(values) if needles > 1 else (),
        cells={
            "type": f"{needles} {'needle' if needles == 1 else 'needles'}",
            "depth": f"{depth} %",
            "language": language,
        },
    )


def _haystack(random: Random, language: Language, length: int) -> list[str]:
    """Return lines of generated websites, `length` characters together."""
    lines: list[str] = []
    left = length
    while True:
        spec = WorldSpec(random.choice(DOMAINS.ids()), random.randrange(10_000), language)
        for page in generate(spec).pages.values():
            if page.html:
                for node in LexborHTMLParser(page.html).css("main p, main li"):
                    line = node.text(separator=" ", strip=True)
                    lines.append(line[:left])
                    left -= len(lines[-1]) + 1
                    if left <= 0:
                        return lines


task = Needles()
