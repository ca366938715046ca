"""How fast a page is read, beside the libraries people use for it, on the same bytes.

They do not do the same: ours also returns every link with its place, regions and true offsets; trafilatura looks for
the main text and drops the rest; markdownify keeps everything. Sides take turns on each page.
"""

import importlib
import statistics
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from webfarer.evals.bench import Row
from webfarer.web.extract import read_page
from webfarer.worlds.types import WorldSpec
from webfarer.worlds.world import generate

_URL = "http://127.0.0.1/page.html"
Read = Callable[[bytes], str]


class _Reading(NamedTuple):
    """One page read by one side; `chars` is None when it failed."""

    seconds: float
    chars: int | None


def reading_rows(sites: Path, count: int, rounds: int) -> list[Row]:
    """Return a row per kind of page and side, `count` pages of each kind at most."""
    kinds = {"generated": _generated(count), "documentation": _documentation(sites, count)}
    return [row for kind, bodies in kinds.items() if bodies for row in _compare(kind, bodies, rounds)]


def _generated(count: int) -> list[bytes]:
    specs = (WorldSpec("organisation", 1, "en"), WorldSpec("education", 2, "zh"))
    worlds = [[page.html for page in generate(spec).pages.values() if page.html] for spec in specs]
    return [body for pages in worlds for body in pages[: count // 2]]


def _documentation(sites: Path, count: int) -> list[bytes]:
    """Return every k-th page of the unpacked documentation."""
    paths = sorted(path for path in sites.rglob("*.html") if path.is_file() and not path.is_symlink())
    return [path.read_bytes() for path in islice(paths, 0, None, max(1, len(paths) // count))][:count]


def _compare(kind: str, bodies: list[bytes], rounds: int) -> list[Row]:
    readers = _readers()
    sides = {name: read for name, read in readers.items() if read is not None}
    names = list(sides)
    runs: dict[str, list[list[_Reading]]] = {name: [[] for _ in range(rounds)] for name in names}
    for number in range(rounds):
        for place, body in enumerate(bodies):
            shift = (place + number) % len(names)
            for name in names[shift:] + names[:shift]:
                runs[name][number].append(_timed(sides[name], body))
    about: Row = {"pages": kind, "n": len(bodies), "kb_per_page": round(statistics.mean(map(len, bodies)) / 1e3, 1)}
    ours = statistics.median(_speeds(runs["webfarer"]))
    missing: list[Row] = [about | {"reader": f"{name} (not installed)"} for name in readers if name not in sides]
    return [about | _figures(name, runs[name], ours) for name in names] + missing


def _speeds(runs: list[list[_Reading]]) -> list[float]:
    """Return pages per second, by round."""
    return [len(run) / sum(reading.seconds for reading in run) for run in runs]


def _figures(name: str, runs: list[list[_Reading]], ours: float) -> Row:
    speeds = _speeds(runs)
    median = statistics.median(speeds)
    return {
        "reader": name,
        "pages_per_s": round(median, 1),
        "least": round(min(speeds), 1),
        "most": round(max(speeds), 1),
        "webfarer_is_faster": round(ours / median, 1),
        "worst_ms": round(1000 * max(reading.seconds for run in runs for reading in run), 1),
        "out_kb_per_page": round(statistics.mean(reading.chars or 0 for reading in runs[0]) / 1e3, 1),
        "failed": sum(reading.chars is None for reading in runs[0]),
    }


def _timed(read: Read, body: bytes) -> _Reading:
    began = time.process_time()
    try:
        chars = len(read(body))
    except RecursionError:  # markdownify, on deeply nested pages
        chars = None
    return _Reading(time.process_time() - began, chars)


def _readers() -> dict[str, Read | None]:
    """Return all sides, ours first; None for one that is not installed."""
    return {
        "webfarer": lambda body: read_page(body, url=_URL, content_type="text/html").markdown,
        "trafilatura": _trafilatura(),
        "markdownify": _markdownify(),
    }


def _trafilatura() -> Read | None:
    try:
        extract = importlib.import_module("trafilatura").extract
    except ImportError:
        return None
    return lambda body: extract(body, output_format="markdown", include_links=True) or ""


def _markdownify() -> Read | None:
    try:
        convert = importlib.import_module("markdownify").markdownify
    except ImportError:
        return None
    return lambda body: str(convert(body.decode("utf-8", "replace")))
