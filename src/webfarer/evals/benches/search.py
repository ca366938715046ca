"""Finding an archived page by words of a sentence on it: the index of this package beside the engines it could use.

Every engine ranks the same terms of the same passages, so that recall differs only by its scoring. Measured: building,
opening, disk, latency, whether the page is among the first ten, adding and deleting. Texts: documentation unpacked by
`make sites-large`, filled up with generated websites where it gives too few, in English and in Chinese.
"""

import importlib.util
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from webfarer.evals.bench import BenchOptions, Findings, Row
from webfarer.evals.benches._search_sides import SIDES, ChangingSide, RankBm25, Side
from webfarer.evals.benches._search_texts import KnownItem, Text, documentation, generated, known_items
from webfarer.evals.scoring import Share
from webfarer.worlds.types import Language

_CHANGED = 100  # pages added, and deleted, when changing is measured
_SLOW_QUERIES = 40  # for the engine that scores everything


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"pages": 400, "pages_zh": 300, "queries": 60}

    sites: Path = Field(Path(".cache/sites"), description="Folder with the unpacked packages; may be missing.")
    pages: int = Field(10_000, ge=50, description="Pages in English: documentation, filled up with generated ones.")
    pages_zh: int = Field(1_500, ge=50, description="Pages in Chinese.")
    queries: int = Field(300, ge=2, description="Queries of each language.")


def bench(options: Options) -> Findings:
    """Measure every engine that is installed on both languages."""
    tables: dict[str, list[Row]] = {}
    asked = 0
    for language, most in (("en", options.pages), ("zh", options.pages_zh)):
        texts = _texts(options, "zh" if language == "zh" else "en", most)
        items = known_items(texts, options.queries, options.seed)
        asked += len(items)
        passages = sum(len(text.passages) for text in texts)
        size = sum(len(text.text) for text in texts) / 1e6
        title = f"{language}: {len(texts)} pages, {passages} passages, {size:.1f} M characters, {len(items)} queries"
        tables[title] = [_measure(side, texts, items) for side in SIDES if _installed(side)]
    return Findings(asked, (options.seed,), tables, _headline(tables))


def _texts(options: Options, language: Language, most: int) -> list[Text]:
    texts = documentation(options.sites, most, language == "zh", options.jobs) if options.sites.is_dir() else []
    if len(texts) < most * 0.9:
        texts += generated(most - len(texts), language, options.jobs)
    return texts


def _installed(side: type[Side]) -> bool:
    return not side.package or importlib.util.find_spec(side.package) is not None


def _measure(kind: type[Side], texts: Sequence[Text], items: Sequence[KnownItem]) -> Row:
    items = items[:_SLOW_QUERIES] if kind is RankBm25 else items
    with tempfile.TemporaryDirectory() as folder:
        side = kind(Path(folder))
        build = _seconds(lambda: side.build(texts))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        opened = _seconds(side.open)
        found: list[bool] = []
        times: list[float] = []
        for item in items:
            began = time.perf_counter()
            urls = side.find(item.text)
            times.append(1000 * (time.perf_counter() - began))
            found.append(item.url in urls)
        row: Row = {
            "engine": kind.name,
            "build_s": round(build, 1),
            "open_ms": round(1000 * opened, 1),
            "disk_mb": round(size / 1e6, 1),
            "p50_ms": round(statistics.median(times), 2),
            "p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
            "queries": len(items),
        }
        for asked in ("words", "half a sentence"):
            row[f"{asked}_in_10"] = Share.of(hit for hit, item in zip(found, items, strict=True) if item.kind == asked)
        return row | _changes(side, texts)


def _changes(side: Side, texts: Sequence[Text]) -> Row:
    """Return pages per second deleted and added again, in one change of a full index."""
    if not isinstance(side, ChangingSide):
        return {"add_pages_s": None, "delete_pages_s": None}
    some = texts[:: max(1, len(texts) // _CHANGED)][:_CHANGED]
    deleted = _seconds(lambda: side.delete([text.url for text in some]))
    added = _seconds(lambda: side.add(some))
    return {"add_pages_s": round(len(some) / added), "delete_pages_s": round(len(some) / deleted)}


def _seconds(action: Callable[[], None]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _headline(tables: dict[str, list[Row]]) -> str:
    """Return recall, latency and size of the index, and those of the quickest other engine that can change."""
    said = []
    for title, rows in tables.items():
        ours, *others = [row for row in rows if row["add_pages_s"] is not None]
        quickest = min(others, key=lambda row: float(str(row["p95_ms"])))
        said.append(f"{title.partition(',')[0]}: {_figures(ours)} ({quickest['engine']}: {_figures(quickest)})")
    return f"search finds the page of a sentence among ten; {' | '.join(said)}"


def _figures(row: Row) -> str:
    words, half = row["words_in_10"], row["half a sentence_in_10"]
    shares = ", ".join(share.percent for share in (words, half) if isinstance(share, Share))
    return f"{shares} (five words, half a sentence), p95 {row['p95_ms']} ms, {row['disk_mb']} MB"
