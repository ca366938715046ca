"""The gate: figures that are the same in every run, each with a floor that it may not fall below.

The lexical agent on generated websites, the index on generated webs, reading against its own floors file. Not a
benchmark: no baselines and no clock. Invariant: a refresh raises floors and adds new ones; it lowers none, and a floor
that nothing measures any more fails.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from webfarer.evals.bench import Row
from webfarer.evals.benches import read, walk
from webfarer.evals.scoring import Share
from webfarer.web.extract import read_page
from webfarer.web.index import Document, Index, main_text
from webfarer.worlds.types import Language
from webfarer.worlds.web import generate_web
from webfarer.worlds.webs_types import WorldWeb

FLOORS = Path(__file__).with_name("gates") / "floors.toml"
_HEADER = (
    "# The least that passes `webfarer eval gate`, by sample. `webfarer eval gate --refresh` raises these figures.\n"
)
_WALKS = {"pages": "Gold pages opened, by difficulty", "answers": "Answers right, by difficulty"}
_POLICY = "lexical"
_READING = "reading "  # their floors are in a file of their own, see :func:`read.floors`
_OURS = "webfarer"
_HITS = 10
_DIGITS = 4


class Sample(NamedTuple):
    """How much is measured."""

    worlds: int
    webs: int
    pages: int
    documents: int


SAMPLES = {"quick": Sample(2, 1, 20, 1), "full": Sample(12, 2, 40, 2)}


class Measure(NamedTuple):
    """One figure; higher is better. `value` is None when nothing measures it, `floor` when it has none yet."""

    name: str
    value: float | None
    floor: float | None

    @property
    def ok(self) -> bool:
        """Whether it passes: it is measured, and not below its floor."""
        return self.value is not None and (self.floor is None or self.value >= self.floor)


class Outcome(NamedTuple):
    """What the gate found; `raised` names the floors that a refresh raised or added."""

    measures: list[Measure]
    raised: list[str]

    @property
    def passed(self) -> bool:
        """Whether every figure passes."""
        return all(measure.ok for measure in self.measures)

    def __str__(self) -> str:
        lines = [
            f"{'ok  ' if m.ok else 'FAIL'} {_figure(m.value)}  floor {_figure(m.floor)}  {m.name}"
            for m in self.measures
        ]
        below = sum(not measure.ok for measure in self.measures)
        said = f"gate: {len(lines)} figures, {below} below the floor" + (
            f", {len(self.raised)} raised" if self.raised else ""
        )
        return "\n".join([*lines, said])


def gate(refresh: bool = False, quick: bool = False, path: Path = FLOORS) -> Outcome:
    """Measure everything against its floor; with `refresh`, then raise the floors that were passed.

    Takes under a minute on two cores; not inside a running event loop.
    """
    sample = "quick" if quick else "full"
    measures = check(quick, path)
    raised = []
    if refresh:
        every = floors(path)
        kept, found = every.get(sample, {}), {m.name: m.value for m in measures if m.value is not None}
        higher = raise_floors(kept, {name: value for name, value in found.items() if not name.startswith(_READING)})
        raised = [name for name, value in higher.items() if kept.get(name) != value]
        _write(path, {**every, sample: higher})
    return Outcome(measures, raised)


def check(quick: bool = False, path: Path = FLOORS) -> list[Measure]:
    """Return every figure with its floor, those that have a floor and are not measured too."""
    sample = SAMPLES["quick" if quick else "full"]
    found = dict([*_walking(sample), *_searching(sample)])
    kept = floors(path).get("quick" if quick else "full", {})
    names = dict.fromkeys([*found, *kept])
    return [*(Measure(name, found.get(name), kept.get(name)) for name in names), *_reading(sample)]


def floors(path: Path = FLOORS) -> dict[str, dict[str, float]]:
    """Return the floors by sample and name."""
    table: dict[str, dict[str, float]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return table


def raise_floors(kept: Mapping[str, float], found: Mapping[str, float]) -> dict[str, float]:
    """Return the floors after a refresh: of each the higher figure."""
    return {name: max(values.get(name, float("-inf")) for values in (kept, found)) for name in {**kept, **found}}


def _write(path: Path, every: Mapping[str, Mapping[str, float]]) -> None:
    parts = [_HEADER]
    for sample, kept in every.items():
        lines = (f"{json.dumps(name, ensure_ascii=False)} = {value!r}\n" for name, value in sorted(kept.items()))
        parts.append(f"\n[{sample}]\n{''.join(lines)}")
    path.write_text("".join(parts), encoding="utf-8")


def _walking(sample: Sample) -> Iterator[tuple[str, float]]:
    """Yield the shares of gold pages and answers that the lexical agent finds, by dial and language."""
    tables = walk.bench(walk.Options(worlds=sample.worlds, policies=(_POLICY,), jobs=2)).tables
    for what, title in _WALKS.items():
        for row in tables[title]:
            if isinstance(share := row["all"], Share):
                yield f"walk, dial {row['dial']}, {row['language']}: {what}", share.share


def _searching(sample: Sample) -> Iterator[tuple[str, float]]:
    """Yield how often the index finds the page of a planted fact, and the page a question begins with."""
    for language in get_args(Language):
        facts: list[int] = []
        starts: list[int] = []
        for seed in range(1, sample.webs + 1):
            web = generate_web(seed, language=language)
            index = _indexed(web)
            facts += [_rank(index, f"{f.subject} {f.attribute}", f.url) for f in web.facts if f.current]
            starts += [_rank(index, question.text, question.gold[0]) for question in web.questions]
            index.close()
        yield f"search, {language}: page of a fact in first place", _share(facts, 1)
        yield f"search, {language}: page of a fact in the first {_HITS}", _share(facts, _HITS)
        yield f"search, {language}: first page of a question in the first {_HITS}", _share(starts, _HITS)


def _indexed(web: WorldWeb) -> Index:
    index = Index()
    read_pages = ((url, read_page(html, url=url, content_type="text/html")) for url, _, html in web.pages())
    index.add(Document(url, url, page.title, main_text(page), page.language, page.date) for url, page in read_pages)
    return index


def _rank(index: Index, query: str, url: str) -> int:
    """Return the place of a page among the first hits, from 1; a place after all of them when it is not there."""
    hits = [hit.url for hit in index.search(query, _HITS)]
    return hits.index(url) + 1 if url in hits else _HITS + 1


def _share(ranks: list[int], most: int) -> float:
    return round(sum(rank <= most for rank in ranks) / len(ranks), _DIGITS)


def _reading(sample: Sample) -> Iterator[Measure]:
    """Yield our own figures of the reading benchmark, on generated pages and documents alone."""
    options = read.Options(pages=sample.pages, documents=sample.documents, sites=Path("no-documentation"))
    rows: list[Row] = [row for rows in read.bench(options).tables.values() for row in rows]
    for row in rows:
        if row["reader"] == _OURS:
            kind = str(row.get("pages") or row.get("format"))
            for measure, least in read.floors()[kind].items():
                value = row[measure]
                yield Measure(f"{_READING}{kind}: {measure}", value if isinstance(value, float) else None, least)


def _figure(value: float | None) -> str:
    return "   –  " if value is None else f"{value:.4f}"
