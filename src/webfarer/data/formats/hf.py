"""A folder of Hugging Face datasets with a data set card: whole rows, to be loaded as columns.

Messages are those of the format "messages"; all else a row knows has columns of its own. `load_from_disk` reads it.
Loses the tokens. Not uploaded anywhere: whether the licences of the pages allow that is for a person to say.
"""

import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from webfarer.core.errors import ConfigError, boundary
from webfarer.data.format import Exported, Wish
from webfarer.data.formats._lines import within, write
from webfarer.data.formats.messages import messages_of
from webfarer.data.row import VERSION, Row

_TEXTS = ("id", "question", "text", "kind", "answer", "reference", "licence")
_OBJECTS = ("marks", "cells", "pages", "fare", "made")

_CARD = """---
license: other
task_categories: [question-answering, text-generation]
tags: [agent, web, tool-use]
---
# Training rows of web agents

{count} conversations of agents that answered questions from web pages, in version {version} of Webfarer's row schema.

| What | Rows |
|---|---|
{table}

**Mask.** `weight` is 1 on what the model wrote and could be used, 0 on every other turn of it; observations and
prompts have none. A loss belongs on turns of weight 1 alone, up to and with the token that ends the turn.

**Provenance.** `made` names agent, model, task, run and seed; `pages` the SHA-256 of every page that was read, by
address; `fare` what the attempt cost.

**Licence.** The pages are their authors'. What is known of their licences stands in the column `licence`: {licences}.
"""


class Hf:
    """The format."""

    title: ClassVar[str] = "Hugging Face datasets folder"
    suffix: ClassVar[str] = ""

    def export(self, rows: Iterable[Row], out: Path, wish: Wish) -> Exported:
        """Write the folder.

        Raises:
            ConfigError: there is something at `out`, or the package is missing.
        """
        with boundary(ConfigError, "this format needs the extra: pip install 'webfarer[train]'"):
            from datasets import Dataset, Features, Json, List, Value  # type: ignore[import-untyped]
        if out.exists():
            raise ConfigError(f"{out} is there already; name another folder")
        features = Features(
            {name: Value("string") for name in _TEXTS}
            | {"messages": List(Json()), "tools": List(Json()), "reward": Value("float64"), "version": Value("int32")}
            | {name: Json() for name in _OBJECTS}
        )
        seen: Counter[tuple[str, str]] = Counter()

        def lines(row: Row) -> Iterable[dict[str, Any]]:
            for name, value in (("kind", row.kind), ("agent", row.made.get("agent")), ("model", row.made.get("model"))):
                seen[name, str(value or "unknown")] += 1
            seen["licence", row.licence or "unknown"] += 1
            values = row.model_dump(mode="json", include={*_TEXTS, *_OBJECTS, "reward", "version"})
            return [{**values, "messages": messages_of(row), "tools": list(row.tools)}]

        half = out.with_name(f"{out.name}.part")
        shutil.rmtree(half, ignore_errors=True)
        with boundary(ConfigError, f"writing {out}"):
            try:
                examples, left_out = write(rows, half / "rows.jsonl", within(wish, lines))
                made = Dataset.from_json(str(half / "rows.jsonl"), features=features, cache_dir=str(half / "cache"))
                made.save_to_disk(half / "set")
                (half / "set" / "README.md").write_text(_card(examples, seen))
                (half / "set").replace(out)
            finally:
                shutil.rmtree(half, ignore_errors=True)
        return Exported(examples, left_out, {"columns": list(features)})


def _card(count: int, seen: Counter[tuple[str, str]]) -> str:
    table = "\n".join(f"| {name}: {value} | {rows} |" for (name, value), rows in sorted(seen.items()))
    licences = ", ".join(sorted(value for name, value in seen if name == "licence"))
    return _CARD.format(count=count, version=VERSION, table=table, licences=licences)


format = Hf()
