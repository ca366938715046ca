"""Values of attributes: dates, people, rooms, amounts, drawn from the seed so that no two in a world are alike.

Alike means equal, or one contained in the other: an answer must be found on its own page only. Not checked against
prose: that holds no digits and no people's names (see :class:`webfarer.worlds.schema.Domain`).
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from webfarer.worlds.types import Language

_TRIES = 60
_MONTHS = tuple(calendar.month_name)
_GIVEN_EN = """Maria Jonas Elena Marcus Ingrid Tomas Aisha Daniel Sofia Viktor Hannah Pablo Leila Oscar Priya Felix
Clara Hugo Amara Stefan Julia Rafael Noor Simon Beatriz Anton Miriam Lukas Teresa Gabriel Yasmin Erik Diana Milan Rosa
Adrian Ivana Samuel Katrin Mateo""".split()
_FAMILY_EN = """Novak Lindqvist Moreau Castellano Okafor Brandt Petrov Haddad Sorensen Whitfield Tanaka Ferreira
Kowalski Ashworth""".split()
_GIVEN_ZH = """明远 思齐 雅婷 志强 晓琳 子涵 建国 丽华 文博 欣怡 海燕 俊杰 雪梅 国栋 婉清 天宇 玉兰 浩然 静怡 立新 慧敏
振东 梦瑶 永康 若溪 启航 春晓 宏伟 佳宁 少峰""".split()
_FAMILY_ZH = "王 李 张 刘 陈 杨 赵 黄 周 吴 欧阳 诸葛".split()
_HALLS_EN = "Aurora Birch Cedar Delta Ember Falcon Garnet Harbour Iris Juniper Kestrel Laurel Maple Nordic Opal".split()
_HALLS_ZH = "晨曦 白桦 青松 映月 金枫 飞鹰 海棠 丁香 银杏 翠竹 紫荆 木兰 朝阳 听涛 凌云".split()


@dataclass(slots=True)
class Pen:
    """What a draw may use."""

    random: Random
    language: Language
    year: int

    @property
    def chinese(self) -> bool:
        """Whether values are to be Chinese."""
        return self.language == "zh"


Draw = Callable[[Pen], str]


class Values:
    """Draws values, each unlike every other drawn before."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._taken: set[str] = set()
        self._text = "\n"

    def draw(self, draw: Draw, year: int | None = None) -> str | None:
        """Return a new value, for last year's pages with another `year`; None when the possibilities run out."""
        pen = Pen(self._pen.random, self._pen.language, year or self._pen.year)
        for _ in range(_TRIES):
            value = draw(pen)
            folded = value.lower()
            if folded not in self._text and not self._holds_older(folded):
                self._taken.add(folded)
                self._text += folded + "\n"
                return value
        return None

    def _holds_older(self, value: str) -> bool:
        return any(
            value[start:end] in self._taken for start in range(len(value)) for end in range(start + 1, len(value) + 1)
        )


def date(first: int, last: int) -> Draw:
    """Draw a day between two months of the world's year."""

    def draw(pen: Pen) -> str:
        month = pen.random.randint(first, last)
        day = pen.random.randint(1, calendar.monthrange(pen.year, month)[1])
        return f"{pen.year}年{month}月{day}日" if pen.chinese else f"{day} {_MONTHS[month]} {pen.year}"

    return draw


def day(first: int, last: int) -> Draw:
    """Draw a day between two years, both included; never the 29th or a later one."""

    def draw(pen: Pen) -> str:
        year, month, number = pen.random.randint(first, last), pen.random.randint(1, 12), pen.random.randint(1, 28)
        return f"{year}年{month}月{number}日" if pen.chinese else f"{number} {_MONTHS[month]} {year}"

    return draw


def clock(first: int = 8, last: int = 18) -> Draw:
    """Draw a time of day between two hours."""
    return lambda pen: f"{pen.random.randint(first, last - 1):02}:{pen.random.randrange(0, 60, 5):02}"


def person() -> Draw:
    """Draw a person; family names are few, so namesakes are common."""

    def draw(pen: Pen) -> str:
        if pen.chinese:
            return pen.random.choice(_FAMILY_ZH) + pen.random.choice(_GIVEN_ZH)
        return f"{pen.random.choice(_GIVEN_EN)} {pen.random.choice(_FAMILY_EN)}"

    return draw


def room() -> Draw:
    """Draw a room, by name and number."""

    def draw(pen: Pen) -> str:
        number = f"{pen.random.choice('ABCDEFGH')}{pen.random.randint(101, 489)}"
        if pen.chinese:
            return f"{pen.random.choice(_HALLS_ZH)}楼{number}室"
        return f"{pen.random.choice(_HALLS_EN)} Hall {number}"

    return draw


def number(low: int, high: int, en: str, zh: str, step: int = 1) -> Draw:
    """Draw a number with its unit: `en` and `zh` hold `{}`."""

    def draw(pen: Pen) -> str:
        drawn = pen.random.randrange(low, high + 1, step)
        return zh.format(drawn) if pen.chinese else en.format(f"{drawn:,}")

    return draw


def money(low: int, high: int, step: int = 5) -> Draw:
    """Draw an amount."""
    return number(low, high, "EUR {}", "{}元", step)


def code(prefix: str, digits: int = 4) -> Draw:
    """Draw an identifier such as "REG-4821"."""
    return lambda pen: f"{prefix}-{pen.random.randrange(10 ** (digits - 1), 10**digits)}"


def phone() -> Draw:
    """Draw a telephone extension."""

    def draw(pen: Pen) -> str:
        return f"{'分机' if pen.chinese else 'extension '}{pen.random.randint(2000, 8999)}"

    return draw
