"""Navigation tasks from any website: find the page that a sentence comes from.

A site is read once, breadth-first from its first page; targets lie at least two clicks deep and the sentence stands on
no other page. Nobody has to label anything. Source: Nogueira and Cho, "End-to-End Goal-Driven Web Navigation" (WebNav),
NeurIPS 2016; theirs ran on Wikipedia, with sentences of up to 4 in a row.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from webfarer.core.errors import FetchError
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import Page, PageKind
from webfarer.evals.scoring import normalise
from webfarer.web.client import Web
from webfarer.web.scope import Scope

_DEEP = 2
_WORDS = (8, 40)
_HAN = (12, 80)
_MOST_PAGES = 3000
_FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_MARKS = re.compile(r"^[\s>:*#+-]+|^\s*\d+[.)]\s+|[`*]+")
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])|(?<=[。！？])")
_SENTENCE = re.compile(r"[A-Z\u3400-\u9fff].*[.!?。！？]")
_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class NavTask:
    """Reach `target`, `depth` clicks from the root; `sentence` is all that is known of it."""

    sentence: str
    target: str
    depth: int


async def crawl(web: Web, root: str, most: int = _MOST_PAGES) -> dict[int, list[Page]]:
    """Read a site breadth-first, `most` pages of it; return them by their distance from the root in clicks."""
    run = Run("crawl", Trace.create())
    scope = Scope(root)
    seen, queue = {root}, deque([(root, 0)])
    pages: dict[str, tuple[int, Page]] = {}
    while queue and len(pages) < most:
        url, depth = queue.popleft()
        try:
            page = await web.open(run, url)
        except FetchError:
            continue  # a dead link is no page
        if page.kind is not PageKind.CONTENT or page.url in pages:
            continue
        pages[page.url] = depth, page
        for link in page.links:
            if link.url not in seen and scope.contains(link.url):
                seen.add(link.url)
                queue.append((link.url, depth + 1))
    levels: dict[int, list[Page]] = {}
    for depth, page in pages.values():
        levels.setdefault(depth, []).append(page)
    return levels


def make_tasks(levels: dict[int, list[Page]], count: int, seed: int) -> list[NavTask]:
    """Draw up to `count` tasks, one a page, several only where there are fewer deep pages than that."""
    random = Random(seed)
    texts = {page.url: normalise(page.markdown) for pages in levels.values() for page in pages}
    deep = [(depth, page) for depth, pages in sorted(levels.items()) if depth >= _DEEP for page in pages]
    streams = [_stream(depth, page, texts, random) for depth, page in random.sample(deep, len(deep))]
    tasks: list[NavTask] = []
    while streams and len(tasks) < count:
        stream = streams.pop(0)
        task = next(stream, None)
        if task is not None:
            tasks.append(task)
            streams.append(stream)
    return tasks


def _stream(depth: int, page: Page, texts: dict[str, str], random: Random) -> Iterator[NavTask]:
    """Yield the tasks that lead to `page`: its sentences that stand on no other page, shuffled."""
    deck = list(dict.fromkeys(sentences(page)))
    random.shuffle(deck)
    for sentence in deck:
        words = normalise(sentence)
        if all(words not in text for url, text in texts.items() if url != page.url):
            yield NavTask(sentence, page.url, depth)


def sentences(page: Page) -> Iterator[str]:
    """Yield the whole sentences of the page's main text that are neither too short nor too long, marks removed."""
    for region, span in page.spans:
        if region != "main":
            continue
        for line in _FENCED.sub("", page.markdown[span.start : span.end]).split("\n"):
            if line.lstrip().startswith(("|", "#")):
                continue
            for piece in _END.split(_MARKS.sub("", line)):
                sentence = piece.strip()
                if _SENTENCE.fullmatch(sentence) and _fits(sentence):
                    yield sentence


def _fits(sentence: str) -> bool:
    han = len(_CHINESE.findall(sentence))
    low, high = _HAN if han else _WORDS
    return low <= (han or len(sentence.split())) <= high
