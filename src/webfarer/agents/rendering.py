"""The formats a report can be written in, and what all of them owe its reader: nothing a website wrote is active.

Every string of a report is untrusted. A renderer escapes all of them, emits no image and nothing that loads by itself,
and links to the report's sources only. Source: OWASP, "Cross-Site Scripting Prevention Cheat Sheet".
"""

import unicodedata
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import quote, urlsplit

from webfarer.agents.reports import Report
from webfarer.core.errors import ConfigError
from webfarer.core.registry import Seam

RENDERERS = Seam("webfarer.agents.renderers", "renderer", "report format")

_UNFIT = ("Cc", "Cs", "Cn")  # control characters, halves of pairs, no characters at all
_URL_SIGNS = "!#$&'*+,/:;=?@[]~%"
# what makes a text read other than it is written
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


class Renderer(Protocol):
    """One format. Modules of the seam define `renderer`, an object of this kind.

    Attributes:
        suffix: of its files, with the dot.
        needs: the module of the extra `docs` without which it cannot work, or "".
    """

    suffix: ClassVar[str]
    needs: ClassVar[str]

    def render(self, report: Report) -> bytes:
        """Return the file."""
        ...


def renderer_for(path: Path) -> Renderer:
    """Return the renderer of the format that the name of `path` asks for.

    Raises:
        ConfigError: there is none, or what it needs is not installed.
    """
    known: dict[str, Renderer] = {}
    for name in RENDERERS.ids():
        renderer: Renderer = RENDERERS.load(name)
        known[renderer.suffix] = renderer
    chosen = known.get(path.suffix.lower())
    if chosen is None:
        raise ConfigError(f"cannot write a report to {path.name!r}: its name must end in {', '.join(sorted(known))}")
    if chosen.needs and find_spec(chosen.needs) is None:
        raise ConfigError(f'a {chosen.suffix} file needs more packages: pip install "webfarer[docs]"')
    return chosen


def clean(text: str) -> str:
    """Return `text` on one line, without control characters and what else no file format or reader can bear."""
    kept = (ch for ch in text if ch.isspace() or (ch not in _TURNING and unicodedata.category(ch) not in _UNFIT))
    return " ".join("".join(kept).split())


def safe_link(url: str) -> str:
    """Return `url` such that it can stand in any format; "" unless it is a plain http or https address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    return quote(url, safe=_URL_SIGNS) if parts.scheme in ("http", "https") and host and "@" not in parts.netloc else ""
