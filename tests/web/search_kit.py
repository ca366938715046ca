"""What the tests of searching share: documents, settings that lead to the stub server, and a run."""

from typing import Any

from webfarer.core.config import SearchSettings, Settings
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.web.searching import SEARCHERS
from webfarer.worlds.searchserver import SearchStub
from webfarer.worlds.searchwires import Document

KEY = "k3y-that-nobody-may-see"
ONLINE = tuple(name for name in SEARCHERS.ids() if not getattr(SEARCHERS.load(name), "offline", False))
DOCUMENTS = (
    Document(
        "https://ashford.example/library/hours", "Opening hours", "The library of Ashford opens at eight.", "2024-03-05"
    ),
    Document(
        "https://ashford.example/librarian", "The librarian", "Who looks after the library of Ashford?", "2019-01-02"
    ),
    Document("https://www.ashford.example/library/", "The library", "The library of Ashford has a café & a garden."),
    Document(
        "https://elsewhere.example/library/hours", "Opening hours", "Another library opens at nine.", "2023-07-01"
    ),
    Document("https://elsewhere.example/bridge", "The bridge", "A bridge of iron over the river Ash.", "2021-01-01"),
)


def settings_for(stub: SearchStub | None, *engines: str, **changes: Any) -> Settings:
    """Return settings without pauses and retries, all keys set, and the engines' URLs on the stub."""
    keys = {f"{name}_api_key": KEY for name in ("serper", "brave", "tavily")}
    url = stub.bases()["searxng"] if stub else "https://searx.example"
    top = {"searxng_url": url, **keys, **{k: changes.pop(k) for k in list(changes) if k in Settings.model_fields}}
    search = {
        "engines": engines,
        "bases": stub.bases() if stub else {},
        "delay": 0,
        "retries": 0,
        "seconds": 5,
        **changes,
    }
    return Settings(_env_file=None, search=SearchSettings(**search), **top)


def new_run(name: str = "r") -> Run:
    return Run(name, Trace.create(None))


def calls(run: Run) -> list[str]:
    """Return the engines the run has called, in order."""
    return [event.data["request"]["engine"] for event in run.trace.events if event.type == "call"]
