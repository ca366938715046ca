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
    main nav ol p pre section table ul li dt dd td th tr tbody thead tfoot""".split()
)
_ENDS = {  # an open element of these names ends where one of the key's name starts
    "li": {"li", "p"},
    "dt": {"dt", "dd", "p"},
    "dd": {"dt", "dd", "p"},
    "td": {"td", "th", "p"},
    "th": {"td", "th", "p"},
    "tr": {"td", "th", "tr", "p"},
    "tbody": {"td", "th", "tr", "tbody", "thead", "p"},
    "tfoot": {"td", "th", "tr", "tbody", "thead", "p"},
    "option": {"option"},
}
_P = {"p"}


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
        ends = _ENDS.get(name, _P if name in _BLOCKS else ())
        while self._stack and self._stack[-1] in ends:
            self._pop()
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
