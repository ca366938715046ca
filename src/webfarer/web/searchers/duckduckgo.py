"""DuckDuckGo's page for browsers without JavaScript; no key, and no promise: it shows a CAPTCHA when it likes.

Not an API: what is read are the classes of its HTML. Source: html.duckduckgo.com (the form sends q and kl by POST).
"""

from typing import ClassVar
from urllib.parse import parse_qs, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from webfarer.core.config import Settings
from webfarer.core.errors import SearchBlocked, SearchError, SearchUnavailable
from webfarer.core.types import Hit
from webfarer.web.searchers._replies import Row, hits
from webfarer.web.searching import ApiReply, ApiRequest, Query, base_of, with_operators

_REGIONS = {"en": "us-en", "zh": "cn-zh", "ja": "jp-jp", "ko": "kr-kr", "de": "de-de", "fr": "fr-fr", "ru": "ru-ru"}
_EVERYWHERE = "wt-wt"
_ADVERTISEMENT = "/y.js"
_CAPTCHA = ".anomaly-modal__mask, #challenge-form, form[action*='anomaly.js']"
_MEND = "wait a few minutes, or configure an engine with a key or a SearXNG"


class DuckDuckGo:
    """The engine."""

    needs: ClassVar[str] = ""
    longest: ClassVar[int] = 499

    def request(self, query: Query, settings: Settings) -> ApiRequest:
        """Send the page's form."""
        base = base_of("duckduckgo", "https://html.duckduckgo.com", settings)
        region = _REGIONS.get(query.language, _EVERYWHERE)
        form = {"q": with_operators(query, self.longest), "kl": region}
        return ApiRequest(f"{base}/html/", "POST", form=form)

    def parse(self, reply: ApiReply) -> list[Hit]:
        """Read the results that are no advertisements."""
        tree = LexborHTMLParser(reply.body)
        if tree.css_first(_CAPTCHA):
            raise _blocked(reply)
        results = tree.css(".result:not(.result--ad):not(.result--no-result)")
        if not results and not tree.css_first(".no-results, .result--no-result"):
            raise SearchUnavailable("DuckDuckGo's page has no results where they used to be", status=reply.status)
        return hits(_row(result) for result in results)

    def refusal(self, reply: ApiReply) -> SearchError | None:
        """Statuses 202 and 403 come with the CAPTCHA."""
        return _blocked(reply) if reply.status in (202, 403) else None


def _row(result: LexborNode) -> Row:
    link, snippet = result.css_first("a.result__a"), result.css_first(".result__snippet")
    dates = [span.text(strip=True) for span in result.css(".result__extras__url > span:not([class])")]
    return Row(
        _target((link.attributes.get("href") if link else None) or ""),
        link.text() if link else "",
        snippet.text() if snippet else "",
        dates[-1] if dates else "",
    )


def _target(href: str) -> str:
    """Return where a result leads: behind the engine's own redirect; "" for an advertisement."""
    try:
        url = urlsplit(urljoin("https://duckduckgo.com/", href))
        own = (url.hostname or "").endswith("duckduckgo.com")
    except ValueError:
        return ""
    if own and url.path == "/l/":
        return parse_qs(url.query).get("uddg", [""])[0]
    return "" if not href or (own and url.path == _ADVERTISEMENT) else url.geturl()


def _blocked(reply: ApiReply) -> SearchBlocked:
    return SearchBlocked("DuckDuckGo shows a CAPTCHA instead of results", status=reply.status, mend=_MEND)


engine = DuckDuckGo()
