"""The budgets of taste, and the doors that must stay the only ones."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest
from source import FUNCTION, MODULES, PACKAGE, ROOT, imports, inside, parsed, tracked

pytestmark = pytest.mark.slow

PYTHON = [path for path in tracked() if path.suffix == ".py"]


def name(path):
    return str(path.relative_to(ROOT))


def nodes(paths, kinds):
    """Yield where each node of these kinds stands, and the node."""
    for path in paths:
        for node in ast.walk(parsed(path)):
            if isinstance(node, kinds):
                yield f"{name(path)}:{node.lineno}", node


def test_a_file_holds_at_most_400_lines():
    assert not [name(path) for path in PYTHON if len(path.read_text().splitlines()) > 400]


def test_a_function_holds_at_most_60_lines():
    assert not [where for where, node in nodes(PYTHON, FUNCTION) if (node.end_lineno or 0) - node.lineno >= 60]


def test_a_function_takes_at_most_six_parameters():
    for where, node in nodes([path for path in MODULES if not inside(path, "apps/cli")], FUNCTION):
        named = [arg.arg for arg in node.args.posonlyargs + node.args.args + node.args.kwonlyargs]
        assert len([arg for arg in named if arg not in ("self", "cls")]) <= 6, where


def test_errors_are_caught_by_name():
    for where, node in nodes([path for path in MODULES if not inside(path, "core/errors.py")], ast.ExceptHandler):
        assert node.type is not None, f"{where}: bare except"
        caught = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
        assert not caught & {"Exception", "BaseException"}, f"{where}: use core.errors.boundary()"


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


def test_only_the_web_floor_the_worlds_and_the_server_speak_http():
    for path in MODULES:
        if not inside(path, "web", "worlds", "engine/serving"):
            doors = [i for i in imports(path) if any(i == door or i.startswith(f"{door}.") for door in HTTP)]
            assert not doors, f"{name(path)}: {doors}"


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
