"""Writes docs/reference/: settings.md from the settings' schema, cli.md from the commands' own help.

Not for prose: what a page says is said in `core/config.py` and `apps/cli/`. The tests check that both are up to date.
"""

from collections.abc import Iterator
from pathlib import Path

import typer
from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo
from typer.cli import get_docs_for_click

from webfarer.apps.cli.main import build
from webfarer.core.config import Settings

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- written by `make docs`; do not edit -->\n"
SETTINGS = f"""{NOTE}
# Settings

Flag > environment > `.env` > `webfarer.toml` here > `webfarer.toml` in the user's configuration folder > default.
A dot is a table in TOML: `web.delay` is `delay` under `[web]`. `webfarer doctor` shows what is set, and where.

| setting | environment | default | meaning |
| --- | --- | --- | --- |
"""


def settings_page() -> str:
    """Return the page of all settings."""
    return SETTINGS + "".join(f"| {' | '.join(cells)} |\n" for cells in _rows(Settings, "", "WEBFARER_"))


def _rows(
    model: type[BaseModel], prefix: str, variables: str, defaults: BaseModel | None = None
) -> Iterator[tuple[str, str, str, str]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        default = getattr(defaults, name) if defaults else field.get_default(call_default_factory=True)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _rows(kind, f"{prefix}{name}.", f"{variables}{name.upper()}__", default)
        else:
            yield f"`{prefix}{name}`", _variables(name, field, variables), _shown(default), field.description or ""


def _variables(name: str, field: FieldInfo, prefix: str) -> str:
    alias = field.validation_alias
    names = alias.choices if isinstance(alias, AliasChoices) else [prefix + name.upper()]
    return ", ".join(f"`{name}`" for name in names)


def _shown(value: object) -> str:
    if isinstance(value, Path):
        return "the user's data folder"  # another one on every machine
    if isinstance(value, SecretStr) or value in (None, "", (), {}):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def cli_page() -> str:
    """Return the page of all commands."""
    command = typer.main.get_command(build())
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="webfarer", title="Commands")
    return f"{NOTE}\n{text.strip()}\n"


def main() -> None:
    """Rewrite both pages."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "settings.md").write_text(settings_page())
    (FOLDER / "cli.md").write_text(cli_page())


if __name__ == "__main__":
    main()
