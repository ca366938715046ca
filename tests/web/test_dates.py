"""Dates: what a page says about itself, read in one way only."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.web.dates import iso_date
from webfarer.web.extract import read_page

DAYS = st.dates(datetime.date(1990, 1, 1), datetime.date(2100, 12, 31))
FORMATS = (
    "{0:%Y-%m-%d}",
    "{0:%Y-%m-%d}T08:30:00+02:00",
    "{0:%Y/%m/%d}",
    "{0:%Y.%m.%d}",
    "D:{0:%Y%m%d}083000Z",
    "D:{0:%Y%m%d}",
    "{0:%d} {1} {0:%Y}",
    "{0:%a}, {0:%d} {1} {0:%Y} 10:00:00 GMT",
    "{1} {0:%d}, {0:%Y}",
    "{0.year}年{0.month}月{0.day}日",
)
MONTHS = "January February March April May June July August September October November December".split()


@given(DAYS, st.sampled_from(FORMATS))
def test_known_forms_give_their_day(day: datetime.date, form: str) -> None:
    assert iso_date(form.format(day, MONTHS[day.month - 1])) == day.isoformat()
    assert iso_date(form.format(day, MONTHS[day.month - 1][:3])) == day.isoformat()


@given(st.text(max_size=250) | st.from_regex(r"[D:0-9 /.,\-年月日JanMay]{0,30}", fullmatch=True))
def test_whatever_the_text_it_is_a_day_or_nothing(text: str) -> None:
    found = iso_date(text)
    assert found == "" or datetime.date.fromisoformat(found).isoformat() == found


@pytest.mark.parametrize(
    "text",
    ["", "03/04/2025", "2025", "April 2025", "2025-02-30", "1889-01-01", "12025-01-01", "3.4.2025", "version 2024.1"],
)
def test_what_can_be_read_in_two_ways_says_nothing(text: str) -> None:
    assert iso_date(text) == ""


@pytest.mark.parametrize(
    ("html", "date"),
    [
        ('<meta property="article:published_time" content="2024-01-02T03:04:05Z">', "2024-01-02"),
        (
            '<meta property="article:published_time" content="2024-01-02">'
            '<meta property="article:modified_time" content="2024-03-04">',
            "2024-03-04",
        ),
        ('<meta name="DC.date" content="2 May 2023">', "2023-05-02"),
        (
            '<script type="application/ld+json">{"@type": "Article", "datePublished": "2022-01-05"}</script>',
            "2022-01-05",
        ),
        ('<p>Posted <time datetime="2021-06-07">last week</time></p>', "2021-06-07"),
        ("<ul><li><time>2021-06-07</time> A<li><time>2020-01-01</time> B</ul>", ""),
        ("<p>Last updated: 16 April 2025</p>", "2025-04-16"),
        ("<p>更新时间：2025-04-16</p>", "2025-04-16"),
        ("<p>Last updated</p><p>Born 16 April 1995.</p>", ""),
        ("<p>The treaty of 16 April 1995 holds.</p>", ""),
        (f"<p>Last updated {'x' * 50} 2025-04-16 and so on</p>", ""),
        ('<meta name="viewport" content="2024-01-01"><p>Nothing here.</p>', ""),
        ('<meta name="date" content="soon">', ""),
    ],
)
def test_pages(html: str, date: str) -> None:
    assert read_page(html.encode(), url="http://site.example/", content_type="text/html").date == date
