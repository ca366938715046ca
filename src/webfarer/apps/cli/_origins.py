"""Which settings are not the default, and where each came from; secrets only as "set"."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, InitSettingsSource, TomlConfigSettingsSource

from webfarer.core.config import Settings


def origins(settings: Settings, flags: Mapping[str, Any]) -> Iterator[str]:
    """Yield name, value and source of each setting that was given; `flags` are those of the command line."""
    given = InitSettingsSource(Settings, {name: value for name, value in flags.items() if value is not None})
    sources = Settings.settings_customise_sources(
        Settings, given, EnvSettingsSource(Settings), DotEnvSettingsSource(Settings), given
    )
    seen: set[str] = set()
    for source in sources:
        for name in _names(source()):
            if name not in seen:
                seen.add(name)
                yield f"{name} = {_value(settings, name)} ({_called(source)})"


def _called(source: Any) -> str:
    if isinstance(source, TomlConfigSettingsSource):
        return str(source.toml_file_path)
    if isinstance(source, InitSettingsSource):
        return "flag"
    return ".env" if isinstance(source, DotEnvSettingsSource) else "environment"


def _names(given: dict[str, Any]) -> Iterator[str]:
    """Yield the settings a source holds, dotted; a source may call them by an alias."""
    fields = Settings.model_fields
    aliases = {
        alias: name
        for name, field in fields.items()
        if isinstance(field.validation_alias, AliasChoices)
        for alias in field.validation_alias.choices
    }
    for key, value in given.items():
        name = aliases.get(key, key)
        if name in fields and isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value)
        elif name in fields:
            yield name


def _value(settings: Settings, name: str) -> str:
    value: Any = settings
    for part in name.split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, part)
    if isinstance(value, SecretStr):
        return "set" if value.get_secret_value() else "empty"
    return value.model_dump_json() if isinstance(value, BaseModel) else str(value)
