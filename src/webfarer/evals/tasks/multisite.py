"""Questions over several sites in the format of MMInA and WebArena: an intent, where to start, the answer.

Carried over are the text tasks: `intent`, `start_url` (the first of several; all in the item's data), `sites`, and the
string answers of `eval.reference_answers`: exact_match is the whole answer, must_include its parts, fuzzy_match a
reference for a judge. Left out are tasks checked by address or page content alone, images, logins and actions, so that
no figure compares with the published ones. Source: Zhang et al., "MMInA", 2024, arXiv 2404.09992.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, address_of, checked, read
from webfarer.evals.task import Card, Changes, Item, Source, open_web

_TABS = "|AND|"


class MultiSite:
    """The task; a path is a JSONL or JSON file of tasks, or a folder with a JSON file for each; a subset, one below."""

    card = Card(
        title="MMInA, text tasks",
        source="https://arxiv.org/abs/2404.09992",
        settings=("both", "search", "click"),
        scorers=("named", "actions"),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the tasks that have a string answer."""
        if source.path is None:
            raise ConfigError("multisite is on no hub that can be read; give its file or folder with --path")
        path = source.path / source.subset if source.subset else source.path
        return checked(_rows(path), _item)

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Answer on the sites as they are."""
        return open_web()


def _rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file, or of a folder's files in the order of their numbers."""
    if not path.is_dir():
        yield from read(path)
        return
    files = sorted(path.glob("*.json"), key=lambda file: (not file.stem.isdigit(), file.stem.zfill(9)))
    if not files:
        raise ConfigError(f"{path} holds no JSON file; give a folder of tasks, such as that of one subset")
    for file in files:
        yield from read(file)


def _item(row: Row) -> Item | None:
    """Return the item, or None for a task without a string answer."""
    known = row.inner("eval").find("reference_answers")
    if not isinstance(known, dict) or not any(known.values()):
        return None
    parts = _strings(known.get("must_include"))
    whole = _strings(known.get("exact_match")) or _strings(known.get("fuzzy_match"))
    starts = tuple(url.strip() for url in row.text("start_url").split(_TABS))
    for url in starts:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{row.place}: put an address in the place of the start_url {url!r}", row=row.number)
        address_of(url, f"{row.place}: 'start_url'")
    sites = row.find("sites") or []
    hops = len(sites) if isinstance(sites, list) and sites else len(starts)
    return Item(
        id=row.text("task_id", "id"),
        question=row.text("intent", "question"),
        answer=whole[0] if whole else "; ".join(parts),
        parts=parts,
        root=starts[0],
        cells={"type": f"{hops} {'site' if hops == 1 else 'sites'}"},
        data={"start": list(starts), "sites": list(map(str, sites)) if isinstance(sites, list) else []},
    )


def _strings(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value] if value else []
    return tuple(str(each).strip() for each in listed if str(each).strip())


task = MultiSite()
