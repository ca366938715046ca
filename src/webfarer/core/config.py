"""Settings: flag > environment > `.env` > TOML > default, one schema.

Environment names are `WEBFARER_` + the field, nested with two underscores (`WEBFARER_WEB__DELAY=1`). The names people
already have are accepted too: `OPENAI_API_KEY`, `OPENAI_BASE_URL` (and `OPENAI_API_BASE`). TOML is read from
`webfarer.toml` here, then from the user's configuration folder. Nothing has a hidden provider: without a model the
lexical policy answers, and no key is asked for.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget, Price

ArchiveMode = Literal["live", "record", "replay"]


class WebSettings(BaseModel):
    """How the web is fetched."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_agent: str = Field(
        "webfarer/0.1 (+https://pypi.org/project/webfarer/)", description="Sent with every request, robots.txt too."
    )
    contact: str = Field("", description="E-mail or URL added to the user agent, so that site owners can reach you.")
    robots: bool = Field(True, description="Obey robots.txt (RFC 9309). Turning it off is recorded in the trace.")
    allow_private: tuple[str, ...] = Field(
        (), description="Host names or addresses that may be private, loopback or link-local, with optional :port."
    )
    blocked: tuple[str, ...] = Field(
        (), description="Hosts, with optional path, that are never opened and whose search results are dropped."
    )
    concurrency: int = Field(2, ge=1, le=64, description="Requests to one host at the same time.")
    delay: float = Field(
        0.25, ge=0, description="Seconds between the starts of requests to one host; none for hosts in allow_private."
    )
    connect_seconds: float = Field(5.0, gt=0, description="Deadline for a connection.")
    first_byte_seconds: float = Field(15.0, gt=0, description="Deadline for the response's head.")
    total_seconds: float = Field(30.0, gt=0, description="Deadline for one page with all its redirects.")
    max_wire_bytes: int = Field(10_000_000, gt=0, description="Largest body accepted, as sent.")
    max_decoded_bytes: int = Field(20_000_000, gt=0, description="Largest body accepted after decompression.")
    max_ratio: float = Field(100.0, gt=1, description="Largest expansion by decompression (bodies over 1 MB).")
    max_redirects: int = Field(5, ge=0, description="Redirects followed for one page.")
    retries: int = Field(2, ge=0, le=5, description="Further tries after 429, 503 or a broken connection.")
    max_retry_after: float = Field(20.0, ge=0, description="Longest Retry-After (seconds) that is waited for.")


class SearchSettings(BaseModel):
    """Which search engines are asked, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engines: tuple[str, ...] = Field(
        (),
        description="Asked in this order until one answers; empty: those with a key or URL, duckduckgo, wikipedia.",
    )
    results: int = Field(10, ge=1, le=50, description="Results of one query.")
    seconds: float = Field(15.0, gt=0, description="Deadline of one query with its retries.")
    retries: int = Field(2, ge=0, le=5, description="Further tries after a failure that may pass.")
    delay: float = Field(1.0, ge=0, description="Seconds between the starts of two queries to one engine.")
    language: str = Field("", description='Language of the results ("en", "zh"); empty: that of the query.')
    bases: dict[str, str] = Field(
        default_factory=dict,
        description="Base URLs by engine, for gateways and mirrors; such a host may be a private one.",
    )

    @field_validator("bases")
    @classmethod
    def _no_credentials(cls, bases: dict[str, str]) -> dict[str, str]:
        return {engine: without_credentials(url) for engine, url in bases.items()}


def without_credentials(url: str) -> str:
    """Return `url`, which is written to logs, unless it holds a user name or a password."""
    if "@" in urlsplit(url).netloc:
        raise ValueError(
            "a user name or password in the URL would be logged; a key belongs into its own setting (WEBFARER_API_KEY)"
        )
    return url


class AskSettings(BaseModel):
    """How the open web is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: Budget = Field(Budget(steps=60), description="Limits of one run; the clicks of its walks are steps too.")
    tools: tuple[str, ...] = Field(("search", "visit", "walk", "find"), description="What the agent may use.")
    walk_steps: int = Field(15, ge=1, description="Most clicks of one walk.")
    mind: str = Field("", description="Who takes the decisions; empty: chat with a model, else lexical.")
    dialect: str = Field("native", description="How the model calls tools: native, tags or react.")
    context: str = Field("keep_all", description="What of a long search the model is shown.")
    thoughts: Literal["withheld", "kept"] = Field(
        "withheld", description="Whether the model is shown what it thought in earlier steps."
    )


class Settings(BaseSettings):
    """Everything a user can set."""

    model_config = SettingsConfigDict(
        env_prefix="WEBFARER_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,  # one limit of the budget leaves the default of the others
        env_file=".env",
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,  # the value may be a key
    )

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("webfarer"), description="Where runs and the archive lie."
    )
    model: str = Field("", description='Chat model as "provider:model"; empty: the lexical policy, no model.')
    base_url: str = Field(
        "",
        validation_alias=AliasChoices("WEBFARER_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_BASE"),
        description="OpenAI-compatible endpoint of the model.",
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("WEBFARER_API_KEY", "OPENAI_API_KEY"),
        description="Key of the endpoint; a local server needs none.",
    )
    context: int = Field(32_768, ge=512, description="Context window of the model, in tokens.")
    cache: str = Field("full", description='What a local: model keeps in its cache, such as "scope:prompt=2048".')
    draft: str = Field("", description="What guesses ahead for a local: model: ngram, self, a small model's folder.")
    temperature: float = Field(
        0.0, ge=0, le=2, description="Of what a model decides to do next; reading and judging are greedy."
    )
    top_p: float = Field(1.0, gt=0, le=1, description="Nucleus share of the same.")
    tokens: bool = Field(False, description="Record token ids and log-probabilities of a local: model in the trace.")
    policy: str = Field("", description="Who takes the walker's decisions; empty: chat with a model, else lexical.")
    archive: ArchiveMode = Field(
        "live",
        description="live: fetch, and keep it. record: fetch what the archive lacks. replay: never fetch.",
    )
    seed: int = Field(0, description="Seed of everything that draws lots.")
    budget: Budget = Field(Budget(steps=15), description="Limits of one walk.")
    web: WebSettings = Field(WebSettings(), description="How the web is fetched.")
    ask: AskSettings = Field(AskSettings(), description="How the open web is asked.")
    search: SearchSettings = Field(SearchSettings(), description="Which search engines are asked, and how.")
    searxng_url: str = Field(
        "",
        validation_alias=AliasChoices("WEBFARER_SEARXNG_URL", "SEARXNG_URL", "SEARXNG_API_URL"),
        description="A SearXNG instance with its JSON format enabled.",
    )
    serper_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("WEBFARER_SERPER_API_KEY", "SERPER_API_KEY"),
        description="Key of serper.dev.",
    )
    serper_base_url: str = Field(
        "",
        validation_alias=AliasChoices("WEBFARER_SERPER_BASE_URL", "SERPER_BASE_URL"),
        description="A gateway that speaks serper.dev's API.",
    )
    brave_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("WEBFARER_BRAVE_API_KEY", "BRAVE_API_KEY", "BRAVE_SEARCH_API_KEY"),
        description="Key of the Brave Search API.",
    )
    tavily_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("WEBFARER_TAVILY_API_KEY", "TAVILY_API_KEY"),
        description="Key of Tavily.",
    )
    browser: Literal["auto", "never", "always"] = Field(
        "auto",
        description="auto: pages that are empty without JavaScript are opened in Chromium, where it is installed.",
    )
    connect_to: dict[str, str] = Field(
        default_factory=dict,
        description="Hosts that are served on this machine instead, by name: 127.0.0.1:PORT. Not recorded in runs.",
    )
    chromium: str = Field("", description="Chromium to start; empty: the system's, else Playwright's.")
    prices: dict[str, Price] = Field(
        default_factory=dict, description="US dollars per million tokens by model, added to the built-in table."
    )

    @field_validator("base_url", "searxng_url", "serper_base_url")
    @classmethod
    def _no_credentials(cls, url: str) -> str:
        return without_credentials(url)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: flags, environment, `.env`, TOML here, TOML of the user."""
        toml = [
            TomlConfigSettingsSource(settings_cls, path)
            for path in (Path("webfarer.toml"), platformdirs.user_config_path("webfarer") / "webfarer.toml")
        ]
        for source in toml:
            for name in source.toml_data.keys() - settings_cls.model_fields.keys():
                raise ConfigError(f"{source.toml_file_path}: there is no setting {name!r}", setting=name)
        return init_settings, env_settings, dotenv_settings, *toml

    def price(self, model: str) -> Price | None:
        """Return the price of `model` ("gpt-4o-mini"), the user's table first; None when unknown.

        One that runs in this process ("local:FOLDER") costs nothing unless the user's table says so.
        """
        free = Price(input=0, output=0) if model.startswith("local:") else None
        return self.prices.get(model) or builtin_prices().get(model) or free


def builtin_prices() -> dict[str, Price]:
    """Return the price table that ships with the package."""
    table = tomllib.loads(files("webfarer.core").joinpath("prices.toml").read_text())
    return {model: Price.model_validate(price) for model, price in table["prices"].items()}


def load_settings(**flags: Any) -> Settings:
    """Read the settings; flags that are None do not count.

    Raises:
        ConfigError: no such setting, or a value that does not fit; the message names the setting.
    """
    for name in flags.keys() - Settings.model_fields.keys():
        raise ConfigError(f"there is no setting {name!r}", setting=name)
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        got = "" if any(part in name.lower() for part in ("api_key", "url")) else f" (got {first['input']!r})"
        raise ConfigError(f"setting {name}: {first['msg']}{got}", setting=name) from error
    except (SettingsError, tomllib.TOMLDecodeError, OSError) as error:
        raise ConfigError(f"the configuration cannot be read: {error}") from error


def revised(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """Return the settings with some values replaced and validated, nothing read from the environment again.

    Raises:
        ConfigError: a value does not fit.
    """
    kept = {name: getattr(settings, name) for name in Settings.model_fields}
    return load_settings(**{**kept, **changes})
