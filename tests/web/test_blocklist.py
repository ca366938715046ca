"""What an evaluation blocks is neither opened, by whatever way, nor shown among search results."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_kit import DOCUMENTS, KEY, new_run, settings_for

from webfarer.core.config import WebSettings
from webfarer.core.errors import ConfigError, Refused
from webfarer.evals.trials import lab_settings
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.scope import Blocklist
from webfarer.web.search import Search
from webfarer.worlds.searchserver import serve_search
from webfarer.worlds.server import listen

BLOCKED = ("huggingface.co/datasets/some/set", "answers.example")


@pytest.mark.parametrize(
    ("url", "held"),
    [
        ("https://huggingface.co/datasets/some/set", True),
        ("http://huggingface.co/datasets/some/set/viewer?row=1", True),
        ("https://huggingface.co/datasets/some/settings", False),
        ("https://huggingface.co/models", False),
        ("https://www.answers.example/x", True),
        ("https://other.example/answers.example", False),
        ("https://huggingface.co/Datasets/SOME/Set/viewer", True),
        ("https://huggingface.co//datasets///some/set", True),
        ("https://huggingface.co/datasets/some%2Fset", True),
        ("https://huggingface.co/%64atasets/some%2fother%2F..%2fset/x", True),
        ("https://huggingface.co/..%2Fdatasets/some/set", True),
        ("https://huggingface.co/datasets/some%2Fsettings", False),
        ("https://huggingface.co/datasets", False),
        ("https://answers.example:8443/", False),
        ("https://huggingface.co/datasets/some/set.git", False),
        ("ftp://answers.example/", False),
    ],
)
def test_hosts_and_paths(url, held):
    assert Blocklist(BLOCKED).holds(url) is held


@given(st.text())
def test_nothing_is_blocked_by_an_empty_list(url):
    assert not Blocklist().holds(url)


def test_a_file_is_blocked_and_not_its_folder():
    blocked = Blocklist(("a.example/sets/answers.csv",))
    assert blocked.holds("https://a.example/sets/Answers.csv?download=1")
    assert not blocked.holds("https://a.example/sets/")


segments = st.text("abXY1é", min_size=1, max_size=4)


@given(st.lists(segments, min_size=1, max_size=4), st.lists(st.sampled_from(["/", "//", "%2F", "/./", "/x/../"])))
def test_no_spelling_of_a_path_leads_past_the_list(path, gaps):
    blocked = Blocklist((f"answers.example/{'/'.join(path)}",))
    asked = "".join(gap + part.swapcase() for gap, part in zip([*gaps, *"/" * len(path)], path, strict=False))
    assert blocked.holds(f"https://answers.example{'' if asked.startswith('/') else '/'}{asked}/more")


def test_a_site_that_is_none():
    with pytest.raises(ConfigError, match=r"web\.blocked"):
        Blocklist(("http://[",))


@pytest.mark.parametrize("archive_mode", ["live", "record", "replay"])
async def test_a_blocked_page_is_not_opened_nor_one_that_redirects_there(archive_mode):
    from aiohttp import web

    async def answer(request):
        if request.path == "/to":
            return web.Response(status=302, headers={"Location": "/answers/1"})
        return web.Response(text="<p>the answers</p>", content_type="text/html")

    async with listen(answer) as site:
        host = site.url.removeprefix("http://")
        with Archive() as archive:
            if archive_mode != "live":
                async with Web(lab_settings(), archive) as web_client:
                    await web_client.open(new_run("before"), f"{site.url}to")
            settings = lab_settings(archive_mode)
            rules = WebSettings(**{**settings.web.model_dump(), "blocked": (f"http://{host}answers",)})
            async with Web(settings.model_copy(update={"web": rules}), archive) as web_client:
                asked = len(site.requests)
                for path in ("answers/1", "to"):
                    with pytest.raises(Refused, match="blocked"):
                        await web_client.open(new_run(path), f"{site.url}{path}")
                assert not [path for path in site.requests[asked:] if path.startswith("/answers")]


async def test_blocked_results_are_dropped():
    async with serve_search(DOCUMENTS, key=KEY) as stub:
        settings = settings_for(stub, "searxng")
        async with Search(settings) as search:
            found = await search.find(new_run(), "library")
        rules = settings.web.model_copy(update={"blocked": (found[-1].url,)})
        async with Search(settings.model_copy(update={"web": rules})) as search:
            again = await search.find(new_run("again"), "library")
        assert found[-1].url not in {hit.url for hit in again}
        assert {hit.url for hit in found[:-1]} <= {hit.url for hit in again}
