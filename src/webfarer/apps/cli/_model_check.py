"""Is the configured model there? Asks its server for the list of models, which costs nothing."""

from typing import Any

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.models.endpoint import Endpoint
from webfarer.models.load import load_model

_SECONDS = 10.0
_SHOWN = 5


async def model_problem(settings: Settings) -> tuple[str, str] | None:
    """Return what is wrong with the model and what to do about it, or None."""
    try:
        model = load_model(settings.model, settings)
    except ConfigError as error:
        return error.message, "correct the setting `model` (--model, WEBFARER_MODEL)"
    if not isinstance(model, Endpoint):
        return None
    return await _ask(model, settings.api_key.get_secret_value())


async def _ask(model: Endpoint, key: str) -> tuple[str, str] | None:
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI

    url = model.base_url
    try:
        async with AsyncOpenAI(
            base_url=model.base_url, api_key=key or "none", max_retries=0, timeout=_SECONDS
        ) as client:
            answer = await client.get("/models", cast_to=object)
    except APIStatusError as error:
        return _refused(error.status_code, url, key)
    except APIConnectionError as error:
        return f"{url} cannot be reached ({error.__cause__ or error})", "start the server, or correct OPENAI_BASE_URL"
    except ValueError:
        return _no_list(url)
    names = _names(answer)
    if names is None:
        return _no_list(url)
    if model.name not in names:
        some = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        return f"{url} has no model {model.name!r}", f"choose one of those it has: {some or '(none)'}"
    return None


def _names(answer: Any) -> list[str] | None:
    try:
        return [str(entry["id"]) for entry in answer["data"]]
    except (TypeError, KeyError):
        return None


def _no_list(url: str) -> tuple[str, str]:
    return f"{url} answers, but not with a list of models", "does the address end as it should (often /v1)?"


def _refused(status: int, url: str, key: str) -> tuple[str, str]:
    if status in (401, 403) and not key:
        return f"{url} asks for a key (HTTP {status}), and none is set", "set OPENAI_API_KEY, or put it into .env"
    if status in (401, 403):
        return f"{url} refuses the key (HTTP {status})", "set OPENAI_API_KEY to a key of that server"
    if status == 404:
        return _no_list(url)
    return f"{url} answered HTTP {status}", "look at the server's own log or status page"
