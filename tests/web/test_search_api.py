"""One exchange with a configured API: where it may go, what it may bring back, and where a key may travel."""

import traceback

import pytest
from aiohttp import web

from webfarer.core.config import WebSettings
from webfarer.core.errors import AddressRefused, ConfigError, FetchError, RedirectLoop, Refused
from webfarer.web.api import Api, _same_host
from webfarer.web.searching import ApiRequest
from webfarer.worlds.server import listen

KEY = "k3y-that-nobody-may-see"


async def echo(request):
    return web.json_response({"path": request.path_qs, "key": request.headers.get("X-Key"), **dict(request.query)})


async def test_a_private_host_is_asked_only_when_it_was_named():
    async with listen(echo) as site:
        async with Api(WebSettings()) as api:
            with pytest.raises(AddressRefused):
                await api.send(ApiRequest(site.url), 5)
        assert site.requests == []
        async with Api(WebSettings(), [site.url]) as api:
            assert (await api.send(ApiRequest(site.url, params={"q": "a b&c+d é"}), 5)).status == 200
        assert site.requests == ["/?q=a%20b%26c%2Bd%20%C3%A9"]


async def test_naming_one_port_opens_no_other():
    async with listen(echo) as named, listen(echo) as other, Api(WebSettings(), [named.url]) as api:
        with pytest.raises(AddressRefused):
            await api.send(ApiRequest(other.url), 5)
        assert other.requests == []


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/latest/meta-data", "http://[fe80::1%25eth0]/", "ftp://a.example/"]
)
async def test_what_is_never_asked(url):
    async with Api(WebSettings(), ["https://api.example"]) as api:
        with pytest.raises(Refused):
            await api.send(ApiRequest(url), 5)


async def test_a_key_never_follows_a_redirect_to_another_host():
    async with listen(echo) as thief:

        async def lure(request):
            return web.Response(status=307, headers={"Location": f"{thief.url}steal"})

        async with listen(lure) as site, Api(WebSettings(), [site.url, thief.url]) as api:
            with pytest.raises(Refused, match="redirects to"):
                await api.send(ApiRequest(site.url, secret={"X-Key": KEY}), 5)
        assert thief.requests == []


async def test_redirects_on_the_same_host():
    async def handle(request):
        if request.path == "/circle":
            return web.Response(status=302, headers={"Location": "/circle"})
        return web.Response(status=302, headers={"Location": "/new"}) if request.path == "/old" else await echo(request)

    async with listen(handle) as site, Api(WebSettings(), [site.url]) as api:
        assert "/new" in (await api.send(ApiRequest(f"{site.url}old"), 5)).body
        with pytest.raises(RedirectLoop):
            await api.send(ApiRequest(f"{site.url}circle"), 5)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("http://a.example/", "https://a.example/x", True),
        ("https://a.example/", "https://a.example/x", True),
        ("https://a.example/", "http://a.example/", False),
        ("http://a.example:8080/", "http://a.example:8081/", False),
        ("http://a.example:8080/", "https://a.example/", False),
        ("https://a.example/", "https://b.a.example/", False),
    ],
)
def test_which_redirect_stays(before, after, same):
    assert _same_host(before, after) is same


async def test_a_key_that_comes_back_is_blotted_out():
    async with listen(echo) as site, Api(WebSettings(), [site.url]) as api:
        reply = await api.send(ApiRequest(site.url, secret={"X-Key": f"Bearer {KEY}"}), 5)
        assert KEY not in repr(reply)
        assert "***" in reply.body


@pytest.mark.parametrize("key", [f"{KEY}\r\nX-Evil: 1", f"{KEY}\x00", f"{KEY}é"])
async def test_a_key_no_header_can_carry_is_told_without_showing_it(key):
    async with listen(echo) as site, Api(WebSettings(), [site.url]) as api:
        with pytest.raises(FetchError, match="copy it again") as caught:
            await api.send(ApiRequest(site.url, secret={"X-Key": key}), 5)
        assert KEY not in "".join(traceback.format_exception_only(caught.value))
        assert site.requests == []


@pytest.mark.parametrize(
    "url", ["localhost:8080", "searx.example", "ftp://searx.example", "http://me:pw@searx.example"]
)
def test_a_base_url_that_is_none(url):
    with pytest.raises(ConfigError, match="cannot be used"):
        Api(WebSettings(), [url])
