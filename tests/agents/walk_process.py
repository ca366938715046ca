"""A process for tests that kill walks: a job a line on stdin, each done in a fork of its own; not a test.

Forking saves the seconds that starting Python takes, so that the moments of the kills fall into the walk itself. The
arguments are modules to load before. Says when it is ready, and how each fork ended.
"""

import asyncio
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from walk_kit import settings

from webfarer.agents.runs import Options, ask, resume, walk
from webfarer.core.trace import read_events


async def do(job: dict[str, Any]) -> None:
    """Begin the job's walk, or its search where it names no site; go on with it where there is one."""
    chosen = settings(Path(job["home"]), **job["settings"])
    log = chosen.home / "runs" / f"{job['run']}.jsonl"
    if log.exists() and not read_events(log):
        log.unlink()  # killed before the first event
    options = Options(settings=chosen, run_id=job["run"])
    if log.exists():
        await resume(job["run"], options=options)
    elif "url" in job:
        await walk(job["url"], job["question"], options=options)
    else:
        await ask(job["question"], options=options)


def say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main() -> None:
    for module in sys.argv[1:]:
        importlib.import_module(module)  # once, not in every fork
    say("ready")
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if not child:
            failed = 1
            try:
                asyncio.run(do(job))
                failed = 0
            finally:
                os._exit(failed)
        if job["kill_after"] is not None:
            time.sleep(job["kill_after"])
            os.kill(child, signal.SIGKILL)  # if it has ended, it is a zombie: its id is still its own
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
