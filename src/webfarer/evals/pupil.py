"""Pupils: small models trained here and shipped with the package, so that a benchmark has something real to decode.

Not useful for anything but exams and puzzles. A pupil is a folder that transformers loads without a network; its card
says how it was made and how it scores with the full cache.
"""

from pathlib import Path

from webfarer.core.errors import UnknownPlugin

_ROOT = Path(__file__).with_name("pupils")
_CARD = "card.json"


def pupils() -> list[str]:
    """Return the names of all pupils, sorted."""
    return sorted(path.parent.name for path in _ROOT.glob(f"*/{_CARD}"))


def folder(name: str) -> Path:
    """Return the folder of a pupil.

    Raises:
        UnknownPlugin: there is none of this name; the message lists the known ones.
    """
    if name not in pupils():
        raise UnknownPlugin(f"unknown pupil {name!r}; known: {', '.join(pupils())}")
    return _ROOT / name
