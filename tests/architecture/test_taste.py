"""The budgets of taste, and the doors that must stay the only ones."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest
from source import FUNCTION, MODULES, PACKAGE, ROOT, imports, inside, parsed, tracked

PYTHON = [path for path in tracked() if path.suffix == ".py"]


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PYTHON, ids=name)
def test_sizes(path):
    assert len(path.read_text().splitlines()) <= 400, "a file holds at most 400 lines"
    for node in ast.walk(parsed(path)):
        if isinstance(node, FUNCTION):
            assert (node.end_lineno or 0) - node.lineno < 60, f"{node.name}: a function holds at most 60 lines"


@pytest.mark.parametrize("path", [path for path in MODULES if not inside(path, "apps/cli")], ids=name)
def test_a_function_takes_at_most_six_parameters(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, FUNCTION):
            named = [arg.arg for arg in node.args.posonlyargs + node.args.args + node.args.kwonlyargs]
            assert len([arg for arg in named if arg not in ("self", "cls")]) <= 6, node.name


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_errors_are_caught_by_name(path):
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: bare except"
            caught = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
            if caught & {"Exception", "BaseException"}:
                assert inside(path, "core/errors.py"), f"line {node.lineno}: use core.errors.boundary()"


def test_two_folder_levels_at_most_and_every_folder_is_a_package():
    for path in MODULES:
        assert len(path.relative_to(PACKAGE).parts) <= 3, path
        assert (path.parent / "__init__.py").exists(), path


def test_the_contract_of_the_floors_names_every_folder():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(contract for contract in config["contracts"] if contract["type"] == "layers")["layers"]
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders <= {layer.strip("()") for layer in layers}
    assert {layer for layer in layers if not layer.startswith("(")} <= folders


HTTP = ("aiohttp", "httpx", "httpx2", "requests", "urllib3", "urllib.request", "http.client", "socket")


@pytest.mark.parametrize(
    "path", [path for path in MODULES if not inside(path, "web", "worlds", "engine/serving")], ids=name
)
def test_only_the_web_floor_the_worlds_and_the_server_speak_http(path):
    for imported in imports(path):
        assert not any(imported == door or imported.startswith(f"{door}.") for door in HTTP), imported


HEAVY = {"torch", "transformers", "openai", "trafilatura", "markdownify", "lxml"}
HELP = """
import sys
from webfarer.apps.cli.main import main
sys.argv = ["webfarer", "--help"]
try:
    main()
except SystemExit as exit:
    assert not exit.code
"""


@pytest.mark.parametrize("program", ["import webfarer", HELP], ids=["import webfarer", "webfarer --help"])
def test_starting_up_loads_nothing_heavy(program):
    ending = "\nimport sys; print('\\n', *sys.modules)"
    output = subprocess.check_output([sys.executable, "-c", program + ending], text=True)
    loaded = set(output.splitlines()[-1].split())
    assert "webfarer" in loaded
    assert not loaded & HEAVY


def test_no_file_names_a_machine():
    places = "|".join(["root", "work", "opt/pypi", "opt/wheels", "Users"])
    pattern = re.compile(rf"(?<![\w.:/])/(?:{places})/|{re.escape(str(ROOT))}/")
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # an image
        assert not pattern.search(text), name(path)
