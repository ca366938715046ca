"""Starting and ending one Chromium: where it is, its flags, and that nothing of it is left behind.

It gets an environment of its own (no keys, no host profile), talks to the network through one proxy only and never
resolves a name itself. Not a page: what is done with it is :mod:`webfarer.web.browser`'s business. Source: Chromium's
list of command-line switches.
"""

import asyncio
import os
import shutil
import signal
import tempfile
from contextlib import AsyncExitStack, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from webfarer.core.errors import ConfigError

if TYPE_CHECKING:
    from playwright.async_api import Browser

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 20.0
_END_SECONDS = 3.0
MEND = "pip install 'webfarer[browser]' && playwright install chromium  (or: apt install chromium)"
"""What makes pages with scripts readable where they are not."""

FLAGS = (
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # names are the proxy's business
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-sync",
    "--disable-gpu",
    "--blink-settings=imagesEnabled=false",
    "--mute-audio",
    "--no-pings",
    "--js-flags=--max-old-space-size=512",
)


def find_chromium(configured: str = "") -> str | None:
    """Return the Chromium to start; None: the one Playwright has downloaded, if any.

    Raises:
        ConfigError: the one in the settings does not exist.
    """
    if configured:
        found = shutil.which(configured)
        if found is None:
            raise ConfigError(f"the setting chromium names {configured!r}, which is no program", setting="chromium")
        return found
    return next(filter(None, map(shutil.which, _NAMES)), None)


def sandboxed() -> bool:
    """Say whether Chromium can shut its pages off from this machine: it refuses to for root."""
    return not hasattr(os, "geteuid") or os.geteuid() != 0


class Chromium:
    """A running Chromium.

    Attributes:
        browser: Playwright's handle on it.
    """

    def __init__(self, browser: "Browser", pid: int, closing: AsyncExitStack) -> None:
        self.browser = browser
        self._pid = pid
        self._closing = closing

    @classmethod
    async def start(cls, configured: str, proxy_url: str) -> "Chromium":
        """Start one whose only way out is the proxy.

        Raises:
            ConfigError: Playwright or Chromium is missing or does not start; the message says what mends it.
        """
        if find_spec("playwright") is None:
            raise ConfigError(f"pages made by scripts need Playwright and Chromium: {MEND}")
        from playwright.async_api import Error, async_playwright

        program = find_chromium(configured)
        async with AsyncExitStack() as closing:
            home = closing.enter_context(tempfile.TemporaryDirectory(prefix="webfarer-", ignore_cleanup_errors=True))
            playwright = await closing.enter_async_context(async_playwright())
            try:
                browser = await playwright.chromium.launch(
                    executable_path=program,
                    args=FLAGS,
                    chromium_sandbox=sandboxed(),
                    proxy={"server": proxy_url},
                    env={"PATH": os.environ.get("PATH", ""), "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"},
                    handle_sigint=False,  # Ctrl-C is ours to handle: it ends the run, and that ends the browser
                    timeout=_START_SECONDS * 1000,
                )
                session = await browser.new_browser_cdp_session()
                processes = (await session.send("SystemInfo.getProcessInfo"))["processInfo"]
            except Error as error:
                reason = str(error).strip().splitlines()[0]
                raise ConfigError(f"Chromium does not start: {reason}; {MEND}", chromium=program or "") from error
            pid = next(process["id"] for process in processes if process["type"] == "browser")
            return cls(browser, pid, closing.pop_all())
        raise AssertionError("unreachable")

    @property
    def alive(self) -> bool:
        """False once it crashed or was ended."""
        return self.browser.is_connected()

    async def end(self) -> None:
        """End it, by force when it does not react, and remove its files."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(_END_SECONDS):
                with suppress(Error):
                    await self.browser.close()
        except TimeoutError:
            self.kill()
        await self._closing.aclose()

    def kill(self) -> None:
        """End its processes at once; Playwright made them a process group of their own."""
        with suppress(ProcessLookupError):
            if os.getpgid(self._pid) == self._pid:
                os.killpg(self._pid, signal.SIGKILL)
