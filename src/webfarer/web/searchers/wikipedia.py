"""Wikipedia's own search, in the language of the query; no key. With another base URL, any MediaWiki.

Source: mediawiki.org, "API:Search" and "API:Siteinfo" (which gives the address of an article); 300 characters a query.
"""

import re
from typing import Any, ClassVar
from urllib.parse import quote, urljoin

from webfarer.core.config import Settings
from webfarer.core.errors import NoResults, SearchError, SearchRateLimited, SearchUnavailable
from webfarer.core.types import Hit
from webfarer.web.searchers._replies import Row, hits, json_object, list_in, said
from webfarer.web.searching import ApiReply, ApiRequest, Query, base_of, cut

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_HOST = re.compile(r"(?:([a-z]{2,12})\.)?(?:m\.)?wikipedia\.org(?:/|$)")


class Wikipedia:
    """The engine."""

    needs: ClassVar[str] = ""
    longest: ClassVar[int] = 300

    def request(self, query: Query, settings: Settings) -> ApiRequest:
        """Ask the Wikipedia of the query's language, or the one its sites name."""
        language = query.language if _LANGUAGE.fullmatch(query.language) else "en"
        named = base_of("wikipedia", "", settings)
        if query.sites and not named:
            wikis = [wiki[1] or language for site in query.sites if (wiki := _HOST.match(site))]
            if not wikis:
                raise NoResults("Wikipedia holds no pages of the sites that were chosen")
            language = wikis[0]
        params = {
            "action": "query",
            "format": "json",
            "formatversion": "2",
            "list": "search",
            "srsearch": cut(query.text, self.longest),
            "srlimit": str(query.results),
            "srprop": "snippet|timestamp",
            "meta": "siteinfo",
            "siprop": "general",
        }
        return ApiRequest(f"{named or f'https://{language}.wikipedia.org'}/w/api.php", params=params)

    def parse(self, reply: ApiReply) -> list[Hit]:
        """Read `query.search`; errors come with status 200."""
        answer = json_object(reply)
        if "error" in answer:
            raise _refused(answer["error"])
        rows = list_in(answer, "query", "search")
        articles = _articles(answer["query"].get("general"))
        return hits(
            Row(_address(articles, row.get("title")), row.get("title"), row.get("snippet"), row.get("timestamp"))
            for row in rows
        )

    def refusal(self, reply: ApiReply) -> SearchError | None:
        """Nothing of its own."""
        return None


def _refused(error: Any) -> SearchError:
    code = error.get("code") if isinstance(error, dict) else ""
    if code == "ratelimited":
        return SearchRateLimited("Wikipedia: too many requests", status=200)
    return SearchUnavailable(f"Wikipedia answers with an error: {said(error) or code or 'unknown'}", status=200)


def _articles(general: Any) -> str:
    """Return the pattern of an article's address, "$1" in it its title."""
    try:
        return urljoin("https:", str(general["server"])) + str(general["articlepath"])
    except (TypeError, KeyError, ValueError) as error:
        raise SearchUnavailable("the answer cannot be read: it does not say where the articles are") from error


def _address(articles: str, title: Any) -> str:
    return (
        articles.replace("$1", quote(title.replace(" ", "_"))) if isinstance(title, str) and title.isprintable() else ""
    )


engine = Wikipedia()
