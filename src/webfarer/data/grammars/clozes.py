"""What sentences state: the measure that a sentence gives, the version in which something came, else a gap to fill.

A sentence of a plain form is turned into a question about its subject; of others the one telling piece (a date, a
version, a number, code) is left out. Not an understanding of sentences: what does not fit a form is passed over.
"""

import re
from collections.abc import Iterator

from webfarer.core.types import Span
from webfarer.data.grammars._blocks import Line
from webfarer.data.grammars._finding import (
    GAP,
    NUMBER,
    UNIT,
    Found,
    Sheet,
    fits_a_question,
    found,
    says_something,
    stands_once,
    whole_word,
)
from webfarer.data.grammars._phrases import has_phrase
from webfarer.data.standing import is_cut

_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"“])|(?<=[。！？])")
_SENTENCE = re.compile(r"[A-Z\u3400-\u9fff`“].*[.。]")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_WORDS, _HAN = (7, 34), (12, 80)
_LEANS = re.compile(  # on the words around it: what it speaks of is said elsewhere
    r"\b(?:[Tt]his|[Tt]hese|[Tt]hose|[Ii]t|[Tt]he[ym]|[Tt]heir|[Ii]ts|[Ss]uch|[Aa]bove|below|following|previous|former"
    r"|latter|another|other|[Ee]xample|e\.g|i\.e|[Ss]ee|[Ww]e|our|I|he|she|[Hh]ere|[Ff]igure|[Ss]ection|[Cc]hapter|Note"
    r"|However|Thus|Hence|Otherwise|Also|Then|So|But|And|Or|Now|Suppose|Consider|Assume|Let|New in|Added in|Changed in"
    r"|Deprecated|Defaults?)\b|这|那|它|该|上述|下面|如下|例如|参见|其|本节|本章|第 ?\d"
)
_VERSION = r"\d+\.\d+(?:\.\d+)*(?:rc\d|[ab]\d)?"
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_DATE = (
    rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|{_MONTH} \d{{1,2}},? \d{{4}}|\d{{1,2}} {_MONTH} \d{{4}}|{_MONTH} \d{{4}}"
    r"|\d{4}年(?:\d{1,2}月)?(?:\d{1,2}日)?)"
)
_CODE = r"(?<=`)[A-Za-z_./$-][\w./$:=-]{3,38}(?=`)|[A-Z]{2,}_[A-Z_]{2,}(?![\w(])"
_SPANS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("date", rf"(?P<piece>{_DATE})"),
        (
            "version",
            rf"(?:\b[Vv]ersions?|\b[Rr]elease|\b(?!Step|Part|Item|Rule|Table|Point)[A-Z]\w+|版本)"
            rf" (?P<piece>{_VERSION})(?![\w.]*\w)",
        ),
        (
            "number",
            rf"(?<![\w.`(+=#/-])(?P<piece>{NUMBER} ?{UNIT}(?![A-Za-z])|\d[\d,]*(?:\d|\.\d+)(?=[ ,;。，；]|\.(?!\d)))",
        ),
        ("code", rf"(?<![\w.`-])`?(?P<piece>{_CODE})`?"),
    )
)
_MEASURE = re.compile(
    r"(?P<text>(?:The|By default, the) (?:[\w-]+ ){0,2}?(?:default|maximum|minimum|largest|smallest|longest|total"
    r"|initial|recommended|number|size|length|limit|width|value)\b[^.;:,()]{0,80}?) (?P<be>is|are|was|were)"
    rf" (?:set to |about |approximately )?(?P<value>{NUMBER}(?: ?{UNIT}| [a-z]{{2,12}})?"
    r"|`[\w./$:=-]{2,38}`|[A-Z]{2,}_[A-Z_]+)(?=[.,;]|\s*\()"
)
_EVENT = re.compile(
    r"(?P<text>(?:The|Support for|An?|`)[^.;:,()]{6,90}?) (?P<be>was|were)(?: first)?"
    r" (?P<verb>added|introduced|removed|deprecated|released) (?:in|on|to|with|by|as of|beginning with)"
    rf" (?:[A-Z]\w+ )?(?:[Vv]ersion |[Rr]elease )?(?P<value>{_VERSION}|{_DATE})(?=[ .,;)])"
)
_FORMS = (("measure", _MEASURE), ("release", _EVENT))
_LEAST = 4  # words that say what is asked for
_SYNTAX = re.compile(r"[=<>|;{}\[\]]")


def clozes(sheet: Sheet) -> Iterator[Found]:
    """Yield what a page's sentences state, each sentence once."""
    for line in sheet.blocks.lines:
        for span in sentence_spans(line):
            text = sheet.page.markdown[span.start : span.end]
            if fits_a_question(text) and not _LEANS.search(text):
                statement = _turned(sheet, text, span) or _gapped(sheet, text, span)
                if statement:
                    yield statement


def sentence_spans(line: Line) -> Iterator[Span]:
    """Yield where the whole sentences of a line stand that are neither too short nor too long."""
    at = 0
    for cut in (*_END.finditer(line.text), None):
        piece = line.text[at : cut.start() if cut else None]
        fits = _SENTENCE.fullmatch(piece) and piece.count("`") % 2 == 0
        if fits and _is_sized(piece):
            yield Span(line.start + at, line.start + at + len(piece))
        at = cut.end() if cut else at


def _is_sized(sentence: str) -> bool:
    han = len(_CHINESE.findall(sentence))
    low, high = _HAN if han else _WORDS
    return low <= (han or len(sentence.split())) <= high


def _turned(sheet: Sheet, text: str, span: Span) -> Found | None:
    """Return the statement of a sentence that has a plain form."""
    for kind, form in _FORMS:
        said = form.match(text)
        if said and has_phrase(kind, sheet.language):
            words = said.groupdict()
            value = words.pop("value").strip("`")
            about = words["text"].removeprefix("By default, ")
            words["text"] = about if about.startswith("`") else about[0].lower() + about[1:]
            cut = is_cut(text, *said.span("value"))
            enough = len(about.split()) >= _LEAST and " that " not in about and not cut
            if enough and says_something(value) and value not in about:
                return found(sheet, "day" if re.fullmatch(_DATE, value) else kind, value, span, **words)
    return None


def _gapped(sheet: Sheet, text: str, span: Span) -> Found | None:
    """Return the statement of a sentence with one telling piece, the rarest sort of piece first."""
    for kind, pattern in _SPANS:
        pieces = list(pattern.finditer(text))
        if len(pieces) == 1:
            value = pieces[0]["piece"]
            start, end = pieces[0].span("piece")
            if kind == "number" and _SYNTAX.search(text):
                return None  # a digit within an expression
            if not says_something(value) or not whole_word(text, value) or not start or is_cut(text, start, end):
                return None
            if text[start - 1] == text[end : end + 1] == "`":
                start, end = start - 1, end + 1
            gapped = f"{text[:start]}{GAP}{text[end:]}"
            return found(sheet, kind, value, span, text=gapped) if stands_once(sheet.page, gapped) else None
        if pieces:
            return None  # which of them is meant would be a guess
    return None


grammar = clozes
