"""A format that training rows are exported to.

Not a place to decide what is trained on: rows say that. Invariant: an export either holds every row or says which one
it cannot hold, and why; nothing is cut in silence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from webfarer.core.registry import Seam
from webfarer.data.row import Row

FORMATS = Seam("webfarer.data.formats", "format", "format")


@dataclass(frozen=True, slots=True)
class Wish:
    """How rows are to be exported.

    Attributes:
        tokenizer: folder of the tokenizer whose chat template is used, for formats that hold text or tokens of one.
        longest: most tokens of an example; 0 for no limit. A longer one is an error, not cut.
    """

    tokenizer: Path | None = None
    longest: int = 0


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export came to: examples written, rows left out with the reason, and figures worth knowing."""

    examples: int
    left_out: dict[str, str]
    figures: dict[str, Any]


class Format(Protocol):
    """A format. Modules of the seam define `format`, an object of this kind."""

    title: ClassVar[str]
    suffix: ClassVar[str]
    """Of the file it writes; "" for a folder."""

    def export(self, rows: Iterable[Row], out: Path, wish: Wish) -> Exported:
        """Write rows, whole or not at all.

        Raises:
            ConfigError: something is missing that the format needs.
        """
        ...
