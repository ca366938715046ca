"""Numbers with units in short answers, English and Chinese: "1,234.5 km", "３万", "$4.2 million", "二十一名".

Not a parser of prose numbers ("a dozen") and not a converter of currencies. Invariant: two quantities agree only when
their units can be compared; a number without a unit is compared by its number alone.
"""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_LONGEST = 14  # digits before the point: a float tells longer numbers not apart, and they are names of something
_CLOSE = 1e-14
_LONGEST_REST = 60  # decimals
_LONGEST_HAN = 30  # Chinese numerals: none that can be read overflows

# unit → (what it measures, how many base units)
_UNITS: dict[str, tuple[str, float]] = {
    name: (kind, factor)
    for kind, group in {
        "length": {
            0.001: "mm millimetre millimetres millimeter millimeters 毫米",
            0.01: "cm centimetre centimetres centimeter centimeters 厘米",
            1.0: "m metre metres meter meters 米",
            1000.0: "km kilometre kilometres kilometer kilometers 公里 千米",
            0.0254: "in inch inches 英寸",
            0.3048: "ft foot feet 英尺",
            1609.344: "mi mile miles 英里",
        },
        "mass": {
            1e-6: "mg milligram milligrams 毫克",
            0.001: "g gram grams 克",
            1.0: "kg kilogram kilograms 公斤 千克",
            1000.0: "t tonne tonnes 吨",
            0.45359237: "lb lbs pound pounds 磅",
        },
        "time": {
            0.001: "ms millisecond milliseconds 毫秒",
            1.0: "s sec second seconds 秒",
            60.0: "min minute minutes 分钟",
            3600.0: "h hr hour hours 小时",
            86400.0: "d day days 天 日",
            604800.0: "week weeks 周 星期",
        },
        "year": {1.0: "year years 年", 1 / 12: "month months 个月"},
        "volume": {0.001: "ml millilitre milliliter 毫升", 1.0: "l litre litres liter liters 升"},
        "area": {1.0: "m2 平方米", 1e4: "ha hectare hectares 公顷", 1e6: "km2 平方公里"},
        "speed": {1.0: "km/h kph", 3.6: "m/s", 1.609344: "mph"},
        "byte": {1.0: "byte bytes 字节", 1e3: "kb", 1e6: "mb", 1e9: "gb", 1e12: "tb"},
        "celsius": {1.0: "°c 摄氏度"},
        "fahrenheit": {1.0: "°f 华氏度"},
        "degree": {1.0: "° degree degrees 度"},
        "percent": {1.0: "% percent pct 个百分点"},
        "usd": {1.0: "$ us$ usd dollar dollars 美元"},
        "cny": {1.0: "rmb cny yuan 元 人民币 块"},
        "yen_or_yuan": {1.0: "¥"},
        "jpy": {1.0: "jpy yen 日元"},
        "eur": {1.0: "€ eur euro euros 欧元"},
        "gbp": {1.0: "£ gbp 英镑"},
        "": {1.0: "个 名 位 人 件 次 家 所 篇 项 种 本 门 届 部 条 间 张"},
    }.items()
    for factor, names in group.items()
    for name in names.split()
}
_SCALES: dict[str, float] = {
    name: scale
    for scale, names in {
        1e3: "thousand 千",
        1e4: "万 萬",
        1e6: "million mn 百万",
        1e7: "千万",
        1e8: "亿 億",
        1e9: "billion bn",
        1e12: "trillion 万亿",
    }.items()
    for name in names.split()
}
_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_STEPS = {"十": 10, "百": 100, "千": 1000}


def _any_of(names: list[str]) -> str:
    """Return a pattern for the longest of `names`; Latin ones end where a word ends."""
    ordered = sorted(names, key=len, reverse=True)
    ends = {name: r"(?![a-z0-9])" if name[-1].isascii() and name[-1].isalnum() else "" for name in ordered}
    return "|".join(re.escape(name) + ends[name] for name in ordered)


_WHOLE = rf"(?:\d{{1,3}}(?:,\d{{3}}){{1,4}}(?!\d)|\d{{1,{_LONGEST}}})"
_ARABIC = rf"(?>{_WHOLE}(?:\.\d{{1,{_LONGEST_REST}}})?(?:e[+-]?\d{{1,2}}(?![\da-z]))?)"
_HAN = rf"[{''.join(_DIGITS)}{''.join(_STEPS)}万萬亿億]{{1,{_LONGEST_HAN}}}"
_SCALE, _UNIT = _any_of(list(_SCALES)), _any_of(list(_UNITS))
_MONEY = r"us\$|[$¥€£]"
_QUANTITY = re.compile(
    rf"(?<![a-z0-9_])(?<!\d[.,:/])(?P<sign>[-+−]?)(?:(?P<money>{_MONEY})\s?)?(?P<minus>-?)"
    rf"(?:(?P<number>{_ARABIC})(?![.,:/]?\d)(?:\s?(?P<scale>{_SCALE})(?P<rest>(?:{_ARABIC}(?:{_SCALE}))*))?"
    rf"|(?P<han>(?>{_HAN})))"
    rf"(?:\s?(?P<unit>{_UNIT}))?(?![a-z])"
)
_PIECE = re.compile(rf"({_ARABIC})({_SCALE})")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as written and what it counts.

    Attributes:
        number: with its scale ("3 million" is 3e6), before its unit.
        kind: what the unit measures ("length"); "" without one.
        factor: how many base units of that kind one of its unit is.
    """

    number: float
    kind: str = ""
    factor: float = 1.0

    def agrees(self, other: "Quantity", tolerance: float = 0.0) -> bool:
        """Say whether both are the same amount, up to a share `tolerance` of the other's."""
        mine, yours = self.number, other.number
        if self.kind and other.kind:
            if self.kind != other.kind:
                return False
            mine, yours = mine * self.factor, yours * other.factor
        return math.isclose(mine, yours, rel_tol=_CLOSE) or abs(mine - yours) <= tolerance * abs(yours)


def quantity(text: str) -> Quantity | None:
    """Return the quantity that the whole text is, or None."""
    match = _QUANTITY.fullmatch(folded(text).strip().rstrip(".。 "))
    return _read(match) if match else None


def quantities(text: str) -> list[Quantity]:
    """Return every quantity in a text, in order; Chinese numerals only where no figures stand in it.

    One such numeral alone may be part of a word (一共), so it counts with a unit behind it only.
    """
    found = list(_found(folded(text)))
    in_figures = [read for match, read in found if match["number"]]
    return in_figures or [read for match, read in found if len(match["han"]) > 1 or match["unit"]]


def folded(text: str) -> str:
    """Return the text with full-width characters made plain, in lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def chinese_number(text: str) -> float | None:
    """Return the value of Chinese numerals ("一万二千", "二〇二五"), or None."""
    if not re.fullmatch(_HAN, text):
        return None
    if all(sign in _DIGITS for sign in text):
        return float("".join(str(_DIGITS[sign]) for sign in text))
    total = section = digit = 0
    for sign in text:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _STEPS:
            section += (digit or 1) * _STEPS[sign]
            digit = 0
        elif sign in "万萬":
            total, section, digit = total + (section + digit or 1) * 10**4, 0, 0
        else:
            total, section, digit = (total + section + digit or 1) * 10**8, 0, 0
    return float(total + section + digit)


def _found(text: str) -> Iterator[tuple[re.Match[str], Quantity]]:
    for match in _QUANTITY.finditer(text):
        read = _read(match)
        if read is not None:
            yield match, read


def _read(match: re.Match[str]) -> Quantity | None:
    if match["number"]:
        number = float(match["number"].replace(",", "")) * _SCALES.get(match["scale"] or "", 1.0)
        number += sum(float(n.replace(",", "")) * _SCALES[scale] for n, scale in _PIECE.findall(match["rest"] or ""))
    else:
        read = chinese_number(match["han"])
        if read is None:
            return None
        number = read
    if match["sign"] in ("-", "−") or match["minus"]:
        number = -number
    kind, factor = _UNITS[match["unit"] or match["money"]] if match["unit"] or match["money"] else ("", 1.0)
    return Quantity(number, kind, factor) if math.isfinite(number) else None
