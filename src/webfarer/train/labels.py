"""The queue of items that people label, and what they said, in the folder of one learning or of several.

Everybody has a log of their own, so several may work at once; the learnings read them all and need no lock, and nobody
is asked twice. Not a face: it never prints or asks. Invariant: no line of a log is ever rewritten; an answer that was
taken back is one more line, and one that a learning has taken cannot be taken back.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from webfarer.core.errors import ConfigError
from webfarer.data.log import Log, read_log
from webfarer.data.review import Agreement, agreement
from webfarer.evals.records import put
from webfarer.train.oracle import Said
from webfarer.train.pool import PoolItem, admitted, final_answer

TAKEN = "labels.jsonl"
"""What a learning has taken: its store of labels, in its folder."""

_NAME = re.compile(r"[^\W_][\w .-]{0,39}")
_TURN = {"turns": 1.0}


class Queue:
    """What is asked of people, and what they have said so far.

    Args:
        folder: of the learning, or of the folders of several.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._items, self._guidelines = folder / "queue.jsonl", folder / "guidelines.txt"

    def extend(self, items: Sequence[PoolItem], guidelines: str) -> None:
        """Put those items in that are not there yet.

        Raises:
            ConfigError: another item has the id of one, as with generated pools of several seeds.
        """
        known = {item.id: item for item in self.items}
        if twice := [item.id for item in items if known.setdefault(item.id, item) != item]:
            other = "take another folder, or one seed"
            raise ConfigError(f"{self.folder} asks for something else under the id {twice[0]!r}; {other}")
        put(self._items, "".join(f"{item.model_dump_json()}\n" for item in known.values()).encode())
        if not self._guidelines.exists():
            put(self._guidelines, f"{guidelines}\n".encode())

    @property
    def items(self) -> list[PoolItem]:
        """Everything that was ever asked, in order."""
        return read_log(self._items, PoolItem)

    @property
    def guidelines(self) -> str:
        """What people are told; the file may be edited."""
        return self._guidelines.read_text(encoding="utf-8").strip() if self._guidelines.exists() else ""

    @property
    def taken(self) -> set[str]:
        """Items that a learning has an answer of, or a refusal."""
        stores = [self.folder / TAKEN, *sorted(self.folder.glob(f"*/{TAKEN}"))]
        return {said.item for store in stores for said in read_log(store, Said)}

    def said(self) -> dict[str, dict[str, Said]]:
        """Return what stands, by person and item."""
        logs = sorted((self.folder / "people").glob("*.jsonl"))
        return {log.stem: standing(read_log(log, Said)) for log in logs}


class Labelling:
    """One person at work on a queue; closed at the end, used as a context manager.

    Raises:
        ConfigError: nobody is asked anything there, the name is none, or the person is at work elsewhere.
    """

    def __init__(self, folder: Path, person: str) -> None:
        self.person = " ".join(person.split())
        if not _NAME.fullmatch(self.person):
            raise ConfigError(f"{person!r} is no name: letters, digits, spaces, dots and dashes, 40 at most")
        self.queue = Queue(folder)
        if not self.items:
            raise ConfigError(
                f"{folder} asks nobody anything yet; `webfarer train star … --oracle human --out {folder}` does"
            )
        busy = f"{self.person} is labelling in {folder} already; end that, or take another name"
        self._log = Log(folder / "people" / f"{self.person}.jsonl", Said, busy)

    def __enter__(self) -> "Labelling":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the person work elsewhere."""
        self._log.close()

    @property
    def items(self) -> dict[str, PoolItem]:
        """All that was ever asked, which may become more while the person works."""
        return {item.id: item for item in self.queue.items}

    def next(self) -> PoolItem | None:
        """Return the first item that waits for this person's answer; None when there is none."""
        mine, taken = standing(self._log.entries), self.queue.taken
        return next((item for name, item in self.items.items() if name not in mine and name not in taken), None)

    def answer(self, item: str, text: str) -> None:
        """Label the item that is next.

        Raises:
            ConfigError: another one is next, or the text is none, or none of the choices.
        """
        wanted = self._open(item)
        if text.encode(errors="ignore").decode() != text:
            raise ConfigError("that is no text in UTF-8; type it again")
        answer = admitted(wanted, text)
        if not answer:
            one_of = f"one of: {', '.join(wanted.choices)}" if wanted.choices else "no empty text"
            raise ConfigError(f"an answer is {one_of}")
        self._log.append(Said(item=item, answer=answer, by=self.person, cost=_TURN))

    def skip(self, item: str) -> None:
        """Refuse the item that is next.

        Raises:
            ConfigError: another one is next.
        """
        self._open(item)
        self._log.append(Said(item=item, answer="", by=self.person, cost=_TURN, word="skip"))

    def undo(self) -> PoolItem | None:
        """Take this person's last word back and return its item, which is asked again; None where that cannot be."""
        last = next(reversed(standing(self._log.entries).values()), None)
        if last is None or last.item in self.queue.taken:
            return None
        self._log.append(Said(item=last.item, answer="", by=self.person, word="undo"))
        return self.items[last.item]

    @property
    def progress(self) -> dict[str, int]:
        """How many items this person answered and skipped, and how many are left."""
        mine = standing(self._log.entries)
        words = Counter(said.word for said in mine.values())
        left = self.items.keys() - mine.keys() - self.queue.taken
        return {"answered": words["label"], "skipped": words["skip"], "left": len(left)}

    def agreements(self) -> dict[str, Agreement]:
        """Compare this person with everybody else, on the items that neither skipped."""
        said = self.queue.said()
        mine, items = said.pop(self.person, {}), self.items
        return {name: _agreement(items, mine, theirs) for name, theirs in said.items() if theirs}

    def _open(self, item: str) -> PoolItem:
        wanted = self.next()
        if wanted is None or wanted.id != item:
            raise ConfigError("that item is not the one that is asked now")
        return wanted


def standing(log: Sequence[Said]) -> dict[str, Said]:
    """Return one person's words that were not taken back, by item, in the order of their saying."""
    words: dict[str, Said] = {}
    for said in log:
        words.pop(said.item, None)
        if said.word != "undo":
            words[said.item] = said
    return words


def _agreement(items: Mapping[str, PoolItem], mine: Mapping[str, Said], theirs: Mapping[str, Said]) -> Agreement:
    both = [item for item in mine if item in theirs and mine[item].word == theirs[item].word == "label"]

    def meant(said: Mapping[str, Said], item: str) -> str:
        return final_answer(said[item].answer, items[item].choices)

    return agreement([(meant(mine, item), meant(theirs, item)) for item in both])
