"""A small documentation site in files: six pages, up to three clicks deep, and one that nothing leads to."""

from collections.abc import Sequence
from pathlib import Path

COMMON = "This sentence stands on every single page of the whole site."
DEEP = {
    "fox": ["The red fox sleeps by day and hunts mice at night.", "A fox can hear a mouse under half a metre of snow."],
    "owl": ["An owl turns its head almost all the way around itself."],
    "bat": ["A bat finds its way in the dark by the echo of its voice."],
}


def _page(title: str, texts: Sequence[str], targets: Sequence[str]) -> str:
    links = "".join(f'<li><a href="{target}.html">About the {target}</a></li>' for target in targets)
    text = "".join(f"<p>{text}</p>" for text in (COMMON, *texts))
    return f'<!doctype html><html lang="en"><title>{title}</title><main><h1>{title}</h1>{text}<ul>{links}</ul></main>'


def write_site(folder: Path) -> None:
    """Write the site; its first page is index.html."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {
        "index": ([], ["one", "two", "missing"]),
        "one": (["Animals of the forest are described on the pages below this one."], ["fox", "index"]),
        "two": (["Animals of the night are described on the pages below this one."], ["owl", "fox"]),
        "fox": (DEEP["fox"], ["one"]),
        "owl": (DEEP["owl"], ["bat"]),
        "bat": (DEEP["bat"], []),
        "orphan": (["Nobody ever comes to this page because nothing leads to it."], ["index"]),
    }
    for name, (texts, targets) in pages.items():
        (folder / f"{name}.html").write_text(_page(f"The {name}", texts, targets))
