import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import NotReadable, TooLarge, Unreachable
from webfarer.web.decode import Body


def decode(data: bytes, *, chunk: int = 1 << 20, limit: float = 1e9, ratio: float = 1e6, coding: str = "gzip") -> bytes:
    body = Body(coding, limit, ratio)
    for at in range(0, len(data), chunk):
        body.feed(data[at : at + chunk])
        assert len(body.held) <= limit
    return body.finish()


@given(
    st.lists(st.binary(max_size=300).map(lambda b: b * 50), min_size=1, max_size=3),
    st.integers(1, 64),
    st.sampled_from([b"", b"\0", b"\0" * 20, b"\x1f", b"trailing"]),
)
def test_members_and_padding_are_read_however_they_are_cut(members: list[bytes], chunk: int, padding: bytes) -> None:
    data = b"".join(map(gzip.compress, members)) + padding
    assert decode(data, chunk=chunk) == b"".join(members)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 1000), st.integers(1, 50))
def test_every_truncation_is_noticed(content: bytes, cut: int, chunk: int) -> None:
    data = gzip.compress(content)
    with pytest.raises(Unreachable, match="too early"):
        decode(data[: -1 - cut % (len(data) - 1)], chunk=chunk)


@given(st.integers(0, 400_000), st.integers(0, 400_000), st.sampled_from(["gzip", ""]), st.integers(1000, 100_000))
def test_a_body_passes_exactly_up_to_the_limit(size: int, limit: int, coding: str, chunk: int) -> None:
    content = b"x" * size
    data = gzip.compress(content, 1) if coding else content
    if size <= limit:
        assert decode(data, coding=coding, limit=limit, chunk=chunk) == content
    else:
        with pytest.raises(TooLarge):
            decode(data, coding=coding, limit=limit, chunk=chunk)


def test_a_second_member_cut_short_is_noticed() -> None:
    data = gzip.compress(b"one") + gzip.compress(b"two" * 100)[:-4]
    with pytest.raises(Unreachable, match="too early"):
        decode(data)


def test_a_bomb_is_never_held() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(15)) + packer.flush()
    body = Body("gzip", 300_000, 1e6)
    with pytest.raises(TooLarge, match="300000"):
        body.feed(bomb)
    assert len(body.held) == 300_000


def test_the_ratio_counts_once_a_megabyte_is_decoded() -> None:
    small, large = gzip.compress(b"\0" * 900_000), gzip.compress(b"\0" * 3_000_000)
    assert len(decode(small, ratio=10)) == 900_000
    body = Body("gzip", 1e9, 10)
    with pytest.raises(TooLarge, match="10 times"):
        body.feed(large)
    assert len(body.held) < 1_100_000


@pytest.mark.parametrize("coding", ["", "identity", "IDENTITY"])
def test_plain_bodies_pass(coding: str) -> None:
    assert decode(b"\x1f\x8b not gzip", coding=coding) == b"\x1f\x8b not gzip"


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "compress", "x"])
def test_codings_nobody_asked_for_are_not_read(coding: str) -> None:
    with pytest.raises(NotReadable, match="not asked for"):
        Body(coding, 10, 10)


def test_an_empty_body_is_empty_in_any_coding() -> None:
    assert decode(b"") == b""
    assert decode(b"", coding="") == b""


@pytest.mark.parametrize(
    "data", [b"<html>", gzip.compress(b"a" * 100, mtime=0)[:-8] + bytes(8)], ids=["no header", "wrong checksum"]
)
def test_damaged_gzip_is_unreachable(data: bytes) -> None:
    with pytest.raises(Unreachable, match="damaged"):
        decode(data)
