"""Bytes to text: what a page declares is believed only as far as its bytes agree.

Order: byte-order mark, HTTP header, meta declaration, UTF-8, a guess. Two deviations from WHATWG, because servers lie:
clear UTF-8 beats a legacy label, and a label whose bytes do not decode gives way to the next candidate.
Source: WHATWG Encoding (labels); WHATWG HTML, "prescan a byte stream"; WHATWG MIME Sniffing (magic bytes).
"""

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PRESCAN = 4096
_SAMPLE = 32_768
_CLEAR = 6  # bytes beyond ASCII from which valid UTF-8 is no accident

# WHATWG names where a browser reads a label as something larger than its name says.
_LABELS = {
    "utf8": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "unicode": "utf-16-le",
    "utf-16": "utf-16-le",
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80", "x-gbk", "chinese", "csgb2312", "gb_2312", "cp936"), "gb18030"),
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "l1", "ascii", "us-ascii", "cp1252"), "windows-1252"),
    **dict.fromkeys(("iso-8859-9", "latin5"), "windows-1254"),
    **dict.fromkeys(("iso-8859-11", "tis-620"), "windows-874"),
    **dict.fromkeys(("sjis", "shift-jis", "x-sjis", "ms_kanji", "windows-31j"), "shift_jis"),
    **dict.fromkeys(("big5-hkscs", "cn-big5", "x-x-big5", "csbig5"), "big5"),
    **dict.fromkeys(("ks_c_5601-1987", "ksc5601", "korean", "windows-949", "csksc56011987"), "euc-kr"),
}
_CODECS = {"shift_jis": "cp932", "big5": "big5hkscs", "euc-kr": "cp949", "windows-874": "cp874"}

_HEADER = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_META = re.compile(rb"<meta\s[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)

_MAGIC = (
    *(b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"PK\x05\x06", b"%PDF-", b"\x1f\x8b\x08", b"BZh9"),
    *(b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"Rar!\x1a\x07", b"RIFF", b"OggS", b"ID3", b"fLaC"),
    *(b"\x7fELF", b"wOFF", b"wOF2", b"SQLite format 3\0", b"II*\0", b"MM\0*", b"%!PS", b"\xd0\xcf\x11\xe0", b"\0asm"),
)


def is_binary(body: bytes, content_type: str = "") -> bool:
    """Say whether the bytes are no text: a known magic number, or NUL bytes where UTF-16 is not declared."""
    if body.startswith(_MAGIC):
        return True
    declared = _label(_HEADER.search(content_type))
    if declared.startswith("utf-16") or any(body.startswith(bom) for bom, _ in _BOMS):
        return False
    return b"\0" in body[:_PRESCAN]


def decode(body: bytes, content_type: str = "") -> tuple[str, str]:
    """Return the text and the WHATWG name of the encoding it was read with; undecodable bytes become U+FFFD."""
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name, "replace"), name
    declared = [name for name in (_label(_HEADER.search(content_type)), _meta(body[:_PRESCAN])) if name]
    utf8 = _strict(body, "utf-8")
    if utf8 is not None and ("utf-8" in declared or not declared or _is_clear(body)):
        return utf8, "utf-8"
    for name in declared:
        if name != "utf-8" and (text := _strict(body, name)) is not None:
            return text, name
    return _best_effort(body, declared)


def _is_clear(body: bytes) -> bool:
    return sum(byte > 127 for byte in body[:_SAMPLE]) >= _CLEAR


def _label(match: re.Match[str] | None) -> str:
    """Return the WHATWG name of a declared label, "" when there is none or Python cannot read it as text."""
    if match is None:
        return ""
    label = match[1].lower()
    name = _LABELS.get(label, label)
    try:
        info = codecs.lookup(_CODECS.get(name, name))
    except (LookupError, ValueError):
        return ""
    # base64, rot13 and the like are codecs too; UTF-7 would let a page smuggle markup past every check.
    return name if getattr(info, "_is_text_encoding", True) and info.name not in ("utf-7", "idna", "punycode") else ""


def _meta(head: bytes) -> str:
    head = _COMMENT.sub(b"", head)
    found = _META.search(head) or _XML.search(head)
    if found is None:
        return ""
    label = _label(_HEADER.search(f"charset={found[1].decode('ascii', 'replace')}"))
    return "utf-8" if label.startswith("utf-16") else label  # it was readable as ASCII, so it cannot be UTF-16


def _strict(body: bytes, name: str) -> str | None:
    decoder = codecs.getincrementaldecoder(_CODECS.get(name, name))("strict")
    try:
        return decoder.decode(body, False)  # not final: a body that was cut may end inside a character
    except (UnicodeError, ValueError):
        return None


def _best_effort(body: bytes, declared: list[str]) -> tuple[str, str]:
    """Take the first declaration (or UTF-8) that fits all but a few of the bytes, else what a detector says."""
    beyond = sum(byte > 127 for byte in body)
    for name in (*declared, "utf-8"):
        text = body.decode(_CODECS.get(name, name), "replace")
        if text.count("�") * 20 <= beyond:
            return text, name
    guess = from_bytes(body[:_SAMPLE]).best()
    name = guess.encoding if guess is not None else "utf-8"
    return body.decode(name, "replace"), name.replace("_", "-")
