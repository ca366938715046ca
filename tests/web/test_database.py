"""Files that several threads open for the first time at the same moment."""

import threading
from pathlib import Path

import pytest

from webfarer.core.errors import ConfigError
from webfarer.web.archive import Archive
from webfarer.web.index import Index


@pytest.mark.parametrize("make", [Archive, Index])
def test_many_may_open_a_new_file_at_once(tmp_path: Path, make: type[Archive] | type[Index]) -> None:
    failures: list[ConfigError] = []

    def open_it(path: Path, gate: threading.Barrier) -> None:
        gate.wait()
        try:
            make(path).close()
        except ConfigError as error:
            failures.append(error)

    for number in range(20):
        gate = threading.Barrier(6)
        threads = [threading.Thread(target=open_it, args=(tmp_path / f"{number}.db", gate)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
