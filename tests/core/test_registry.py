"""Seams: a folder is the list, and looking at it runs nothing."""

import sys

import pytest

from webfarer.core.errors import UnknownPlugin
from webfarer.core.registry import Seam


@pytest.fixture
def seam(tmp_path, monkeypatch):
    folder = tmp_path / "somebody" / "plugs"
    folder.mkdir(parents=True)
    (tmp_path / "somebody" / "__init__.py").touch()
    (folder / "__init__.py").touch()
    (folder / "good.py").write_text("plug = 'the plug'\n")
    (folder / "broken.py").write_text("raise RuntimeError('imported')\n")
    (folder / "_helper.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Seam("somebody.plugs", "plug", "plug")
    for name in [name for name in sys.modules if name.split(".")[0] == "somebody"]:
        del sys.modules[name]


def test_listing_reads_the_folder_and_imports_nothing(seam):
    assert seam.ids() == ["broken", "good"]
    assert "somebody.plugs" not in sys.modules


def test_loading_gives_the_attribute(seam):
    assert seam.load("good") == "the plug"


@pytest.mark.parametrize("name", ["nope", "_helper", "os", ""])
def test_an_unknown_id_raises_with_the_known_ones(seam, name):
    with pytest.raises(UnknownPlugin, match="known: broken, good"):
        seam.load(name)


def test_what_is_no_folder_is_no_seam():
    with pytest.raises(UnknownPlugin, match="not a package"):
        Seam("webfarer.core.errors", "x", "x").ids()
