"""Plugins with numbers as text: read back as they are written, and an error that says what could be written."""

from dataclasses import dataclass, replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.core.registry import Seam
from webfarer.core.specs import extended, id_of, made, spec_of


@dataclass(frozen=True)
class Plugin:
    few: int = 3
    share: float = 0.5
    strict: bool = False
    way: Literal["up", "down"] = "up"
    limit: int | None = None


class Shelf(Seam):
    """A seam with one plugin, whatever it is called."""

    def load(self, plugin_id: str) -> type[Plugin]:
        return Plugin


SEAM = Shelf("tests.core", "rule", "rule")


@given(
    st.builds(
        Plugin,
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.sampled_from(["up", "down"]),
        st.none() | st.integers(),
    )
)
def test_what_is_written_is_read_back(plugin: Plugin) -> None:
    assert spec_of(plugin).startswith(id_of(plugin))
    assert made(SEAM, spec_of(plugin)) == plugin


def test_fields_left_out_keep_their_default() -> None:
    assert made(SEAM, " one: few=5, limit=none,") == replace(Plugin(), few=5)
    assert made(SEAM, "one") == Plugin()


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("one:many=3", "rule one: 'many=3' is none of its parameters; known: few=3, share=0.5, strict=False, way=up"),
        ("one:few", "'few' is none of its parameters"),
        ("one:few=x", "rule one: few='x' is not one of: int"),
        ("one:strict=1", "strict='1' is not one of: bool"),
        ("one:way=left", "way='left' is not one of: 'up', 'down'"),
        ("one:limit=x", "is not one of: int, NoneType"),
    ],
)
def test_what_cannot_be_read_says_what_could(spec: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        made(SEAM, spec)


def test_a_spec_is_extended_whatever_it_says_already() -> None:
    assert extended("lora") == "lora"
    assert extended("lora", rank=4) == "lora:rank=4"
    assert extended("lora:rank=4,alpha=8", rank=2, dropout=0.1) == "lora:rank=4,alpha=8,rank=2,dropout=0.1"
