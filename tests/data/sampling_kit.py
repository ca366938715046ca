"""Questions about generated websites in a file, each with the ways to its pages and what these say of it."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from webfarer.evals.tasks.world import host_of
from webfarer.web.extract import read_page
from webfarer.worlds.types import WorldSpec
from webfarer.worlds.world import generate


def write_questions(path: Path, number: int) -> Path:
    """Write a file of so many questions, a dozen of each site."""
    rows: Iterator[dict[str, Any]] = chain.from_iterable(_rows(seed) for seed in count(5000))
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in islice(rows, number))
    path.write_text("".join(lines), encoding="utf-8")
    return path


@cache
def _rows(seed: int) -> list[dict[str, Any]]:
    spec = WorldSpec("conference", seed, "en", 60)
    world, root = generate(spec), f"http://{host_of(spec)}"
    texts = {path: read_page(page.html, url=root + path).markdown for path, page in world.pages.items() if page.html}
    rows = []
    for question in world.questions:
        stated = [
            (root + path, next(line for line in texts[path].split("\n") if value in line))
            for path, value in zip(question.gold, question.answers, strict=True)
        ]
        rows.append(
            {
                "id": question.id,
                "question": question.text,
                "answer": question.answer,
                "parts": question.answers,
                "root": f"{root}/",
                "sites": [f"{root}/"],
                "gold": [url for url, _ in stated],
                "paths": question.paths,
                "evidence": [{"url": url, "text": line} for url, line in stated],
            }
        )
    return rows
