"""What entries of reference documentation state: since which version, which defaults, and what a sentence describes.

An entry is a term and its definition, as manuals have them for functions, options, settings and words of a glossary.
Not a parser of code: a signature is read only as far as names and literal defaults go.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from webfarer.data.grammars._blocks import Blocks, Entry, Line
from webfarer.data.grammars._finding import NUMBER, UNIT, Found, Sheet, fits_a_question, found, plain, says_something
from webfarer.data.grammars._phrases import option_phrase, phrased
from webfarer.evals.scoring import normalise

_OPTION = re.compile(r"(--?(?:\[no-\])?[A-Za-z0-9][\w-]*)(?:(?:[ =<(]|\[[=<(]).*)?")
_CLASSES = ("class", "exception", "struct", "type")
_WITHIN = {"function": "method", "entry": "attribute"}
_QUALIFIED = re.compile(
    r"((?:(?:abstract|abstractmethod|async|awaitable|class|classmethod|coroutine|enum|exception|final|macro|property"
    r"|static|staticmethod|struct|type) +)+)(.+)"
)
_CALL = re.compile(r"(?:[\w*]+[ *]+){0,4}?\*?([A-Za-z_][\w.]*) ?\(((?!\*).*)\)?")
_TYPE = r"(?:const|unsigned|int|long|char|void|double|float|\w+_t|Py\w+)"
_MEMBER = re.compile(rf"(?:{_TYPE}\b[ *]*)+\b([A-Za-z_][\w.]*\w)")
_NAME = re.compile(r"[A-Za-z_][\w.-]*\w")
_LETTER = re.compile(r"-\w")
_NUMBERED = re.compile(r"\d+-\d+")
_PHRASE = re.compile(rf"(?!{_TYPE} )[A-Za-z][\w /-]{{3,40}}")
_VERSION = r"(?:[A-Z]\w+ )?(\d+(?:\.\w+)*)"
_ADDED = re.compile(
    rf"(?:New|Added) in version {_VERSION}\.?|在 {_VERSION} 版本?(?:加入|新增)。?|{_VERSION} 新版功能[.。]?"
)
_DEPRECATED = re.compile(rf"Deprecated since version {_VERSION}\.?|{_VERSION} 版后已(?:移除|弃用)[.。]?")
_CHANGED = re.compile(rf"(?:(?:Changed|New|Added) in version|在) {_VERSION}(?: 版更改)?: (.+)")
_RETIRED = re.compile(rf"Deprecated since version {_VERSION}(?:, will be removed in version [\d.]+)?: (.+)")
_PARAMETER = re.compile(r"(?:^|[,\[(] ?)(\w+) ?= ?(?:'([^']+)'|\"([^\"]+)\"|(-?[\w.]+))(?=[,\])]|$)")
_TRIVIAL = frozenset(("0", "1", "-1", "0.0"))
_VALUE = rf"(`[^`]+`|\"[^\"]+\"|“[^”]+”|{NUMBER}(?: ?{UNIT})?)(?=[.,;:)](?:\s|$)|\)|$)"
_DEFAULT = re.compile(
    rf"\((?:the )?default(?:s to|:| is| value)? {_VALUE}|(?:^|\. )Defaults? ?: {_VALUE}"
    rf"|The default(?: value)? is {_VALUE}|(?:^|\. )(?:It d|D)efaults to {_VALUE}|(?:^|\. )Default is {_VALUE}"
)
_FIRST = re.compile(r"(?:[^.。:]|[.:](?!\s|$))*[.。](?=\s|$|[\u3400-\u9fff])")
_VAGUE = re.compile(
    r"(?:This|These|That|Those|It|They|Same|See|Like|Similar|As|Note|Deprecated|Availability|Part of|Source|Also|Alias"
    r"|The same|Just|Likewise|Synonym|Identical|Bases|Changed|New in|Added in|Ditto|Equivalent|Superseded|Here|There"
    r"|If so|Return value|If this|When this|Default|(?:[A-Z]\w* )?[Ii]mplements?|The above|Another|Instead)\b"
    r"|[^A-Z\u3400-\u9fff]"
)
_SHORT, _LONG = 30, 220


class _Term(NamedTuple):
    """What an entry is called, and what sort of thing it is."""

    name: str
    full: str
    kind: str
    arguments: str = ""


def entries(sheet: Sheet) -> Iterator[Found]:
    """Yield what a page's entries state."""
    for entry in sheet.blocks.entries:
        if term := _term(entry, sheet.name, sheet.language):
            if term.full in sheet.once:
                yield from _dated(sheet, entry, term)
                yield from _defaults(sheet, entry, term)
            yield from _described(sheet, entry, term)


def entry_names(blocks: Blocks, page: str, language: str) -> list[str]:
    """Return the full names of the entries of the page of that name; one that is defined twice stands there twice."""
    return [term.full for entry in blocks.entries if (term := _term(entry, page, language))]


def _term(entry: Entry, page: str, language: str) -> _Term | None:
    """Return what an entry is called; None for footnotes, sentences and examples."""
    text = plain(entry.term.text)
    if option := _OPTION.fullmatch(text):
        return _Term(option[1], option_phrase(option[1], page, language), "option")
    qualified = _QUALIFIED.fullmatch(text)
    qualifier, bare = (qualified[1].split(), qualified[2]) if qualified else ((), text)
    if call := _CALL.fullmatch(bare):
        name, kind, arguments = call[1], "function", call[2]
    elif (_NAME.fullmatch(bare) and not _NUMBERED.search(bare)) or (_PHRASE.fullmatch(bare) and not qualifier):
        name, kind, arguments = bare, "entry", ""
    elif member := _MEMBER.fullmatch(bare):
        name, kind, arguments = member[1], "entry", ""
    else:
        return None
    kind = qualifier[-1] if qualifier and qualifier[-1] in _CLASSES else kind
    owner = _term(entry.owner, page, language) if entry.owner else None
    if owner is None:
        return _Term(name, name, kind, arguments)
    if owner.kind not in _CLASSES:
        return None  # what it is part of is no thing of its own: a value of an option, an example
    return _Term(name, f"{owner.full}.{name}", _WITHIN.get(kind, kind), arguments)


def _about(sheet: Sheet, kind: str, term: _Term, value: str, line: Line, **words: str) -> Found:
    """Return a statement about an entry."""
    key = ":".join((kind, *words.values()))
    return Found(kind, term.full, key, phrased(kind, sheet.language, **words), value, line.start, line.end)


def _dated(sheet: Sheet, entry: Entry, term: _Term) -> Iterator[Found]:
    """Yield what notes say of versions: of the whole entry, or of what they tell in words."""
    for line in entry.body:
        for kind, pattern in (("added", _ADDED), ("deprecated", _DEPRECATED)):
            if note := pattern.fullmatch(line.text):
                yield _about(sheet, kind, term, next(filter(None, note.groups())), line)
        for kind, pattern in (("changed", _CHANGED), ("retired", _RETIRED)):
            note = pattern.fullmatch(line.text)
            if note and _SHORT <= len(note[2]) <= _LONG and fits_a_question(note[2]):
                yield _about(sheet, kind, term, note[1], line, text=note[2])


def _defaults(sheet: Sheet, entry: Entry, term: _Term) -> Iterator[Found]:
    for name, *values in _PARAMETER.findall(f"({term.arguments}"):
        value = next(filter(None, values))
        if value not in _TRIVIAL and says_something(value):
            yield _about(sheet, "parameter", term, value, entry.term, name=name)
    if term.kind in ("entry", "attribute", "option"):
        for line in entry.body:
            for default in _DEFAULT.finditer(line.text):
                value = next(filter(None, default.groups())).strip('`"“”')
                if says_something(value):
                    yield _about(sheet, "default", term, value, line)


def _described(sheet: Sheet, entry: Entry, term: _Term) -> Iterator[Found]:
    """Yield which entry the first sentence of its definition describes."""
    first = _FIRST.match(entry.body[0].text) if entry.body else None
    sort = _sort(sheet, entry, term)
    if not first or not sort:
        return
    text, words = first[0], normalise(first[0])
    fits = _SHORT <= len(text) <= _LONG and fits_a_question(text) and not _VAGUE.match(text)
    if fits and says_something(term.name) and not set(normalise(term.name).split()) <= set(words.split()):
        span = entry.term.start, entry.body[0].start + len(text)
        yield found(sheet, "described", term.name, span, sort=sort, text=text)


def _sort(sheet: Sheet, entry: Entry, term: _Term) -> str:
    """Return the word for what an entry is; "" where it has several names and none is to be preferred."""
    other = _term(Entry(entry.before, entry.owner), sheet.name, sheet.language) if entry.before else None
    if other is None or other.name == term.name:
        return term.kind
    return "long option" if _LETTER.fullmatch(other.name) and term.name.startswith("--") else ""


grammar = entries
