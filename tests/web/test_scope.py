import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import Refused
from webfarer.web.scope import Scope, looks_like_page

TABLE = [
    # root, URL, inside by host, inside with subdomains
    ("https://example.com/", "https://example.com/a/b?c", True, True),
    ("https://example.com/", "http://example.com/a", True, True),
    ("https://example.com/", "https://www.example.com/a", True, True),
    ("https://www.example.com/", "https://example.com/a", True, True),
    ("https://example.com/", "https://docs.example.com/a", False, True),
    ("https://docs.example.com/", "https://example.com/", False, True),
    ("https://example.com/", "https://example.com.evil/", False, False),
    ("https://example.com/", "https://evilexample.com/", False, False),
    ("https://example.com/", "https://example.org/", False, False),
    ("https://example.com/", "https://example.com:8443/", False, False),
    ("https://example.com:8443/", "https://example.com:8443/a", True, True),
    ("https://example.com:443/", "http://example.com:80/a", True, True),
    ("https://example.com:80/", "http://example.com/a", False, False),
    ("https://example.com/", "ftp://example.com/", False, False),
    ("https://example.com/", "mailto:a@example.com", False, False),
    ("https://example.com/", "https://u@example.com/", False, False),
    ("https://example.com/", "https://good.example\\@example.com/", False, False),
    ("https://a.co.uk/", "https://b.co.uk/", False, False),
    ("https://a.example.co.uk/", "https://b.example.co.uk/", False, True),
    ("https://a.github.io/", "https://b.github.io/", False, False),
    ("https://www.com/", "https://com/", False, False),
    ("http://127.0.0.1:8000/", "http://127.0.0.1:8000/a", True, True),
    ("http://127.0.0.1:8000/", "http://127.0.0.1:8001/a", False, False),
    ("http://10.0.0.1/", "http://11.0.0.1/", False, False),
    ("http://127.0.0.1/", "http://0x7f.1/a", True, True),
    ("http://localhost:1234/", "http://localhost:1234/a", True, True),
    ("http://[::1]:80/", "http://[0::1]/a", True, True),
    ("https://bücher.example/", "https://XN--BCHER-KVA.example./a", True, True),
    ("https://a.example/docs/index.html", "https://a.example/docs/", True, True),
    ("https://a.example/docs/index.html", "https://a.example/docs", True, True),
    ("https://a.example/docs/index.html", "https://a.example/docs/b/c.html", True, True),
    ("https://a.example/docs/index.html", "https://a.example/", False, False),
    ("https://a.example/docs/index.html", "https://a.example/docsevil", False, False),
    ("https://a.example/docs", "https://a.example/docs", True, True),
    ("https://a.example/docs", "https://a.example/docs?x", True, True),
    ("https://a.example/docs", "https://a.example/docs/b", True, True),
    ("https://a.example/docs", "https://a.example/docs-old", False, False),
    ("https://a.example/docs/3.11/", "https://a.example/docs/3.11/x", True, True),
    ("https://a.example/docs/3.11", "https://a.example/docs/3.12/x", False, False),
    ("https://a.example/docs/", "https://a.example/docs/../secret", False, False),
    ("https://a.example/docs/", "https://a.example/docs/%2e%2e/secret", False, False),
    ("https://a.example/docs/", "https://a.example/Docs/", False, False),
    ("https://a.example/docs/", "https://a.example/docs%2Fx", False, False),
    ("https://a.example/index.php?page=1", "https://a.example/other", True, True),
    ("https://a.example/", "https://a.example/logo.png", False, False),
    ("https://a.example/", "https://a.example/paper.ZIP?dl=1", False, False),
]


@pytest.mark.parametrize(("root", "url", "by_host", "by_domain"), TABLE)
def test_scope_table(root: str, url: str, by_host: bool, by_domain: bool) -> None:
    assert Scope(root).contains(url) is by_host
    assert Scope(root, subdomains=True).contains(url) is by_domain


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://a.example/", True),
        ("https://a.example/a", True),
        ("https://a.example/a.html", True),
        ("https://a.example/a.php?img=b.png", True),
        ("https://a.example/v1.2", True),
        ("https://a.example/png", True),
        ("https://a.example/.zip", True),
        ("https://a.example/notes.txt", True),
        ("https://a.example/wiki/Node.js", True),
        ("https://a.example/wiki/File:Map.png", True),
        ("https://a.example/dir.zip/page", True),
        ("https://a.example/a.JPG", False),
        ("https://a.example/a.tar.gz", False),
        ("https://a.example/site.css?v=2", False),
        ("https://a.example/app.js", False),
        ("https://a.example/song.mp3", False),
        ("https://a.example/font.woff2", False),
        ("https://a.example/paper.pdf", True),
        ("https://a.example/paper.ps", False),
    ],
)
def test_looks_like_page(url: str, page: bool) -> None:
    assert looks_like_page(url) is page


def test_a_root_that_is_no_web_address_is_refused() -> None:
    with pytest.raises(Refused):
        Scope("example.com")


SEGMENT = st.text(st.sampled_from("abc-"), min_size=1, max_size=4)


@given(st.lists(SEGMENT, max_size=3), st.lists(SEGMENT, max_size=5))
def test_scope_is_a_prefix_of_segments(folder: list[str], path: list[str]) -> None:
    root = "https://a.example/" + "".join(f"{part}/" for part in folder)
    inside = path[: len(folder)] == folder
    assert Scope(root).contains("https://a.example/" + "/".join(path)) is inside
    assert Scope(root).contains(root)
