"""Public commands and peers as programs of their own, as benchmarks run them. Nothing here measures."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from webfarer.core.errors import WebfarerError

WEBFARER = (sys.executable, "-c", "from webfarer.apps.cli.main import main; main()")
"""The public command, in this Python."""


def output(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Return what a program prints, run with some variables besides the usual ones.

    Raises:
        WebfarerError: it failed.
    """
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    if done.returncode:
        raise WebfarerError(f"{' '.join(command)} failed: {done.stderr.strip()[-500:]}")
    return done.stdout


def on_host(threads: int) -> dict[str, str]:
    """Return variables that keep a program on so many threads of the processor."""
    return {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""}
