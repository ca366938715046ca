"""LaMP: what a person would write, judged by what that person wrote; the reader that its seven tasks share.

A path is the folder of `dev_questions.json` and `dev_outputs.json` (or `train_…`), or the questions file beside its
outputs. The subset is how many entries of the user's profile come before the question, the best by BM25; none without.
Test outputs are not published. Source: Salemi et al., "LaMP", ACL 2024, arXiv 2304.11406.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.core.text import BM25, words
from webfarer.evals.sources import Row, as_rows, checked, locate, read
from webfarer.evals.task import Card, Changes, Item, Source, open_web

_ENTRY = 600  # characters of a profile entry that are shown


class LaMP:
    """One of the tasks.

    Args:
        name: as its outputs file says ("LaMP_3").
        about: what is asked, for its title.
        scorers: ids.
        labels: of a classification, else ().
    """

    def __init__(self, name: str, about: str, scorers: tuple[str, ...], labels: tuple[str, ...] = ()) -> None:
        self.card = Card(
            title=f"{name.replace('_', '-')}, {about}",
            source="https://arxiv.org/abs/2304.11406",
            settings=("closed",),
            scorers=scorers,
            files={"dev": "dev_questions.json", "train": "train_questions.json"},
        )
        self._name, self._labels = name, labels

    async def items(self, source: Source) -> list[Item]:
        """Read questions and outputs."""
        if source.subset and not source.subset.isdecimal():
            raise ConfigError(f"no subset {source.subset!r} of LaMP; give a number of profile entries, such as 4")
        path = locate(source, self.card)
        golds = self._golds(path.with_name(path.name.replace("questions", "outputs")))
        return checked(read(path), lambda row: self._item(row, golds, int(source.subset or 0)))

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Nothing of the web is needed."""
        return open_web()

    def _golds(self, path: Path) -> dict[str, str]:
        """Return the outputs by id.

        Raises:
            ConfigError: the file is missing, of another task, or of another form.
        """
        if not path.is_file():
            raise ConfigError(f"{path} is missing: it holds the answers")
        file = next(read(path), None)
        if file is None:
            raise ConfigError(f"{path} is empty: it should hold the answers")
        said = file.text("task")
        if said.replace("-", "_") != self._name:
            raise ConfigError(f"{path} is of the task {said!r}, not of {self._name}")
        listed = file.get("golds")
        if not isinstance(listed, list):
            raise ConfigError(f"{path}: 'golds' is no list")
        return {row.text("id"): row.text("output") for row in as_rows(path, enumerate(listed, 1))}

    def _item(self, row: Row, golds: Mapping[str, str], entries: int) -> Item:
        name, asked = row.text("id"), row.text("input")
        if name not in golds:
            raise ConfigError(f"{row.place}: the outputs have no {name!r}", row=row.number)
        if self._labels and golds[name] not in self._labels:
            raise ConfigError(f"{row.place}: its output {golds[name]!r} is none of the labels", row=row.number)
        shown = _nearest(row, asked, entries)
        before = "".join(f"- {entry}\n" for entry in shown)
        return Item(
            id=name,
            question=f"From the same person:\n{before}\n{asked}" if shown else asked,
            answer=golds[name],
            data={"labels": list(self._labels)} if self._labels else {},
        )


def _nearest(row: Row, asked: str, count: int) -> list[str]:
    """Return the entries of the profile that share most with what is asked, the best first."""
    if not count:
        return []
    profile = row.get("profile")
    if not isinstance(profile, list) or not all(isinstance(entry, dict) for entry in profile):
        raise ConfigError(f"{row.place}: 'profile' is no list of entries", row=row.number, key="profile")
    texts = [_told(entry) for entry in profile]
    ranking = BM25()
    for text in texts:
        ranking.add(words(text))
    scores = ranking.scores(words(asked))
    return [texts[at] for at in sorted(range(len(texts)), key=lambda at: (-scores[at], at))[:count]]


def _told(entry: Mapping[str, Any]) -> str:
    fields = (f"{name}: {str(value)[:_ENTRY]}" for name, value in entry.items() if name not in ("id", "date"))
    return "; ".join(fields).replace("\n", " ")
