"""A draft model in a process of its own: it drafts while this interpreter is busy with something else.

Threads share an interpreter, and a small model is mostly Python: in threads, drafts and passes only take turns. Not
another way of drafting: the process runs the same drafter, one for each drafter that uses it.
Invariant: a draft is all that is waited for; a process that has ended fails drafts and nothing else. It ends when the
last drafter that uses it is gone, and with the process that began it.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, NamedTuple, cast
from weakref import WeakValueDictionary, finalize

import torch

from webfarer.core.errors import ConfigError, WebfarerError, boundary
from webfarer.engine.caches.full import Policy
from webfarer.engine.drafters.model import Drafter as ModelDrafter
from webfarer.engine.drafting import Ask, Draft, Drafter
from webfarer.engine.loading import Loaded, load
from webfarer.engine.sampling import SamplingParams

_ENDING = 5.0
"""Seconds a process has to end by itself."""
_PROMPT = tuple([1] * 24)


class Model(NamedTuple):
    """What a process drafts with: a folder, the type of its numbers as text, where it runs, the target's vocabulary."""

    folder: str
    dtype: str
    device: str
    vocab: int

    @classmethod
    def of(cls, folder: str, target: Loaded) -> "Model":
        """Return how to draft for a target with the model in a folder."""
        spec = target.spec
        place = str(Path(folder).expanduser().resolve())
        return cls(place, str(spec.dtype).removeprefix("torch."), str(spec.device), spec.vocab)


class Helper:
    """A process that drafts with one model, a draft at a time.

    Raises:
        ConfigError: it did not start.
    """

    def __init__(self, model: Model) -> None:
        path = os.pathsep.join(sys.path)  # what can be imported here can be imported there
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._to = cast("BinaryIO", self._process.stdin)
        self._from = cast("BinaryIO", self._process.stdout)
        self._telling, self._asking, self._numbers = Lock(), Lock(), count()
        finalize(self, _end, self._process)
        with boundary(ConfigError, f"starting a process that drafts with {model.folder}"):
            self._say(tuple(model))
            pickle.load(self._from)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def number(self) -> int:
        """Return a number for a drafter of the process."""
        return next(self._numbers)

    def tell(self, drafter: int, method: str, *arguments: object) -> None:
        """Have a method of a drafter called, without waiting for it; an error shows when a draft is asked for."""
        self._say((drafter, method, arguments))

    def ask(self, drafter: int, asks: Sequence[Ask]) -> list[Draft]:
        """Have a drafter draft, and wait for it.

        Raises:
            WebfarerError: it failed, then or before.
            EOFError, OSError: the process has ended.
        """
        with self._asking:
            self._say((drafter, "propose", (asks,)))
            reply = pickle.load(self._from)
        if isinstance(reply, str):
            raise WebfarerError(reply)
        return cast("list[Draft]", reply)

    def forget(self, drafter: int) -> None:
        """Let go of a drafter."""
        with suppress(OSError, ValueError):  # the process has ended, or the pipe was closed
            self.tell(drafter, "forget")

    def _say(self, message: tuple[object, ...]) -> None:
        with self._telling:
            self._to.write(pickle.dumps(message))
            self._to.flush()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process: it does so itself when nothing can be said to it any more."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    try:
        process.wait(_ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


_HELPERS: WeakValueDictionary[Model, Helper] = WeakValueDictionary()


def helper(model: Model) -> Helper:
    """Return the process that drafts with a model, begun now or in use already; it lives as long as what is returned.

    Raises:
        ConfigError: it did not start.
    """
    found = _HELPERS.get(model)
    if found is None:
        found = _HELPERS[model] = Helper(model)
    return found


class Apart(Drafter):
    """Drafts by way of a process.

    Args:
        process: drafts.
        rows: how many there may be.
    """

    def __init__(self, process: Helper, rows: int) -> None:
        self._process, self._number = process, process.number()
        process.tell(self._number, "make", rows)
        finalize(self, process.forget, self._number)

    @classmethod
    def make(cls, argument: str, target: Loaded, rows: int) -> "Apart":
        """Draft in a process with the model in the folder `argument`, which goes with the target."""
        return cls(helper(Model.of(argument, target)), rows)

    def open(self, prompts: Sequence[tuple[int, ...]], limits: Sequence[int]) -> None:
        """Take rows."""
        self._process.tell(self._number, "open", prompts, limits)

    def propose(self, asks: Sequence[Ask]) -> list[Draft]:
        """Wait for a draft for every row; others may work meanwhile."""
        return self._process.ask(self._number, asks)

    def settle(self, asks: Sequence[Ask]) -> None:
        """Say what the texts are now."""
        self._process.tell(self._number, "settle", asks)

    def close(self, row: int) -> None:
        """Give a row up."""
        self._process.tell(self._number, "close", row)


class _Desk:
    """The drafters of this process, by number, and what went wrong with them."""

    def __init__(self, model: Model) -> None:
        self._loaded, self._vocab = load(model.folder, model.dtype, model.device), model.vocab
        self._drafters: dict[int, ModelDrafter] = {}
        self._failed: dict[int, str] = {}
        # what is slow only once is over before anybody waits
        for method, arguments in (
            ("make", (1,)),
            ("open", ([_PROMPT], [8])),
            ("propose", ([Ask(_PROMPT, [1], SamplingParams(), (1,) * 4)],)),
            ("forget", ()),
        ):
            self.do(0, method, arguments)

    def do(self, number: int, method: str, arguments: tuple[Any, ...]) -> list[Draft] | str | None:
        """Do what is asked; a draft, or the first thing that went wrong, is the answer where one is waited for."""
        result = None
        try:
            with boundary(WebfarerError, "drafting in another process"), torch.inference_mode():
                if method == "make":
                    self._drafters[number] = ModelDrafter(self._loaded, Policy(), arguments[0], self._vocab)
                elif method == "forget":
                    self._drafters.pop(number, None)
                    self._failed.pop(number, None)
                elif number not in self._failed:
                    result = getattr(self._drafters[number], method)(*arguments)
        except WebfarerError as error:
            self._failed[number] = str(error)
        return self._failed.get(number, result) if method == "propose" else None


def serve() -> None:
    """Draft for the process that began this one, until it closes the pipe."""
    replies, asks = os.fdopen(os.dup(sys.stdout.fileno()), "wb"), sys.stdin.buffer
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print would stand between replies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that began this one
    torch.set_num_threads(1)  # other cores are the target's
    with suppress(EOFError, BrokenPipeError):
        desk = _Desk(Model(*pickle.load(asks)))
        reply: object = "ready"
        while True:
            if reply is not None:
                replies.write(pickle.dumps(reply))
                replies.flush()
            reply = desk.do(*pickle.load(asks))


if __name__ == "__main__":
    serve()
