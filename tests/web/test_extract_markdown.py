"""How elements become markdown."""

import pytest

from webfarer.web.extract import read_page


def markdown(html: str) -> str:
    return read_page(html.encode(), url="https://site.example/a/b.html", content_type="text/html").markdown


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h1>One</h1><p>Two\n  three</p><h3>Four</h3>", "# One\n\nTwo three\n\n### Four"),
        ("<p>a<p>b", "a\n\nb"),
        ("<p>one <b>bold</b><i>ly</i> go</p>", "one boldly go"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<p>a<br>b<br><br>c</p>", "a\nb\nc"),
        ("<p>a</p><hr><p>b</p>", "a\n\n---\n\nb"),
        ("<p>E = mc<sup>2</sup></p>", "E = mc2"),
        ("<p>x&nbsp;y &lt;b&gt;</p>", "x y <b>"),
        ("<blockquote><p>a</p><p>b</p></blockquote><p>c</p>", "> a\n\n> b\n\nc"),
        ("<p><img src=x alt='A dog'> barks<img src=y alt=''><img src=z></p>", "![A dog] barks"),
        ("<p>Use <code>ls -l</code> now</p>", "Use `ls -l` now"),
        ("<p>Use <code>a`b</code> now</p>", "Use a`b now"),
        ("<p><a href=/x><code>json</code></a> and <code><a href=/y>dump</a></code></p>", "json and `dump`"),
        ("<button>Yes</button><button>No</button>", "Yes No"),
    ],
)
def test_blocks_and_inline(html: str, expected: str) -> None:
    assert markdown(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<ol start=3><li>a</li><li>b</li></ol>", "3. a\n4. b"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<ol><li>a<ul><li>b<ol><li>c</ol></ul></ol>", "1. a\n   - b\n     1. c"),
        ("<ul><li><p>a</p><p>b</p></li></ul>", "- a\n\n  b"),
        ("<ul><li><pre>x\ny</pre></li></ul>", "- ```\n  x\n  y\n  ```"),
        ("<dl><dt>term<dd>meaning<dt>other<dd><p>one</p><p>two</p></dl>", "term\n: meaning\n\nother\n: one\n\n  two"),
        ("<p>x</p><ul><li></li><li>b</li></ul><p>y</p>", "x\n\n- b\n\ny"),
    ],
)
def test_lists(html: str, expected: str) -> None:
    assert markdown(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<pre>\n  a\n\n    b\n\n</pre>", "```\n  a\n\n    b\n```"),
        ("<pre><span>a</span>\n<a href=/x>b</a>\n</pre>", "```\na\nb\n```"),
        ("<pre><code>a</code><br>b</pre>", "```\na\nb\n```"),
        ("<pre>``` inside</pre>", "````\n``` inside\n````"),
        ("<pre>a<span style='display:none'>secret</span>b</pre>", "```\nab\n```"),
        ("<pre> \n </pre>x", "x"),
    ],
)
def test_preformatted_text_keeps_its_lines(html: str, expected: str) -> None:
    assert markdown(html) == expected


def test_a_data_table_is_one_line_per_row() -> None:
    html = """<table><caption>Prices</caption><thead><tr><th>Item<th>Price</thead>
        <tr><td>A|B<td><p>1</p><p>EUR</p><tr><td>C<td>2<br>EUR<tr><td><td></table><p>end"""
    assert markdown(html) == "Prices\n\n| Item | Price |\n| --- | --- |\n| A\\|B | 1 EUR |\n| C | 2 EUR |\n\nend"


def test_spanning_cells_keep_the_columns_apart() -> None:
    html = """<table><tr><th>Year<th colspan=2>Sales</tr>
        <tr><td rowspan=2>2024<td>north<td>5<tr><td>south<td>7<tr><td>2025<td>north<td>6</table>"""
    assert markdown(html).splitlines() == [
        "| Year | Sales |  |",
        "| --- | --- | --- |",
        "| 2024 | north | 5 |",
        "|  | south | 7 |",
        "| 2025 | north | 6 |",
    ]


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr><td><h2>Head</h2><td>text</table>",
        "<table><tr><td>a<td><table><tr><td>b<td>c</table></table>",
        "<table><tr><td>only<tr><td>one<tr><td>column</table>",
        "<table role=presentation><tr><td>a<td>b</table>",
        "<table><tr><td><ul><li>a</ul><td><ul><li>b</ul></table>",
        "<table><tr><td><pre>1\n2</pre><td><pre>code\nlines</pre></table>",
    ],
)
def test_a_table_that_arranges_the_page_is_flattened(html: str) -> None:
    lines = markdown(html).splitlines()
    outer = [line for line in lines if line.startswith("|")]
    assert not outer or outer == ["| b | c |", "| --- | --- |"]
    assert len(lines) > 1


def test_a_list_in_a_headed_table_stays_in_its_cell() -> None:
    html = "<table><tr><th>k<th>v<tr><td>x<td><ul><li>one<li>two</ul></table>"
    assert markdown(html).splitlines()[-1] == "| x | one two |"


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>SECRET</p>",
        "<p aria-hidden=true>SECRET</p>",
        "<p style='display:none'>SECRET</p>",
        "<p style='color:red; DISPLAY : none !important'>SECRET</p>",
        "<div style='visibility:hidden'><p>SECRET</p></div>",
        "<span style='font-size:0'>SECRET</span>",
        "<span style='font-size:0.0px;color:red'>SECRET</span>",
        "<span style='opacity:0'>SECRET</span>",
        "<div style='position:absolute;left:-9999px'>SECRET</div>",
        "<!-- SECRET -->",
        "<script>SECRET</script><style>SECRET</style><template>SECRET</template>",
        "<svg><text>SECRET</text></svg><iframe>SECRET</iframe><noscript>SECRET</noscript>",
        "<select><option>SECRET</select><textarea>SECRET</textarea><dialog>SECRET</dialog>",
        "<a href=/x hidden>SECRET</a>",
    ],
)
def test_what_nobody_sees_is_left_out(hidden: str) -> None:
    page = read_page(f"<p>Enough visible text.</p>{hidden}<p>end</p>".encode(), url="https://site.example/")
    assert page.markdown == "Enough visible text.\n\nend"
    assert page.links == ()


@pytest.mark.parametrize("style", ["opacity:0.5", "font-size:small", "font-size:0.8em", "display:block", "left:-10px"])
def test_what_is_only_styled_stays(style: str) -> None:
    assert markdown(f"<p style='{style}'>seen</p>") == "seen"


def test_invisible_characters_are_dropped() -> None:
    assert markdown("<p>co\u00adop\u200berate\U000e0041 \u202ex&#8203;y&#1;</p>") == "cooperate xy"
    assert markdown("<pre>a\u200bb\r\nc</pre>") == "```\nab\nc\n```"


def test_noscript_counts_when_there_is_nothing_else() -> None:
    text = "This page works without scripts as well."
    assert markdown(f"<body><div id=app></div><noscript><p>{text}</p></noscript>") == text


def test_permalink_signs_are_no_text() -> None:
    assert markdown("<h2 id=a>Use<a class=headerlink href='#a'>¶</a></h2><p>See <a href='#b'>below</a>.") == (
        "## Use\n\nSee below."
    )
