"""Evaluations over the nodes of a Ray cluster: attempts are made anywhere, their traces come home as each one ends.

Ray spreads and retries; nothing of that is our own. A node needs no disk in common with ours. What the archive of a
node holds stays there: attempts that were begun here are ended here, and only those made here can be replayed. When
this process is killed, the attempts under way elsewhere are lost, as many as the nodes' jobs, and no other.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from webfarer.core.errors import ConfigError
from webfarer.evals.records import Folder, Result, attempt_id
from webfarer.evals.shares import Hear, Work, carry_out
from webfarer.evals.task import Item

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
    make = ray.remote(scheduling_strategy="SPREAD", num_returns="streaming")(_elsewhere)
    streams: dict[Any, Folder] = {}
    for work in works:
        begun, fresh = _parted(work)
        if begun:
            carry_out(replace(work, items=begun), hear)
        if fresh:
            streams[make.remote(replace(work, items=fresh))] = Folder(work.folder)
    while streams:
        stream: Any = ray.wait(list(streams), num_returns=1)[0][0]
        try:
            result, files = ray.get(next(stream))
        except StopIteration:
            del streams[stream]
            continue
        for name, content in files.items():
            _land(streams[stream].path / name, content)
        hear(result)


def _parted(work: Work) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return the items of which something has been done here, and the others."""
    folder = Folder(work.folder)

    def begun(item: Item) -> bool:
        runs = (attempt_id(item.id, number) for number in range(1, work.plan.runs + 1))
        return any(folder.trace(run).exists() for run in runs)

    return tuple(filter(begun, work.items)), tuple(item for item in work.items if not begun(item))


def _elsewhere(work: Work) -> Iterator[tuple[Result, Files]]:
    """Make a share of the attempts on this node; yield each result with both traces as it ends."""
    with tempfile.TemporaryDirectory(prefix="webfarer-") as place:
        folder = Folder(Path(place))
        folder.begin(work.plan, list(work.items))
        settings = work.settings.model_copy(update={"home": folder.path})
        results: SimpleQueue[Result | None] = SimpleQueue()
        with ThreadPoolExecutor(1) as thread:
            labour = thread.submit(carry_out, replace(work, folder=folder.path, settings=settings), results.put)
            labour.add_done_callback(lambda _: results.put(None))
            while (result := results.get()) is not None:
                made = (folder.trace(result.run), folder.marking(result.run))
                yield result, {str(path.relative_to(folder.path)): path.read_bytes() for path in made}
            labour.result()


def _land(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    half = path.with_name(f"{path.name}.part")
    half.write_bytes(content)
    half.replace(path)
