"""WebWalkerQA: questions whose answers lie deep in a website, in English and Chinese; 680 of them, and a silver set.

All copies are read: capitalised keys, lower-case keys, and those without the inner object. Its own setting is "click";
scores with a search engine do not compare with it. Source: Wu et al., "WebWalker: Benchmarking LLMs in Web Traversal",
ACL 2025, arXiv 2501.07572.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row, address_of, checked, rows, stable_id, subset
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.evals.tasks._copies import hub_pages

_LANGUAGES = {"en": "en", "english": "en", "zh": "zh", "chinese": "zh", "中文": "zh", "英文": "en"}
_TYPES = ("single_source", "multi_source")
_DIFFICULTIES = ("easy", "medium", "hard")


class WebWalkerQA:
    """The task."""

    card = Card(
        title="WebWalkerQA",
        source="https://arxiv.org/abs/2501.07572",
        settings=("click", "search", "both", "closed"),
        scorers=("judge", "named", "gold_page", "citations", "actions"),
        hub="callanwu/WebWalkerQA",
        files={"main": "data/main-00000-of-00001.jsonl", "silver": "data/silver-00000-of-00001.jsonl"},
        licence="Apache-2.0",
        blocked=hub_pages("callanwu/WebWalkerQA"),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the split; the subset is "" for all, or a language: "en", "zh"."""
        language = subset(source, self.card, ("en", "zh"))

        def wanted(row: Row) -> Item | None:
            item = _item(row)
            return item if language in ("", item.cells["language"]) else None

        return checked(rows(source, self.card), wanted)

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Answer on the web as it is."""
        return open_web()


def _item(row: Row) -> Item:
    info = row.inner("info")
    question = row.text("question")
    root = address_of(row.text("root_url", "root", "url"), f"{row.place}: 'root_url'")
    return Item(
        id=stable_id(question, root) if row.find("id") in (None, "") else row.text("id"),
        question=question,
        answer=row.text("answer"),
        root=root,
        gold=_pages(info),
        cells={
            "type": _cell(info, ("type", "hop"), _TYPES),
            "difficulty": _cell(info, ("difficulty_level", "difficulty"), _DIFFICULTIES),
            "language": _language(info),
            "domain": str(info.find("domain") or "").strip().lower(),
        },
    )


def _cell(info: Row, names: tuple[str, ...], known: tuple[str, ...]) -> str:
    """Return one of the known values; "Multi-source" and "multi_source" are the same."""
    said = info.text(*names)
    value = said.lower().replace("-", "_").replace(" ", "_")
    if value not in known:
        raise ConfigError(f"{info.place}: {names[0]!r} is {said!r}, not one of {', '.join(known)}", key=names[0])
    return value


def _language(info: Row) -> str:
    """Return "en", "zh", or "" where the row does not say it, as some of the published ones do not."""
    said = str(info.find("lang", "language") or "").strip()
    return _LANGUAGES.get(said.lower(), said)


def _pages(info: Row) -> tuple[str, ...]:
    value: Any = info.find("source_website")
    listed = value if isinstance(value, list) else [value] if value else []
    return tuple(dict.fromkeys(str(url).strip() for url in listed if str(url).strip()))


task = WebWalkerQA()
