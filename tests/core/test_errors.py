"""The tree of errors: what is drawn is what is, and what is recorded comes back."""

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core import errors
from webfarer.core.errors import FetchError, HttpStatus, ModelError, WebfarerError, boundary, from_dict

CLASSES = {
    name: cls
    for name, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, WebfarerError) and cls.__module__ == errors.__name__
}
JSON = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9) | st.lists(st.text())
)


def drawn() -> dict[str, str]:
    """Read child → parent from the tree in the docstring."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([│├└─ ]*)([A-Z]\w+)(?:  |$)", line):
            depth = len(found[1]) // 4
            del path[depth:]
            if path:
                parents[found[2]] = path[-1]
            path.append(found[2])
    return parents


def test_the_drawn_tree_is_the_real_one():
    real = {name: cls.__bases__[0].__name__ for name, cls in CLASSES.items() if cls is not WebfarerError}
    assert drawn() == real


@given(st.sampled_from(sorted(CLASSES)), st.text(), st.dictionaries(st.sampled_from(["url", "status", "x"]), JSON))
def test_every_error_survives_its_record(name, message, detail):
    error = CLASSES[name](message, cost={"tokens": 3}, **detail)
    again = from_dict(error.to_dict())
    assert type(again) is type(error)
    assert (again.message, str(again), again.detail) == (message, message, detail)


def test_an_unknown_class_becomes_the_root():
    assert type(from_dict({"error": "FromTheFuture", "message": "m"})) is WebfarerError


def test_boundary_classifies_plain_errors_once_and_keeps_the_cause():
    with (
        pytest.raises(FetchError, match=r"parsing x: ValueError: b") as caught,
        boundary(FetchError, "parsing x", n=1),
    ):
        raise ValueError("bad")
    assert caught.value.detail == {"n": 1}
    assert isinstance(caught.value.__cause__, ValueError)


def test_boundary_passes_errors_of_the_tree_unchanged():
    inner = HttpStatus("404", status=404)
    with pytest.raises(HttpStatus) as caught, boundary(ModelError, "asking"):
        raise inner
    assert caught.value is inner


def test_boundary_lets_cancellation_and_interrupts_through():
    with pytest.raises(KeyboardInterrupt), boundary(FetchError, "parsing"):
        raise KeyboardInterrupt
