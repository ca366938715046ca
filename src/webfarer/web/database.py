"""Opening an SQLite file that several threads and processes may open at the same moment, also for the first time.

SQLite waits for most locks by itself, but not while a file is switched to its write-ahead log: that is tried again.
Source: sqlite.org/wal.html.
"""

import sqlite3
import time
from pathlib import Path

_PATIENCE = 30.0
_PAUSE = 0.01


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the file at `path` (in memory for None), with its folder, in the write-ahead log's mode.

    Raises:
        sqlite3.Error, OSError: it cannot be opened, or stays locked.
    """
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=_PATIENCE)
    try:
        _switch(db)
        db.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _switch(db: sqlite3.Connection) -> None:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(_PAUSE)
