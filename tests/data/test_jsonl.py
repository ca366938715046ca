"""Files of one kind of object: what was written is read, and an error names the line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from webfarer.core.errors import ConfigError
from webfarer.data.jsonl import line_of, read_lines, write_lines


class Thing(BaseModel):
    version: int = 3
    name: str
    sizes: tuple[float, ...] = ()


SIZES = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3)
THINGS = st.lists(st.builds(Thing, name=st.text(st.characters(codec="utf-8")), sizes=SIZES.map(tuple)), max_size=5)


@given(things=THINGS)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, things: list[Thing]) -> None:
    path = tmp_path_factory.getbasetemp() / "things.jsonl"
    write_lines(path, things)
    assert list(read_lines(path, Thing, "thing")) == things
    assert path.read_bytes() == b"".join(map(line_of, things))


def test_a_line_has_the_version_and_nothing_that_goes_without_saying() -> None:
    assert json.loads(line_of(Thing(name="艾达 \ud83d"))) == {"version": 3, "name": "艾达 ?"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"version": 3}, "row 2: no thing: name: Field required"),
        ({"name": "b", "sizes": [1, "x"]}, r"row 2: no thing: sizes.1: "),
        ({"version": 4, "named": "b"}, "row 2: version 4 of the schema; this program reads 3"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, line: dict[str, object], why: str) -> None:
    path = tmp_path / "things.jsonl"
    path.write_bytes(line_of(Thing(name="a")) + json.dumps(line).encode())
    with pytest.raises(ConfigError, match=why):
        list(read_lines(path, Thing, "thing"))
