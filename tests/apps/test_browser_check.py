"""What `doctor` says about the browser."""

import pytest

from webfarer.apps.cli._browser_check import browser_check
from webfarer.core.config import Settings


async def test_a_browser_that_is_never_used_is_not_started() -> None:
    state, found, _ = await browser_check(Settings(browser="never", chromium="no-such-program"))
    assert state == "ok"
    assert "never" in found


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "expected"), [("auto", "warning"), ("always", "problem")])
async def test_what_is_missing_is_said_with_what_mends_it(mode: str, expected: str) -> None:
    state, found, mend = await browser_check(Settings(browser=mode, chromium="no-such-program"))
    assert state == expected
    assert "cannot be read" in found
    assert mend
