"""Is a page an empty shell that its scripts are to fill?

Judged by what the fetch brought: the text that was read, the scripts, a `<noscript>` that asks for JavaScript and the
empty containers that the usual frameworks fill. A page that says enough without its scripts is none, nor is a wall (a
login, a block page): opening those in a browser would not help. Not a proof: a shell taken for a page costs an answer,
a page taken for a shell costs a second, so doubt is decided for the browser.
"""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from webfarer.core.types import Page, PageKind
from webfarer.web.charset import decode

_ENOUGH = 120  # characters of main text, a Chinese one counting three, that make a page whatever its scripts would add
_PLENTY = 600  # the same where the page shows an empty container
_HEAD = 2_000_000  # bytes of markup looked at
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_CONTAINERS = (
    "#root, #app, #__next, #__nuxt, #___gatsby, #q-app, #svelte, #main-app, #app-root, #react-root, #ember-app, "
    "#mount, [data-reactroot], [ng-app], [ng-version], [data-server-rendered], app-root, my-app, main, [role=main]"
)
_ASKS = re.compile(
    r"javascript.{0,60}(?:enable|require|need|turn(?:ed)? on|disabled)|(?:enable|require|need|turn on).{0,60}javascript"
    r"|(?:启用|开启|打开|需要|支持).{0,20}(?:javascript|js)|javascript.{0,20}(?:启用|开启|打开|才能|必)",
    re.IGNORECASE | re.DOTALL,
)
_DATA = re.compile(r"json|template|text/(?:x-|html|plain)", re.IGNORECASE)


def needs_browser(page: Page, body: bytes, content_type: str = "") -> bool:
    """Say whether `page` would only say something once its scripts had run.

    Args:
        page: as it was read from `body`.
        body: what the server sent, content encoding undone.
        content_type: the Content-Type header.
    """
    if page.kind not in (PageKind.CONTENT, PageKind.EMPTY) or b"<script" not in body[:_HEAD].lower():
        return False
    main = "".join(page.markdown[span.start : span.end] for region, span in page.spans if region == "main")
    said = len(main.strip()) + 2 * len(_WIDE.findall(main))
    if said >= _PLENTY:
        return False
    tree = LexborHTMLParser(decode(body[:_HEAD], content_type)[0], scripting=True)
    if not any(map(_runs, tree.css("script"))):
        return False
    if page.kind is PageKind.EMPTY or any(map(_is_empty, tree.css(_CONTAINERS))):
        return True
    asked = any(_ASKS.search(node.text()) for node in tree.css("noscript"))
    return said < _ENOUGH and (asked or not page.links) and tree.css_first("h1, h2") is None


def _runs(script: LexborNode) -> bool:
    """Say whether a `<script>` holds or loads a program (not data)."""
    attributes = script.attributes
    return not _DATA.search(attributes.get("type") or "") and bool(attributes.get("src") or script.text().strip())


def _is_empty(container: LexborNode) -> bool:
    """Say whether an element shows no more than a word or two ("Loading…")."""
    return len(container.text(strip=True)) < 40 and container.css_first("a[href]") is None
