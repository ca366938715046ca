"""Can pages that exist only after JavaScript be read here? Opens one on this machine, in the real Chromium."""

from typing import Any, Literal

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, FetchError
from webfarer.web.browser import Browser
from webfarer.web.chromium import MEND, sandboxed
from webfarer.web.guard import Guard
from webfarer.worlds.server import html_response, listen

_SECONDS = 30.0
_PAGE = "<script>document.write(6 * 7)</script>"


async def browser_check(settings: Settings) -> tuple[Literal["ok", "warning", "problem"], str, str]:
    """Return the state, what was found, and what mends it."""
    if settings.browser == "never":
        return "ok", "not used (the setting browser is never)", ""

    async def handle(request: object) -> Any:
        return html_response(_PAGE)

    try:
        async with listen(handle) as site, Browser(settings, Guard(("127.0.0.1",))) as browser:
            answer = await browser.open(site.url, seconds=_SECONDS)
    except ConfigError as error:
        state: Literal["warning", "problem"] = "problem" if settings.browser == "always" else "warning"
        return state, f"pages made by scripts cannot be read: {error.message.removesuffix(MEND).rstrip(' ;:')}", MEND
    except (FetchError, OSError) as error:
        return "problem", f"a page on 127.0.0.1 was not read: {error}", "set WEBFARER_BROWSER=never to do without"
    if b"<body>42" not in answer.body.replace(b"\n", b"").replace(_PAGE.encode(), b""):
        return "problem", "Chromium runs, but no scripts in it", "look at the policies in /etc/chromium"
    if not sandboxed():
        return "warning", "works, but without Chromium's sandbox", "run Webfarer as another user than root"
    return "ok", "reads pages made by scripts", ""
