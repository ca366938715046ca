"""The walker without a model: best-first over every link seen, with backtracking.

Each link's target is a small document made of all labels, headings, contexts and URLs that point to it from the pages
read; the question is matched against these with BM25, part by part. Pages that list a site (contents, index, sitemap)
are opened first where a site has many links, since they say most about where everything is. Deterministic.
Anchor text as a description of its target: Craswell et al., "Effective site finding using link anchor information",
SIGIR 2001.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from webfarer.agents.decisions import Click, Context, Enough, Move, Walk
from webfarer.agents.reading import ReadingPolicy
from webfarer.core.text import BM25, words
from webfarer.core.types import Link, Page

_CONTEXT_WEIGHT = 0.6
_INDEX_WEIGHT = 6.0  # of contexts, once they hold every word of their pages
_SOLVED = 0.8  # a part with such a find no longer leads the way
_HUBS = 4
_MANY_LINKS = 12
_FILE_TYPE = re.compile(r"\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)
_JOINTS = re.compile(r"[/._+=&-]+")
_HUB_LABEL = re.compile(
    r"(?:[\w-]+ ){0,3}(?:table of contents|contents|site ?map)(?: of .*)?|"
    r"(?:the )?(?:website |general |full |global |complete |keyword |module |alphabetical |permuted |title )*"
    r"(?:index|documentation|documents|docs|toc|a-z)(?: of .*| on one page| list(?:ing)?(?: of .*)?)?|"
    r"all (?:pages|documents|topics|docs)|alphabetical .*|(?:全部|网站|站点|文档)?(?:目录|索引|地图)|全部(?:页面|文档)",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:full|all|complete|one page)\b|全部", re.IGNORECASE)
_INDEX = re.compile(r"/searchindex\.js$")  # Sphinx's, and the page that loads it
_SEARCH = re.compile(r"/search\.html$")
_HUB_FILE = re.compile(
    r"(?:^|[_-])(?:contents?|genindex(?:-all)?|index-all|site-?map|toc|doclist|docs|all|keyword[-_]?index)$|^[a-z]+[-_]index$",
    re.IGNORECASE,
)


class Lexical(ReadingPolicy):
    """Chooses the link whose target is described most like the question."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._labels = BM25(b=0.5)
        self._contexts = BM25(b=0.5)
        self._numbers: dict[str, int] = {}
        self._links: list[tuple[Page, Link]] = []
        self._said: set[tuple[int, str]] = set()
        self._hubs: dict[str, int] = {}
        self._hubs_opened = 0
        self._context_weight = _CONTEXT_WEIGHT
        self._taken: set[str] = set()

    async def choose(self, walk: Walk) -> Move:
        """Return a click on the best link of any page read, a listing page first where there are many links."""
        for page in walk.pages:
            self._take(page, walk.scope)
        fresh = [(url, number) for url, number in self._numbers.items() if url not in walk.opened]
        if not fresh:
            return Enough("every link of the site was opened")
        hub = self._best_hub([url for url, _ in fresh])
        if hub:
            self._hubs_opened += 1
            if _INDEX.search(hub):  # nothing lists a site better
                self._hubs_opened, self._context_weight = _HUBS, _INDEX_WEIGHT
            return self._click(self._numbers[hub], "a page that lists the site")
        scores = self._scores(walk)
        number = max((number for _, number in fresh), key=lambda number: (scores[number], -number))
        return self._click(number, f"fits the question best ({scores[number]:.2f})")

    def _click(self, number: int, thought: str) -> Click:
        page, link = self._links[number]
        return Click(page, link, thought)

    def _take(self, page: Page, scope: Callable[[str], bool]) -> None:
        if page.id in self._taken:
            return
        self._taken.add(page.id)
        for link in page.links:
            if link.url not in self._numbers:
                if not scope(link.url):
                    continue
                self._numbers[link.url] = self._labels.add(path_words(link.url))
                self._contexts.add([])
                self._links.append((page, link))
            number = self._numbers[link.url]
            if self._new(number, link.label):
                self._labels.extend(number, words(link.label))
            if self._new(number, f"{link.heading}\n{link.context}"):
                self._contexts.extend(number, words(f"{link.heading} {link.context}"))
            if link.fragment and self._new(number, f"#{link.fragment}"):
                self._contexts.extend(number, words(_JOINTS.sub(" ", link.fragment)))
            rank = bool(_HUB_LABEL.fullmatch(link.label)) + bool(_HUB_FILE.search(_file(link.url)))
            rank += rank > 0 and bool(_WHOLE.search(link.label))
            rank += 4 * bool(_SEARCH.search(link.url)) + 5 * bool(_INDEX.search(link.url))
            if rank:
                self._hubs[link.url] = max(rank, self._hubs.get(link.url, 0))

    def _new(self, number: int, text: str) -> bool:
        key = (number, text)
        if key in self._said:
            return False
        self._said.add(key)
        return True

    def _best_hub(self, fresh: list[str]) -> str:
        if self._hubs_opened >= _HUBS or len(self._numbers) < _MANY_LINKS:
            return ""
        ranked = [(self._hubs[url], -self._numbers[url], url) for url in fresh if url in self._hubs]
        return max(ranked)[2] if ranked else ""

    def _scores(self, walk: Walk) -> list[float]:
        reader = self.reader(walk)
        finds = [reader.finds(part) for part in range(len(reader.parts))]
        open_parts = [i for i, found in enumerate(finds) if not found or found[0].score < _SOLVED]
        total = [0.0] * len(self._links)
        for part in open_parts or range(len(reader.parts)):
            terms = reader.terms[part]
            labels, contexts = self._labels.scores(terms), self._contexts.scores(terms)
            total = [t + a + self._context_weight * b for t, a, b in zip(total, labels, contexts, strict=True)]
        return total


def path_words(url: str) -> list[str]:
    """Return the words of a URL's path and query, its file type dropped."""
    parts = urlsplit(url)
    return words(_JOINTS.sub(" ", f"{_FILE_TYPE.sub('', unquote(parts.path))} {unquote(parts.query)}"))


def _file(url: str) -> str:
    return _FILE_TYPE.sub("", unquote(urlsplit(url).path)).rpartition("/")[2]


policy = Lexical
