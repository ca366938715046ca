"""Does a search engine answer? Asks it one real query, which may cost one of the plan's."""

from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, NoResults, SearchError
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.web.archive import Archive
from webfarer.web.search import Search

_QUERY = "webfarer"
_MEND = {
    "SearchAuth": "correct the key",
    "SearchRateLimited": "wait, or look at the plan's limits; other engines are asked meanwhile",
    "SearchBlocked": "wait, or choose another engine in search.engines",
    "SearchUnavailable": "start it, or correct its URL",
}


async def search_problem(settings: Settings, engine: str) -> tuple[str, str] | None:
    """Return what is wrong with a search engine and what to do about it, or None."""
    try:
        await _ask(_only(settings, engine), engine)
    except NoResults:
        return None  # it answered
    except ConfigError as error:
        return error.message, "correct the setting"
    except SearchError as error:
        told: dict[str, Any] = error.detail["engines"][engine]
        return told["message"], told.get("mend") or _MEND.get(told["error"], "choose another engine in search.engines")
    return None


def _only(settings: Settings, engine: str) -> Settings:
    search = settings.search.model_copy(update={"engines": (engine,), "retries": 0})
    return settings.model_copy(update={"search": search, "archive": "live"})


async def _ask(settings: Settings, engine: str) -> None:
    path = settings.home / "archive.db"
    with Archive(path if path.exists() else None) as archive:
        async with Search(settings, archive) as search:
            await search.find(Run("doctor", Trace.create(None)), _QUERY)
