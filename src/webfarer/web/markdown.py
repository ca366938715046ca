"""The pen: text goes in piece by piece, markdown with known offsets comes out.

White space is folded, line prefixes of lists and quotes are added, regions and the places of link labels are noted down
while writing. It knows nothing of HTML and never changes what it has written, so an offset stays true.
"""

import re
from dataclasses import dataclass, field

from webfarer.core.types import Region, Span

_FRESH, _NONE, _SPACE, _LINE, _BLANK = -1, 0, 1, 2, 3  # white space owed before the next text, weakest first
_MAX_PREFIXES = 16
_MAX_MARKS = 8
# Characters nobody sees: zero width, soft hyphen, bidi controls, tag characters (used to hide instructions), controls.
_INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f\x00-\x08\x0e-\x1f\x7f]"
)


def visible(text: str) -> str:
    """Return `text` without the characters that nobody sees."""
    return _INVISIBLE.sub("", text)


def fold(text: str) -> str:
    """Return `text` with its white space folded."""
    return " ".join(text.split())


@dataclass(slots=True, eq=False)
class Mark:
    """A stretch of text that somebody wants to find again.

    Attributes:
        pieces: (start, end, weight) of its text, one per block, cell or image; the heaviest is the best label.
        start: of the piece being written, or -1.
    """

    pieces: list[tuple[int, int, int]] = field(default_factory=list, init=False)
    start: int = field(default=-1, init=False)


class Pen:
    """Writes markdown.

    Attributes:
        length: characters written.
        text_end: offset after the last visible text, before closing signs such as a backtick.
        region: the part of the page that comes next; set it at will.
        weight: how good a label the text being written would be (2 heading, 1 text, 0 image).
        cell: true inside a table cell, where blocks become spaces and "|" is escaped.
    """

    def __init__(self) -> None:
        self.length = 0
        self.text_end = 0
        self.region: Region = "main"
        self.weight = 1
        self.cell = False
        self._chunks: list[str] = []
        self._owed = _BLANK
        self._prefixes: list[list[str]] = []  # [sign for the next line, indent of the lines after it]
        self._region: Region | None = None  # of the last text written
        self._regions: list[tuple[Region, int]] = []
        self._marks: list[Mark] = []
        self._waiting: list[Mark] = []
        self._held = 0  # line ends of preformatted text that wait for another line
        self._any_raw = False
        self._code = 0
        self._tick = ""  # "wanted" before the first word of inline code, "open" after it

    def space(self) -> None:
        """Owe a space to the next text."""
        if self._owed == _NONE:
            self._owed = _SPACE

    def text(self, text: str) -> None:
        """Write visible text, white space folded."""
        folded = fold(text)
        if not folded.isprintable():
            folded = fold(visible(folded))
        if self._owed == _NONE and text[:1].isspace():
            self._owed = _SPACE
        if not folded:
            return
        if self.cell and "|" in folded:
            folded = folded.replace("|", "\\|")
        if self._owed == _SPACE and self.region == self._region:
            self._chunks.append(" ")
            self.length += 1
            self._owed = _NONE
        elif self._owed or self.region != self._region:
            self._pay()
        if self._tick == "wanted":
            self._tick = "" if "`" in folded else "open"
            if self._tick:
                self._put("`")
        if self._waiting:
            self._start_marks()
        self._chunks.append(folded)
        self.length += len(folded)
        self.text_end = self.length
        if text[-1].isspace():
            self._owed = _SPACE

    def raw(self, text: str) -> None:
        """Write preformatted text as it is, line ends included; blank lines at its ends are left out."""
        text = visible(text.replace("\r\n", "\n"))
        body = text.strip("\n")
        if not body:
            self._held += len(text)
            return
        held = self._held + len(text) - len(text.lstrip("\n"))
        indent = "\n" + self._indent() if self._prefixes else "\n"
        self._pay()
        if held and self._any_raw:
            self._put(indent * held)
        if self._waiting:
            self._start_marks()
        self._put(body.replace("\n", indent) if self._prefixes else body)
        self.text_end = self.length
        self._any_raw = True
        self._held = len(text) - len(text.rstrip("\n"))

    def open_fence(self, fence: str) -> None:
        """Begin preformatted text."""
        self.block()
        self._pay()
        self._put(fence)
        self._owed = _LINE
        self._held = 0
        self._any_raw = False

    def close_fence(self, fence: str) -> None:
        """End preformatted text."""
        self._put("\n" + self._indent() + fence)
        self._owed = _BLANK

    def sign(self, text: str) -> None:
        """Write something that is not visible text: a rule, a bracket around an image's description."""
        self._pay()
        self._put(text)

    def block(self) -> None:
        """Begin a new block, after a blank line."""
        if self._owed < _BLANK:
            self._break(_BLANK)

    def line_break(self) -> None:
        """Begin a new line within a block."""
        if self._owed < _LINE:
            self._break(_LINE)

    def _break(self, gap: int) -> None:
        if self._marks:
            self.split()
        if self._tick == "open":
            self._put("`")
            self._tick = ""
        if self.cell:
            if self._owed == _NONE:
                self._owed = _SPACE
        elif self._prefixes and self._prefixes[-1][0]:
            self._owed = max(self._owed, _LINE)  # an item begins with its first block
        else:
            self._owed = gap

    def indent(self, sign: str, then: str) -> None:
        """Put `sign` before the next line and `then` before the lines after it, until :meth:`dedent`."""
        deep = len(self._prefixes) >= _MAX_PREFIXES
        self._prefixes.append(["", ""] if deep else [sign, then])

    def dedent(self) -> None:
        """Undo the last :meth:`indent`."""
        self._prefixes.pop()

    def open_code(self) -> None:
        """Begin inline code; none inside a link, whose label stays plain."""
        self._code += 1
        if self._code == 1 and not self._marks:
            self._tick = "wanted"

    def close_code(self) -> None:
        """End inline code."""
        self._code -= 1
        if self._code == 0:
            if self._tick == "open":
                self._put("`")
            self._tick = ""

    def open_mark(self, mark: Mark) -> bool:
        """Begin a link's text; False when too many are open to keep track of."""
        if len(self._marks) >= _MAX_MARKS:
            return False
        self._marks.append(mark)
        self._waiting.append(mark)
        return True

    def close_mark(self, mark: Mark) -> None:
        """End a link's text."""
        self._end_piece(mark)
        self._marks.remove(mark)
        if mark in self._waiting:
            self._waiting.remove(mark)

    def split(self) -> None:
        """End the piece of every open mark; the next text begins another."""
        for mark in self._marks:
            if mark.start >= 0:
                self._end_piece(mark)
                self._waiting.append(mark)

    def begin_cell(self, separator: str) -> None:
        """Begin a table cell after `separator`."""
        self.cell = False
        if self._marks:
            self.split()
        if self._owed == _SPACE:
            self._owed = _NONE
        self.sign(separator)
        self._owed = _FRESH
        self.cell = True

    def end_row(self, after: str) -> None:
        """End a table row; `after` is the separator line under the first one, or ""."""
        self.cell = False
        self._put(" |")
        if after:
            self._put("\n" + self._indent() + after)
        self._owed = _LINE

    def state(self) -> tuple[int, int, int, int]:
        """Return a point to which :meth:`rewind` can go back as long as no text was written."""
        return len(self._chunks), self.length, self.text_end, self._owed

    def rewind(self, state: tuple[int, int, int, int]) -> bool:
        """Take back what was written since `state`, if none of it was text; say whether it was done."""
        if self.text_end != state[2]:
            return False
        del self._chunks[state[0] :]
        self.length, self._owed, self.cell = state[1], state[3], False
        return True

    def since(self, state: tuple[int, int, int, int]) -> str:
        """Return what was written since `state`."""
        return "".join(self._chunks[state[0] :])

    def result(self) -> str:
        """Return the markdown."""
        return "".join(self._chunks)

    def spans(self, most: int) -> tuple[tuple[Region, Span], ...]:
        """Return the regions of the first `most` characters; they cover the markdown without gaps."""
        limit = min(self.length, most)
        starts = [min(start, limit) for _, start in self._regions] + [limit]
        return tuple(
            (region, Span(begin, end))
            for (region, _), begin, end in zip(self._regions, [0, *starts[1:]], starts[1:], strict=False)
            if end > begin
        )

    def _start_marks(self) -> None:
        for mark in self._waiting:
            mark.start = self.length
        self._waiting.clear()

    def _put(self, text: str) -> None:
        self._chunks.append(text)
        self.length += len(text)

    def _pay(self) -> None:
        """Write the white space owed and the prefix of a new line."""
        if self.region != self._region:
            self._region = self.region
            self._regions.append((self.region, self.length))
        owed, self._owed = self._owed, _NONE
        if owed == _SPACE:
            self._put(" ")
        elif owed >= _LINE:
            gap = ("\n\n" if owed == _BLANK else "\n") if self.length else ""
            self._put(gap + self._signs() if self._prefixes else gap)

    def _signs(self) -> str:
        out = ""
        for prefix in self._prefixes:
            out += prefix[0] or prefix[1]
            prefix[0] = ""
        return out

    def _indent(self) -> str:
        return "".join(prefix[1] for prefix in self._prefixes)

    def _end_piece(self, mark: Mark) -> None:
        if 0 <= mark.start < self.text_end:
            mark.pieces.append((mark.start, self.text_end, self.weight))
        mark.start = -1
