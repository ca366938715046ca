"""The command line in this process, and a world served beside it."""

import os

import pytest
from cli_kit import Result, beside

from webfarer.apps.cli.main import main
from webfarer.worlds.server import serve
from webfarer.worlds.world import WorldSpec, generate

_OURS = ("WEBFARER_", "OPENAI_", "SEARXNG_", "SERPER_", "BRAVE_", "TAVILY_")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty working folder and no settings of the machine; returns where runs and the archive lie."""
    for name in os.environ:
        if name.upper().startswith(_OURS) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("WEBFARER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WEBFARER_BROWSER", "never")  # a real one takes seconds; tests/web starts it
    monkeypatch.setenv("WEBFARER_WEB__ALLOW_PRIVATE", '["127.0.0.1"]')
    return tmp_path / "home"


@pytest.fixture
def cli(home, capsys):
    """`cli("walk", url, question)` runs the command and returns exit code, stdout and stderr."""

    def run(*args: object) -> Result:
        with pytest.raises(SystemExit) as exit:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return Result(exit.value.code or 0, out, err)

    return run


@pytest.fixture(scope="session")
def world():
    return generate(WorldSpec("conference", seed=7, size=24, depth=3))


@pytest.fixture(scope="session")
def site(world):
    with beside(serve(world)) as site:
        yield site
