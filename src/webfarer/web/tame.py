"""Markup that would cost the HTML parser more than linear time or memory, rewritten before it gets there.

Three things do: deep nesting (every block looks up the whole stack), unclosed formatting elements (each is rebuilt in
every later paragraph) and thousands of attributes on one tag. Ordinary pages pass untouched; large or odd ones come out
balanced, at most 256 levels deep, without formatting elements. Not a sanitizer: the text is the same, trusted no more.
Source: WHATWG HTML, "has an element in scope", "reconstruct the active formatting elements".
"""

import re
from collections import Counter

_MANY = 15_000  # tags that open more than others close; below it, quadratic work stays under a second
_LARGE = 100_000  # characters; below it, one tag with every character an attribute is too
_LONG_TAG = 4_000
_DEPTH = 256

_ATTRIBUTES = r"""[^>=]*+(?:=\s*+(?:"[^"]*+"|'[^']*+')?+[^>=]*+)*+"""
_OPEN = re.compile(rf"<[a-zA-Z]{_ATTRIBUTES}>")
_TAG = re.compile(rf"<(/?)([a-zA-Z][^\s/>]*)({_ATTRIBUTES})>")
_LONG_VALUE = re.compile(r"""=\s*(?:"[^"]{500,}"|'[^']{500,}')""")
_RAW_END = {
    name: re.compile(f"</{name}", re.IGNORECASE)
    for name in "script style title textarea xmp iframe noembed noframes".split()
}
_VOID = frozenset("area base br col embed frame hr img input link meta source track wbr".split())
_RENAMED = dict.fromkeys("b big em font i nobr s small strike strong u".split(), "span") | {
    "code": "samp",
    "tt": "samp",
}
_BLOCKS = frozenset(
    """address article aside blockquote center details div dl fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr
    main nav ol option p pre section table ul li dt dd td th tr tbody thead tfoot""".split()
)
_P = frozenset({"p"})
_CELL = _P | {"td", "th"}
_ROW = _CELL | {"tr"}
_ENDS = {  # open elements that end where one of the key's name starts
    "li": _P | {"li"},
    "dt": _P | {"dt", "dd"},
    "dd": _P | {"dt", "dd"},
    "td": _CELL,
    "th": _CELL,
    "tr": _ROW,
    "tbody": _ROW | {"tbody", "thead"},
    "tfoot": _ROW | {"tbody", "thead"},
    "option": frozenset({"option"}),
}


def tame(html: str) -> str:
    """Return `html`, rewritten when it is large or odd enough to be a danger to the parser."""
    few_tags = html.count("<") - html.count("</") <= _MANY
    if few_tags and (len(html) <= _LARGE or max(map(len, _OPEN.findall(html)), default=0) <= _LONG_TAG):
        return html
    return _balanced(html)


def _balanced(html: str) -> str:
    """Write every tag again so that each closes what was opened last; comments, scripts and styles are left out.

    Every scan either moves on past what it read or ends the work, so the time is linear.
    """
    out: list[str] = []
    tags = _Tags(out)
    at = 0
    while (start := html.find("<", at)) >= 0:
        out.append(html[at:start])
        tag = _TAG.match(html, start)
        if tag is None:
            at = _after_no_tag(html, start, out)
        elif (raw := _RAW_END.get(tag[2].lower())) and not tag[1]:
            end = raw.search(html, tag.end())
            at = end.start() if end else len(html)
            if tag[2].lower() == "title":
                out.append(f"<title>{html[tag.end() : at]}</title>")
        else:
            tags.take(tag)
            at = tag.end()
    out.append(html[at:])
    tags.close_all()
    return "".join(out)


def _after_no_tag(html: str, start: int, out: list[str]) -> int:
    """Skip a comment, declaration or broken tag at `start`, or keep a lone "<"; return where to go on."""
    if html.startswith("<!--", start):
        end = html.find("-->", start + 4)
        return end + 3 if end >= 0 else len(html)
    following = html[start + 1 : start + 2]
    if following.isalpha():
        return len(html)  # the tag never ends
    if following in ("!", "?", "/"):
        end = html.find(">", start)
        return end + 1 if end >= 0 else len(html)
    out.append("&lt;")
    return start + 1


class _Tags:
    """Open elements, and the tags written for them."""

    def __init__(self, out: list[str]) -> None:
        self._out = out
        self._stack: list[str] = []
        self._open: Counter[str] = Counter()

    def take(self, tag: re.Match[str]) -> None:
        """Write what `tag` amounts to."""
        name = tag[2].lower()
        name = _RENAMED.get(name, name)
        if tag[1]:
            if self._open[name]:
                while self._pop() != name:
                    pass
            return
        if name in _BLOCKS:
            self._end(_ENDS.get(name, _P))
        if name not in _VOID:
            if len(self._stack) >= _DEPTH:
                return
            self._stack.append(name)
            self._open[name] += 1
        self._out.append(f"<{name}{_short(tag[3])}>")

    def close_all(self) -> None:
        """Close what is still open."""
        while self._stack:
            self._pop()

    def _end(self, names: frozenset[str]) -> None:
        """Close open elements of `names`, with what is open inside them, up to any other block."""
        ended = len(self._stack)
        for at in range(len(self._stack) - 1, -1, -1):
            if self._stack[at] in names:
                ended = at
            elif self._stack[at] in _BLOCKS:
                break
        while len(self._stack) > ended:
            self._pop()

    def _pop(self) -> str:
        name = self._stack.pop()
        self._open[name] -= 1
        self._out.append(f"</{name}>")
        return name


def _short(attributes: str) -> str:
    if len(attributes) <= _LONG_TAG:
        return attributes
    attributes = _LONG_VALUE.sub('=""', attributes)
    return attributes if len(attributes) <= _LONG_TAG else ""
