"""Webfarer: ask the web within a budget; get an answer, its sources, and the fare.

``answer = await webfarer.walk(url, question, model=..., budget=...)``; `walk_sync` is its synchronous twin.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from webfarer.agents.asking import Asking
    from webfarer.agents.reporter import Reporting
    from webfarer.agents.reports import Report
    from webfarer.agents.runs import Options, ask, ask_sync, replay, report, report_sync, resume, walk, walk_sync
    from webfarer.agents.thinking import TreeOfThoughts
    from webfarer.core.config import Settings, load_settings
    from webfarer.core.errors import WebfarerError
    from webfarer.core.fare import Budget, Fare
    from webfarer.core.types import Answer

__version__ = "0.1.0"

_HOMES = {
    "Asking": "agents.asking",
    "ask": "agents.runs",
    "ask_sync": "agents.runs",
    "report": "agents.runs",
    "report_sync": "agents.runs",
    "Report": "agents.reports",
    "Reporting": "agents.reporter",
    "walk": "agents.runs",
    "walk_sync": "agents.runs",
    "resume": "agents.runs",
    "replay": "agents.runs",
    "Options": "agents.runs",
    "Settings": "core.config",
    "TreeOfThoughts": "agents.thinking",
    "load_settings": "core.config",
    "WebfarerError": "core.errors",
    "Budget": "core.fare",
    "Fare": "core.fare",
    "Answer": "core.types",
}

__all__ = [
    "Answer",
    "Asking",
    "Budget",
    "Fare",
    "Options",
    "Report",
    "Reporting",
    "Settings",
    "TreeOfThoughts",
    "WebfarerError",
    "ask",
    "ask_sync",
    "load_settings",
    "replay",
    "report",
    "report_sync",
    "resume",
    "walk",
    "walk_sync",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
