"""Evaluations over the nodes of a Ray cluster: attempts are made anywhere, their traces come home as each one ends.

Ray spreads them. A node needs no disk in common with ours: the pages that an attempt read come home with its traces.
Attempts that were begun here are ended here. When this process is killed, the attempts under way elsewhere are lost, as
many as the nodes' jobs, and no other.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from webfarer.core.errors import ConfigError, WebfarerError
from webfarer.core.trace import read_events
from webfarer.evals.records import Folder, Result, attempt_id, put
from webfarer.evals.shares import Hear, Work, carry_out
from webfarer.evals.task import Item
from webfarer.web.archive import Archive, Packed

_LOSSES = 3  # processes that may die over one share

Files = Mapping[str, bytes]
"""Traces by their path within a run's folder."""


def over_ray(works: Sequence[Work], hear: Hear) -> None:
    """Make the attempts on the cluster that `RAY_ADDRESS` names, else on one started on this machine.

    Raises:
        ConfigError: Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ConfigError("a Ray cluster needs one more package: pip install 'webfarer[ray]'") from error
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    # Ray would begin a share again from its first item; here it goes on after the last that came home
    make = ray.remote(scheduling_strategy="SPREAD", num_returns="streaming", max_retries=0)(_elsewhere)
    streams: dict[Any, tuple[Work, int]] = {}

    def begin(work: Work, losses: int) -> None:
        begun, fresh = _parted(work)
        if begun:
            carry_out(replace(work, items=begun), hear)
        if fresh:
            streams[make.remote(replace(work, items=fresh))] = work, losses

    for work in works:
        begin(work, 0)
    with ExitStack() as stack:
        archives = {each: stack.enter_context(Archive(each / "archive.db")) for each in {work.folder for work in works}}
        while streams:
            stream: Any = ray.wait(list(streams), num_returns=1)[0][0]
            work, losses = streams[stream]
            try:
                result, files, pages = ray.get(next(stream))
            except StopIteration:
                del streams[stream]
                continue
            except ray.exceptions.WorkerCrashedError as error:
                del streams[stream]
                if losses == _LOSSES:
                    raise WebfarerError("processes of the cluster keep dying; what is done stays") from error
                begin(work, losses + 1)
                continue
            archives[work.folder].take(pages)
            for name, content in files.items():
                put(work.folder / name, content)
            hear(result)


def _parted(work: Work) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return the unfinished items of which something has been done here, and those of which nothing has."""
    folder = Folder(work.folder)
    begun: list[Item] = []
    fresh: list[Item] = []
    for item in work.items:
        runs = [attempt_id(item.id, number) for number in range(1, work.plan.runs + 1)]
        if not all(map(folder.finished, runs)):
            (begun if any(folder.trace(run).exists() for run in runs) else fresh).append(item)
    return tuple(begun), tuple(fresh)


def _elsewhere(work: Work) -> Iterator[tuple[Result, Files, list[Packed]]]:
    """Make a share of the attempts on this node; yield each result as it ends, with both traces and what was read."""
    with tempfile.TemporaryDirectory(prefix="webfarer-") as place:
        folder = Folder(Path(place))
        folder.begin(work.plan, list(work.items))
        settings = work.settings.model_copy(update={"home": folder.path})
        results: SimpleQueue[Result | None] = SimpleQueue()
        with ThreadPoolExecutor(1) as thread, Archive(folder.path / "archive.db") as archive:
            labour = thread.submit(carry_out, replace(work, folder=folder.path, settings=settings), results.put)
            labour.add_done_callback(lambda _: results.put(None))
            while (result := results.get()) is not None:
                made = (folder.trace(result.run), folder.marking(result.run))
                files = {str(path.relative_to(folder.path)): path.read_bytes() for path in made}
                yield result, files, archive.packed(_read(made[0]))
            labour.result()


def _read(trace: Path) -> list[str]:
    """Return the archive ids of the pages that a run read."""
    values = (event.data.get("value") for event in read_events(trace) if event.type == "result")
    return [value["record"] for value in values if isinstance(value, Mapping) and "record" in value]
