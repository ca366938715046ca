"""The documents say what is there."""

import re
import runpy
import tomllib

import pytest
from packaging.requirements import Requirement
from source import MODULES, PACKAGE, ROOT, tracked

DOCS = runpy.run_path(str(ROOT / "scripts" / "docs.py"))
LINE = re.compile(r"^(?P<indent>(?:  )+)(?P<name>[\w.]+/?)(?: +(?P<purpose>.+))?$")


def drawn() -> dict[str, str]:
    """Read path → purpose from the tree in docs/architecture.md."""
    (block,) = DOCS["BLOCK"].findall((ROOT / "docs" / "architecture.md").read_text())
    path: list[str] = []
    found = {}
    for line in block.splitlines()[2:-1]:
        match = LINE.match(line)
        assert match, line
        path = [*path[: len(match["indent"]) // 2 - 1], match["name"].rstrip("/")]
        found["/".join(path)] = match["purpose"] or ""
    return found


def test_the_tree_in_the_architecture_page_is_true():
    modules = {str(path.relative_to(PACKAGE)) for path in MODULES if path.name != "__init__.py"}
    folders = {str(path.parent.relative_to(PACKAGE)) for path in MODULES if path.name == "__init__.py"} - {"."}
    tree = drawn()
    assert set(tree) == modules | folders, "run `make docs`"
    assert all(tree.values()), "every module's docstring begins with a line that says what it is"
    assert DOCS["tree"]() in (ROOT / "docs" / "architecture.md").read_text(), "run `make docs`"


def test_contributing_fits_on_a_page():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 60


def test_every_make_target_that_a_document_names_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [path for path in tracked() if path.suffix == ".md"]
    named = {name for page in pages for name in re.findall(r"`make ([a-z-]+)", page.read_text())}
    assert {"test", "lint"} <= named <= targets


def test_every_file_that_a_document_links_to_exists():
    for page in (path for path in tracked() if path.suffix == ".md"):
        for target in re.findall(r"\]\((?!\w+:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


@pytest.fixture(scope="module")
def lock() -> dict[str, str]:
    pinned = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if not line.startswith("#"):
            match = re.fullmatch(r"([\w.-]+)==([\w.]+)(?: ; [\w.<>=!' ]+)?", line)
            assert match, f"name==version only: {line}"
            pinned[match[1].lower()] = match[2]
    return pinned


def test_the_lock_pins_everything_that_the_project_asks_for(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    for requirement in map(Requirement, asked + project["project"]["optional-dependencies"]["bench"]):
        assert requirement.specifier.contains(lock[requirement.name]), f"{requirement}: run `make lock`"
