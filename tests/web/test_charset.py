"""Bytes to text: who is believed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.web.charset import decode, is_binary

ZH = "关于二〇二四年度预算执行情况的报告，以及明年的计划安排。"
JA = "これは日本語のページです。予算について説明します。"
KO = "이것은 예산에 관한 한국어 페이지입니다."


def page(text: str, charset: str = "") -> str:
    meta = f"<meta charset={charset}>" if charset else ""
    return f"<html><head>{meta}<title>x</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("text", "codec", "label", "name"),
    [
        (ZH, "gb18030", "gb2312", "gb18030"),
        (ZH, "gbk", "GBK", "gb18030"),
        ("預算報告", "big5", "Big5", "big5"),
        (JA, "shift_jis", "Shift_JIS", "shift_jis"),
        (JA, "euc_jp", "euc-jp", "euc-jp"),
        (JA, "iso2022_jp", "iso-2022-jp", "iso-2022-jp"),
        (KO, "euc_kr", "ks_c_5601-1987", "euc-kr"),
        ("“café” – 5 €", "cp1252", "ISO-8859-1", "windows-1252"),
        ("Привет, мир", "koi8_r", "koi8-r", "koi8-r"),
        (ZH, "utf-8", "UTF8", "utf-8"),
    ],
)
def test_header_and_meta_labels(text: str, codec: str, label: str, name: str) -> None:
    by_header = page(text).encode(codec)
    assert decode(by_header, f'text/html; charset="{label}"') == (page(text), name)
    by_meta = page(text, label).encode(codec)
    assert decode(by_meta, "text/html") == (page(text, label), name)


def test_http_equiv_and_xml_declarations() -> None:
    old = f'<meta http-equiv="Content-Type" content="text/html; charset=gb2312"><p>{ZH}'
    assert decode(old.encode("gb18030")) == (old, "gb18030")
    xml = f'<?xml version="1.0" encoding="gb2312"?><p>{ZH}'
    assert decode(xml.encode("gb18030")) == (xml, "gb18030")


def test_a_meta_in_a_comment_or_far_down_does_not_count() -> None:
    body = f"<!-- <meta charset=gbk> -->{page(ZH)}<p>{' ' * 5000}<meta charset=gbk>"
    assert decode(body.encode()) == (body, "utf-8")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_the_byte_order_mark_wins(codec: str) -> None:
    text, name = decode(page(ZH, "gbk").encode(codec), "text/html; charset=big5")
    assert text == page(ZH, "gbk")
    assert name.startswith("utf-")


def test_a_lying_header_is_overruled() -> None:
    gbk = page(ZH, "gbk").encode("gbk")
    assert decode(gbk, "text/html; charset=utf-8") == (page(ZH, "gbk"), "gb18030")
    utf8 = page(ZH).encode()
    for label in ("iso-8859-1", "gbk", "no-such-charset", "base64", "utf-7", ""):
        assert decode(utf8, f"text/html; charset={label}") == (page(ZH), "utf-8")


def test_the_header_beats_the_meta_where_both_decode() -> None:
    body = page("Привет, мир", "windows-1252").encode("cp1251")
    assert decode(body, "text/html; charset=windows-1251") == (page("Привет, мир", "windows-1252"), "windows-1251")


def test_a_body_cut_inside_a_character_keeps_its_encoding() -> None:
    body = page(ZH, "utf-8").encode()
    cut = body[: body.index("。".encode()) + 2]
    assert decode(cut, "text/html; charset=utf-8")[1] == "utf-8"
    assert ZH[:-2] in decode(cut)[0]


def test_a_few_bad_bytes_do_not_change_the_encoding() -> None:
    body = page(ZH * 10).encode().replace("报告".encode(), b"\xff", 1)
    text, name = decode(body, "text/html; charset=utf-8")
    assert name == "utf-8"
    assert text.count("\ufffd") == 1
    assert ZH in text


def test_undeclared_text_is_guessed() -> None:
    body = page((ZH + "我们认为这是一个很好的开始。") * 20).encode("gbk")
    assert ZH in decode(body)[0]


@given(st.binary(max_size=400), st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_bytes_decode(body: bytes, label: str) -> None:
    text, name = decode(body, f"text/html; charset={label}")
    assert name
    text.encode()  # no lone surrogates
    assert decode(body, f"text/html; charset={label}") == (text, name)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@settings(max_examples=100, deadline=None)
def test_utf8_survives(text: str) -> None:
    body = ("<p>" + text).encode()
    assert decode(body, "text/html; charset=utf-8") == ("<p>" + text, "utf-8")


def test_utf16_is_no_binary_when_it_is_declared() -> None:
    body = page(ZH).encode("utf-16-le")
    assert is_binary(body, "text/html")
    assert not is_binary(body, "text/html; charset=utf-16")
    assert decode(body, "text/html; charset=utf-16") == (page(ZH), "utf-16-le")
    assert not is_binary(page(ZH).encode("utf-16"), "")
