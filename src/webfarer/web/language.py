"""Which language a page is in: its `lang` attribute, unless the script of its text says otherwise.

Tells Chinese, Japanese, Korean and Russian by their scripts and English by its stop words; everything else is "" unless
the page declares it. Not a language detector for short strings.
"""

import re

_SAMPLE = 3_000
_HAN = re.compile(r"[㐀-鿿]+")
_KANA = re.compile(r"[぀-ヿ]+")
_HANGUL = re.compile(r"[가-힯ᄀ-ᇿ]+")
_CYRILLIC = re.compile(r"[Ѐ-ӿ]+")
_ENGLISH = frozenset("the of and to in is a for that with be are this on as or by it an from not you can".split())
_FOREIGN = re.compile(r"[㐀-鿿぀-ヿ가-힯ᄀ-ᇿ]+")
_PRIMARY = re.compile(r"\s*([a-zA-Z]{2})(?:[-_]|\s*$)")
_SCRIPTS = {"zh": _HAN, "ja": re.compile(r"[぀-ヿ㐀-鿿]+"), "ko": _HANGUL, "ru": _CYRILLIC}


def language_of(text: str, declared: str = "") -> str:
    """Return the ISO 639-1 code of the language of `text`, "" when unknown; `declared` is the `lang` attribute."""
    primary = _PRIMARY.match(declared)
    code = primary[1].lower() if primary else ""
    text = text[:_SAMPLE]
    if code in _SCRIPTS:
        # Pages about code are full of Latin letters: only the absence of the declared script contradicts it.
        return code if not text or _SCRIPTS[code].search(text) else _by_script(text) or code
    # Any other language gives way to a script it is not written in.
    return code if code and _share(text, _FOREIGN) < 0.5 else _by_script(text) or code


def _share(text: str, script: re.Pattern[str]) -> float:
    """Return the part of the characters that are of `script`; white space does not count."""
    size = len(text) - text.count(" ") - text.count("\n")
    return sum(map(len, script.findall(text))) / size if size and not text.isascii() else 0.0


def _by_script(text: str) -> str:
    han, kana = _share(text, _HAN), _share(text, _KANA)
    if kana > 0.1 * (han + kana) and han + kana > 0.2:
        return "ja"
    if han > 0.2:
        return "zh"
    if _share(text, _HANGUL) > 0.2:
        return "ko"
    if _share(text, _CYRILLIC) > 0.5:
        return "ru"
    words = text.lower().split()
    common = sum(map(_ENGLISH.__contains__, words))
    return "en" if common >= 3 and common * 12 >= len(words) else ""
