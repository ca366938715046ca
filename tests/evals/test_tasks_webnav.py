"""Navigation tasks made of a site that is being served."""

import pytest
from site_kit import DEEP, write_site

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.evals.task import TASKS, Source
from webfarer.worlds.server import serve_folder


@pytest.fixture(autouse=True)
def local(tmp_path, monkeypatch):
    monkeypatch.setenv("WEBFARER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WEBFARER_WEB__ALLOW_PRIVATE", '["127.0.0.1"]')


async def test_sentences_of_deep_pages_become_questions(tmp_path):
    write_site(tmp_path / "site")
    task = TASKS.load("webnav")
    async with serve_folder(tmp_path / "site") as site:
        root = f"{site.url}index.html"
        items = await task.items(Source(root=root, size=3, seed=1))
        assert await task.items(Source(root=root, size=3, seed=1)) == items
        every = await task.items(Source(root=root))
    assert len({item.gold for item in items}) == 3
    assert {item.answer for item in every} == {text for texts in DEEP.values() for text in texts}
    assert all(item.answer in item.question and item.root == root for item in every)
    assert {item.cells["difficulty"] for item in every} == {"depth 2", "depth 3"}


async def test_the_site_is_read_with_the_settings_that_are_given(tmp_path):
    write_site(tmp_path / "site")
    settings = load_settings(web={"allow_private": ()})  # another than that of the environment
    async with serve_folder(tmp_path / "site") as site:
        with pytest.raises(ConfigError, match="0 pages were read"):
            await TASKS.load("webnav").items(Source(root=f"{site.url}index.html", settings=settings))
        assert not site.requests


async def test_a_site_that_gives_nothing_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="--root"):
        await TASKS.load("webnav").items(Source())
    with pytest.raises(ConfigError, match=r"--root: 'ftp://a\.example/' is no address"):
        await TASKS.load("webnav").items(Source(root="ftp://a.example/"))
    (tmp_path / "index.html").write_text("<p>A single page is not enough to walk anywhere at all, is it?</p>")
    async with serve_folder(tmp_path) as site:
        with pytest.raises(ConfigError, match="1 pages were read"):
            await TASKS.load("webnav").items(Source(root=site.url))
