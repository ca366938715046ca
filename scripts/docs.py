"""Writes the tree in docs/architecture.md from the first line of every module's docstring.

Not for prose: it replaces the one fenced block that begins with `src/webfarer/`. The tests check that it is up to date.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BLOCK = re.compile(r"```\nsrc/webfarer/\n.*?```", re.DOTALL)
FLOORS = ["apps", "train", "data", "evals", "agents", "models", "engine", "web", "worlds", "core"]


def purpose(module: Path) -> str:
    """Return the first line of the module's docstring, as plain text."""
    first = (ast.get_docstring(ast.parse(module.read_text())) or "").partition("\n")[0]
    return re.sub(r":\w+:`(.+?)`", r"`\1`", first)


def lines(folder: Path, depth: int = 1) -> list[str]:
    """Return the lines of everything below `folder`: modules first, then its folders."""
    folders = [path.parent for path in folder.glob("*/__init__.py")]
    folders.sort(key=lambda path: (FLOORS.index(path.name) if depth == 1 else 0, path.name))
    out = []
    for module in sorted(folder.glob("*.py")):
        if module.name != "__init__.py":
            out.append(f"{'  ' * depth + module.name:22} {purpose(module)}".rstrip())
    for inner in folders:
        out.append(f"{'  ' * depth + inner.name + '/':22} {purpose(inner / '__init__.py')}".rstrip())
        out.extend(lines(inner, depth + 1))
    return out


def tree() -> str:
    """Return the block as it should be."""
    return "\n".join(["```", "src/webfarer/", *lines(ROOT / "src" / "webfarer"), "```"])


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(BLOCK.sub(lambda _: tree(), PAGE.read_text()))


if __name__ == "__main__":
    main()
