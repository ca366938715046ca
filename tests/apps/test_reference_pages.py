"""The generated pages in docs/reference/ say what the code says, and what is written by hand does not contradict it."""

import re
import runpy
from pathlib import Path

import pytest

from webfarer.apps.cli._exits import EXIT_CODES
from webfarer.apps.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = runpy.run_path(str(ROOT / "scripts" / "reference.py"))
PAGES = [ROOT / "README.md", ROOT / "README_zh.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]


@pytest.mark.parametrize("page", ["settings", "cli"])
def test_the_page_is_up_to_date(page):
    assert (REFERENCE["FOLDER"] / f"{page}.md").read_text() == REFERENCE[f"{page}_page"](), "run `make docs`"


def test_every_setting_has_a_line_with_a_description():
    rows = [line.split(" | ") for line in REFERENCE["settings_page"]().splitlines() if line.startswith("| `")]
    assert {"| `home`", "| `budget.usd`", "| `web.robots`"} <= {row[0] for row in rows}
    assert all(row[3].strip(" |") for row in rows)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_flag_that_a_page_names_exists(page):
    text = page.read_text()
    commands = re.findall(
        r"webfarer (?!\d)(\w+)", "\n".join(re.findall(r"`webfarer [^`]+`|^\S*webfarer .+$", text, re.M))
    )
    assert set(commands) <= set(COMMANDS.ids())
    assert set(re.findall(r"--[a-z][a-z-]+", text)) <= set(re.findall(r"--[a-z][a-z-]+", REFERENCE["cli_page"]()))


@pytest.mark.parametrize("page", PAGES[:2], ids=lambda page: page.name)
def test_the_readme_names_every_command(page):
    table = page.read_text()
    assert [name for name in COMMANDS.ids() if f"webfarer {name}`" not in table and f"make {name} " not in table] == [
        "main"
    ]


def test_the_guide_shows_the_exit_codes():
    guide = (ROOT / "docs" / "guides" / "walking.md").read_text()
    assert all(f"| {code} | `{reason}` |" in guide for reason, code in EXIT_CODES.items())
