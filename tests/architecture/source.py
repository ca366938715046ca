"""What the architecture tests read: the package's modules, parsed, and the files of the repository."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "webfarer"
MODULES = sorted(PACKAGE.rglob("*.py"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(path.read_text())


def inside(path: Path, *folders: str) -> bool:
    """Say whether `path` lies in one of the package's `folders` ("web", "apps/cli")."""
    return any(path.is_relative_to(PACKAGE / folder) for folder in folders)


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything a module imports, anywhere in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


@cache
def tracked() -> list[Path]:
    """Return every file of the repository, also those not added yet, but none that git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).splitlines()
    return [path for name in names if (path := ROOT / name).is_file()]
