import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from webfarer.core.errors import AddressRefused, Refused
from webfarer.web.guard import Guard, canonical_url, split_fragment, with_scheme

CANONICAL = {
    "http://example.com": "http://example.com/",
    "HTTPS://EXAMPLE.com:443/A": "https://example.com/A",
    "http://example.com:80/": "http://example.com/",
    "http://example.com:/": "http://example.com/",
    "http://example.com:0443/": "http://example.com:443/",
    "http://example.com:8080/x#part": "http://example.com:8080/x",
    "http://example.com./": "http://example.com/",
    "  http://example.com/a\n": "http://example.com/a",
    "http://exa\tmple.com/": "http://example.com/",
    "http://example.com/a/./b/../c": "http://example.com/a/c",
    "http://example.com/a/%2e%2E/c": "http://example.com/c",
    "http://example.com/../../a": "http://example.com/a",
    "http://example.com/a/..": "http://example.com/",
    "http://example.com/a//b": "http://example.com/a//b",
    "http://example.com/%7euser/%c3%a4": "http://example.com/~user/%C3%A4",
    "http://example.com/ä b|c": "http://example.com/%C3%A4%20b%7Cc",
    "http://example.com/100%": "http://example.com/100%25",
    "http://example.com/a%2fb": "http://example.com/a%2Fb",
    "http://example.com?q=a b&r=[1]": "http://example.com/?q=a%20b&r=%5B1%5D",
    "http://example.com/?q=\\x": "http://example.com/?q=%5Cx",
    "http://example.com/a?": "http://example.com/a",
    "http:\\\\example.com\\a": "http://example.com/a",
    "https://good.example\\@evil.example/": "https://good.example/@evil.example/",
    "http://bücher.example/": "http://xn--bcher-kva.example/",
    "http://faß.example/": "http://xn--fa-hia.example/",
    "http://ｅｘａｍｐｌｅ。com/": "http://example.com/",
    "http://ex%61mple.com/": "http://example.com/",
    "http://my_site.example.com/": "http://my_site.example.com/",
    "http://r3---sn.example.com/": "http://r3---sn.example.com/",
    "http://[2001:DB8:0::1]/": "http://[2001:db8::1]/",
}
LOOPBACK_IN_DISGUISE = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0X7F.0.0.0x1",
    "0177.0.0.01",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "１２７.0.0.1",
    "127。0．0｡1",
    "①②⑦.0.0.1",
]
UNREADABLE = [
    "",
    "example.com/a",
    "/a",
    "//example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/html,x",
    "gopher://127.0.0.1/",
    "http://",
    "http:///a",
    "http:example.com",
    "http://user@example.com/",
    "http://user:pass@example.com/",
    "http://:80/",
    "http://example.com:99999/",
    "http://example.com:0/",
    "http://example.com:-1/",
    "http://example.com:8o/",
    "http://example.com:８０/",
    "http://exa mple.com/",
    "http://exa<mple.com/",
    "http://example..com/",
    "http://.example.com/",
    "http://-example.com/",
    f"http://{'a' * 64}.com/",
    "http://" + "a." * 200 + "com/",
    "http://1.2.3.4.5/",
    "http://256.1.1.1/",
    "http://1.2.3.256/",
    "http://1.2.3.08/",
    "http://4294967296/",
    "http://example.123/",
    "http://0x.example.0xg1.1/",
    "http://%00.example.com/",
    "http://a%2fb.example/",
    "http://%ff.example/",
    "http://[::1/",
    "http://[::1]x/",
    "http://[127.0.0.1]/",
    "http://a℀b.example/",
    "http://i❤.example/",
    "http://example.com/\ud800",
]


@pytest.mark.parametrize(("url", "expected"), CANONICAL.items())
def test_every_url_has_one_spelling(url: str, expected: str) -> None:
    assert canonical_url(url) == expected
    assert canonical_url(expected) == expected


@pytest.mark.parametrize("host", LOOPBACK_IN_DISGUISE)
def test_numeric_hosts_become_plain_addresses(host: str) -> None:
    assert canonical_url(f"http://{host}/") == "http://127.0.0.1/"
    with pytest.raises(AddressRefused, match="loopback"):
        Guard().check_url(f"http://{host}/")


@pytest.mark.parametrize("url", UNREADABLE)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Refused) as caught:
        canonical_url(url)
    assert "cannot read the URL" in caught.value.message


@pytest.mark.parametrize("host", ["[fe80::1%25eth0]", "[fe80::1%eth0]", "[2606:4700::1%25lo]"])
def test_zone_ids_are_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        canonical_url(f"http://{host}/")


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("c", "https://a.example/x//y/c"),
        ("./c?d", "https://a.example/x//y/c?d"),
        ("../c", "https://a.example/x//c"),
        ("/c", "https://a.example/c"),
        ("//b.example/c", "https://b.example/c"),
        ("?z=2", "https://a.example/x//y/page?z=2"),
        ("#top", "https://a.example/x//y/page?q=1"),
        ("", "https://a.example/x//y/page?q=1"),
        ("http://b.example", "http://b.example/"),
        ("\\\\b.example\\c", "https://b.example/c"),
        ("a?u=http://b/../c", "https://a.example/x//y/a?u=http://b/../c"),
    ],
)
def test_links_are_resolved_against_their_page(link: str, expected: str) -> None:
    assert canonical_url(link, "https://a.example/x//y/page?q=1") == expected


@pytest.mark.parametrize("link", ["mailto:x@b.example", "javascript:void(0)", "tel:110", "HTTP:"])
def test_links_to_other_schemes_are_refused(link: str) -> None:
    with pytest.raises(Refused):
        canonical_url(link, "https://a.example/")


@given(
    st.one_of(
        st.text(max_size=40),
        st.builds(
            "{}://{}{}/{}".format,
            st.sampled_from(["http", "HTTPS"]),
            st.sampled_from(["a.example", "B.example.", "0x7f.1", "[::FFFF:1.2.3.4]", "bücher.example", "ａ。b"]),
            st.sampled_from(["", ":80", ":443", ":8000"]),
            st.text(st.sampled_from("a%2eE5./\\?#&=ä [~\t€") | st.characters(), max_size=30),
        ),
    )
)
def test_canonical_url_is_idempotent(url: str) -> None:
    try:
        once = canonical_url(url)
    except Refused:
        assume(False)
    assert canonical_url(once) == once
    assert re.fullmatch(r"https?://[a-z0-9._:\[\]-]+/[!-~]*", once)
    assert "#" not in once
    assert not re.search(r"/\.\.?(/|$|\?)", once.partition("?")[0])


@given(st.text(st.sampled_from("ab/.%2eE?#"), max_size=12))
def test_joining_agrees_with_the_absolute_form(link: str) -> None:
    absolute = canonical_url("http://h.example/" + link.lstrip("/"))
    assert canonical_url("/" + link.lstrip("/"), "http://h.example/x/y") == absolute


def test_split_fragment() -> None:
    assert split_fragment("http://a/b#c#d") == ("http://a/b", "c#d")
    assert split_fragment("http://a/b") == ("http://a/b", "")


def test_an_address_without_a_scheme_gets_https() -> None:
    assert with_scheme("a.example/x") == "https://a.example/x"
    assert with_scheme("http://a.example/x") == "http://a.example/x"
