"""Where Chromium is looked for and what it is told, without starting one."""

import stat
import sys
from pathlib import Path

import pytest

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, Refused
from webfarer.web.browser import Browser
from webfarer.web.chromium import FLAGS, Chromium, find_chromium
from webfarer.web.guard import Guard


def program(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_systems_chromium_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() is None
    chrome = program(tmp_path, "google-chrome")
    assert find_chromium() == str(chrome)
    chromium = program(tmp_path, "chromium")
    assert find_chromium() == str(chromium)
    assert find_chromium(str(chrome)) == str(chrome)


def test_a_configured_chromium_must_be_there() -> None:
    with pytest.raises(ConfigError, match="no-such-program"):
        find_chromium("no-such-program")


def test_names_are_never_resolved_by_chromium() -> None:
    assert any(flag.startswith("--host-resolver-rules=MAP * ~NOTFOUND") for flag in FLAGS)
    assert any("disable_non_proxied_udp" in flag for flag in FLAGS)
    assert "--disable-quic" in FLAGS
    assert not any("no-sandbox" in flag or "ignore-certificate" in flag for flag in FLAGS)


async def test_a_missing_playwright_is_named_with_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright", None)
    monkeypatch.setattr("webfarer.web.chromium.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"webfarer\[browser\].*playwright install chromium"):
        await Chromium.start("", "http://127.0.0.1:1")
    async with Browser(Settings(), Guard()) as browser:
        with pytest.raises(ConfigError, match="pip install"):
            await browser.open("http://site.example/", seconds=5)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:text/html,x", "http://127.0.0.1/", "chrome://version"])
async def test_what_may_not_be_asked_starts_no_browser(url: str) -> None:
    async with Browser(Settings(), Guard()) as browser:
        with pytest.raises(Refused):
            await browser.open(url, seconds=5)
        assert browser._chromium is None
