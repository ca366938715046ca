"""Evaluations over the nodes of a Ray cluster: attempts are made anywhere, their traces come home to the run's folder.

Ray spreads and retries; nothing of that is our own. A node needs no disk in common with ours: it works in a folder of
its own, gets what an attempt has so far, and sends both traces back when a share is done. What the archive of a node
holds stays there, so only attempts made here can be replayed. Source: https://docs.ray.io.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from webfarer.core.errors import ConfigError
from webfarer.evals.records import Folder, Result, attempt_id
from webfarer.evals.shares import Work, carry_out

Files = Mapping[str, bytes]
"""Traces by their path within a run's folder."""


def over_ray(works: Sequence[Work], hear: Callable[[Result], None]) -> None:
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
    share = ray.remote(scheduling_strategy="SPREAD", max_retries=2)(_elsewhere)
    waiting = {share.remote(work, _begun(work)): work for work in works}
    while waiting:
        (done,), _ = ray.wait(list(waiting), num_returns=1)
        folder = Folder(waiting.pop(done).folder)
        results, files = ray.get(done)
        for name, content in files.items():
            _land(folder.path / name, content)
        for result in results:
            hear(result)


def _begun(work: Work) -> Files:
    """Return what there is of the attempts of a share: what was paid for is not paid again."""
    folder = Folder(work.folder)
    runs = [attempt_id(item.id, number) for item in work.items for number in range(1, work.plan.runs + 1)]
    paths = [path for run in runs for path in (folder.trace(run), folder.marking(run)) if path.exists()]
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in paths}


def _elsewhere(work: Work, begun: Files) -> tuple[list[Result], Files]:
    """Make a share of the attempts on this node."""
    with tempfile.TemporaryDirectory(prefix="webfarer-") as place:
        folder = Folder(Path(place))
        folder.begin(work.plan, list(work.items))
        for name, content in begun.items():
            (folder.path / name).write_bytes(content)
        settings = work.settings.model_copy(update={"home": folder.path})
        results = carry_out(replace(work, folder=folder.path, settings=settings))
        made = [path for part in ("runs", "scores") for path in (folder.path / part).iterdir()]
        return results, {str(path.relative_to(folder.path)): path.read_bytes() for path in made}


def _land(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    half = path.with_name(f"{path.name}.part")
    half.write_bytes(content)
    half.replace(path)
