"""Runs the reader of risky formats in a process of its own; whatever goes wrong there is an error of the tree here.

The child is a fresh interpreter without this one's environment (no keys). Its bytes and its answer lie in nameless
files: nothing can block on a full pipe, and the kernel bounds the answer. Not a container: it may read what this user
may read. Invariant: when a function here ends, in whatever way, its child has been reaped.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from webfarer.core.errors import FetchError, FetchTimeout, NotReadable, TooLarge

_CHILD = Path(__file__).with_name("document_child.py")


@dataclass(frozen=True, slots=True)
class Confines:
    """What a child may use.

    Attributes:
        memory: bytes of address space.
        seconds: by the clock, and of CPU.
        output: bytes of its answer.
    """

    memory: int = 1_500_000_000
    seconds: float = 20
    output: int = 30_000_000


def _command(kind: str, confines: Confines) -> list[str]:
    limits = (confines.memory, confines.seconds, confines.output)
    return [sys.executable, "-P", "-S", str(_CHILD), kind, *map(str, limits)]


def _environment() -> dict[str, str]:
    """Return an environment with nothing in it but the way to the same packages."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONIOENCODING": "utf-8"}


def read_confined(kind: str, body: bytes, confines: Confines = Confines()) -> dict[str, Any]:
    """Return what the child made of a document of `kind`: `html`, `title`, `date`, `truncated`.

    Raises:
        NotReadable: it holds no text, is damaged or encrypted, or the libraries that read it are not installed.
        FetchTimeout: it took too long.
        TooLarge: it needs more memory, or gives more text, than is allowed.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as made:
        _fill(given, body)
        child = subprocess.Popen(
            _command(kind, confines), stdin=given, stdout=made, stderr=subprocess.DEVNULL, env=_environment()
        )
        try:
            code = child.wait(confines.seconds)
        except subprocess.TimeoutExpired as error:
            raise _late(kind, confines) from error
        finally:
            child.kill()
            child.wait()
        return _result(kind, code, made)


async def read_confined_async(kind: str, body: bytes, confines: Confines = Confines()) -> dict[str, Any]:
    """Like :func:`read_confined`, without holding up the event loop; cancelling it kills the child."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as made:
        _fill(given, body)
        child = await asyncio.create_subprocess_exec(
            *_command(kind, confines), stdin=given, stdout=made, stderr=subprocess.DEVNULL, env=_environment()
        )
        try:
            async with asyncio.timeout(confines.seconds):
                code = await child.wait()
        except TimeoutError as error:
            raise _late(kind, confines) from error
        finally:
            if child.returncode is None:
                child.kill()
                await asyncio.shield(child.wait())
        return _result(kind, code, made)


def _fill(file: IO[bytes], body: bytes) -> None:
    file.write(body)
    file.seek(0)


def _late(kind: str, confines: Confines) -> FetchError:
    return FetchTimeout(f"reading the {kind} document took more than {confines.seconds} s", kind=kind)


def _result(kind: str, code: int, made: IO[bytes]) -> dict[str, Any]:
    if code in (-signal.SIGALRM, -signal.SIGXCPU):
        raise FetchTimeout(f"reading the {kind} document takes too long", kind=kind)
    if code == -signal.SIGXFSZ:
        raise TooLarge(f"the text of the {kind} document is longer than is kept", kind=kind)
    made.seek(0)
    try:
        answer = json.loads(made.read()) if code == 0 else {"error": _crash(code)}
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {"error": "its reader gave no answer"}
    if "missing" in answer:
        raise NotReadable(
            f"reading {kind} documents needs the package {answer['missing']}: pip install 'webfarer[docs]'", kind=kind
        )
    if "error" in answer:
        raise NotReadable(f"the {kind} document cannot be read: {answer['error']}", kind=kind)
    return answer


def _crash(code: int) -> str:
    if code > 0:
        return "the file is damaged"
    return (
        f"its reader crashed ({signal.Signals(-code).name}): the file is damaged, or needs more memory than is allowed"
    )
