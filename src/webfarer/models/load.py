"""From a spec such as "openai:gpt-4o-mini" to a chat model.

"provider:model" and "provider/model" both circulate and both work. There is no hidden provider: an empty spec is no
model. A server on this machine needs no key.
"""

import importlib
import re
from pathlib import Path

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.models.base import ChatModel
from webfarer.models.endpoint import OPENAI_URL, Endpoint
from webfarer.models.faulty import Faulty
from webfarer.models.ruled import Ruled
from webfarer.models.scripted import Scripted

PROVIDERS = {
    "openai": "openai:gpt-4o-mini (OPENAI_API_KEY; or OPENAI_BASE_URL for a server that speaks the same)",
    "endpoint": "endpoint:qwen3:8b (any OpenAI-compatible server at OPENAI_BASE_URL; a local one needs no key)",
    "local": "local:models/qwen3-4b (a folder with an open-weights model, run in this process; needs webfarer[engine])",
    "scripted": "scripted:replies.json (replies read from a file)",
    "ruled": "ruled:overlap (no model: a rule that compares words, for tables and tests without one)",
    "faulty": "faulty:questions.jsonl (no model: looks the answers up and errs at known rates, to test filters)",
}


def load_model(spec: str, settings: Settings) -> ChatModel | None:
    """Return the model that `spec` names, or None for "".

    Raises:
        ConfigError: no such provider, or a setting it needs is not there; the message says which.
    """
    if not spec:
        return None
    provider, _, name = re.sub("[:/]", "\n", spec, count=1).partition("\n")
    if provider not in PROVIDERS or not name:
        known = "\n".join(f"  {example}" for example in PROVIDERS.values())
        raise ConfigError(f"no model {spec!r}: write provider:model, one of\n{known}", model=spec)
    if provider == "scripted":
        return Scripted.load(Path(name))
    if provider == "ruled":
        return Ruled(name)
    if provider == "faulty":
        return Faulty(name)
    if provider == "local":
        return _local(name, settings)
    if settings.base_url and not settings.base_url.startswith(("http://", "https://")):
        raise ConfigError(f"base_url {settings.base_url!r} is no address; it starts with http:// or https://")
    key = settings.api_key.get_secret_value()
    if provider == "openai" and not key and not settings.base_url:
        raise ConfigError(
            f"{spec} needs a key: set OPENAI_API_KEY (in the environment or in .env), or OPENAI_BASE_URL for a server "
            "of your own, which needs none",
            model=spec,
        )
    if provider == "endpoint" and not settings.base_url:
        raise ConfigError(
            f"{spec} needs an address: set OPENAI_BASE_URL (or base_url), such as http://127.0.0.1:8000/v1", model=spec
        )
    importlib.import_module("openai")  # takes a second or more: not to be counted against the run that asks first
    return Endpoint(name, base_url=settings.base_url or OPENAI_URL, api_key=key, context=settings.context)


def _local(folder: str, settings: Settings) -> ChatModel:
    try:
        module = importlib.import_module("webfarer.models.local")  # with torch: seconds, and not in every installation
    except ModuleNotFoundError as error:
        raise ConfigError(f"local:{folder} needs more packages: pip install 'webfarer[engine]'") from error
    model: ChatModel = module.Local(folder, settings.context, settings.cache, settings.draft, tokens=settings.tokens)
    return model
