"""Texts to search and queries whose page is known, from unpacked documentation and generated worlds.

A query is made of a sentence that stands on one page only: some of its words, drawn at random, or half of it as it is.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

from webfarer.core.errors import FetchError
from webfarer.core.text import is_chinese, words
from webfarer.core.types import Page, PageKind
from webfarer.evals.bench import spread
from webfarer.evals.navset import sentences
from webfarer.web.extract import read_page
from webfarer.web.index import main_text, passages
from webfarer.worlds.types import Language, WorldSpec
from webfarer.worlds.world import generate

_CHINESE_SITES = "zh-cn"
_WORLD_PAGES = 300
_DOMAINS = ("education", "organisation", "conference", "game")
_WORDS = 5
_SHORT = 8  # terms; of a shorter sentence, half says too little
_MOST_CHARS = 100_000
_WORD = re.compile(r"[^\W_\u3400-\u9fff]+|[\u3400-\u9fff]{1,4}")


class Text(NamedTuple):
    """One page.

    Attributes:
        says: its whole sentences.
        passages: terms of each passage, with those of the title, one space between them.
    """

    url: str
    title: str
    text: str
    says: tuple[str, ...]
    passages: tuple[str, ...]


class KnownItem(NamedTuple):
    """A query, how it was made, and the URL of the only page that the sentence stands on."""

    text: str
    kind: str
    url: str


def documentation(sites: Path, most: int, chinese: bool, jobs: int) -> list[Text]:
    """Return up to `most` pages of the unpacked packages, of each package its share, evenly drawn."""
    packages = [
        sorted(path for path in folder.rglob("*.html") if path.is_file() and not path.is_symlink())
        for folder in sorted(sites.glob("*"))
        if (_CHINESE_SITES in folder.name) == chinese
    ]
    in_all = sum(map(len, packages))
    share = min(1.0, most / in_all) if in_all else 0.0
    drawn = [path for paths in packages for path in islice(_evenly(paths), round(len(paths) * share))]
    return [text for text in spread(_read_file, drawn, jobs) if text is not None]


def generated(most: int, language: Language, jobs: int) -> list[Text]:
    """Return about `most` pages of generated worlds."""
    size = min(_WORLD_PAGES, most)
    specs = [
        WorldSpec(_DOMAINS[number % len(_DOMAINS)], seed=number, language=language, size=size)
        for number in range(max(1, most // _WORLD_PAGES))
    ]
    return [text for texts in spread(_read_world, specs, jobs) for text in texts]


def known_items(texts: list[Text], count: int, seed: int) -> list[KnownItem]:
    """Return `count` queries, one a page; half of them of each kind."""
    random = Random(seed)
    where = Counter(sentence for text in texts for sentence in set(text.says))
    items: list[KnownItem] = []
    for text in random.sample(texts, len(texts)):
        own = [said for said in text.says if where[said] == 1 and len(set(words(said))) >= _SHORT]
        if own and len(items) < count:
            sentence = random.choice(own)
            kind = ("words", "half a sentence")[len(items) % 2]
            asked = _some_words(sentence, random) if kind == "words" else _half(sentence, random)
            items.append(KnownItem(asked, kind, text.url))
    return items


def _evenly(paths: list[Path]) -> Iterator[Path]:
    """Yield the paths such that any number of the first ones is spread over all of them."""
    return iter(Random(0).sample(paths, len(paths)))


def _some_words(sentence: str, random: Random) -> str:
    telling = list(dict.fromkeys(word for word in _WORD.findall(sentence) if words(word)))
    return " ".join(random.sample(telling, min(_WORDS, len(telling))))


def _half(sentence: str, random: Random) -> str:
    parts = list(sentence) if is_chinese(sentence) else sentence.split(" ")
    middle = len(parts) // 2
    joined = "" if is_chinese(sentence) else " "
    return joined.join(parts[:middle] if random.random() < 0.5 else parts[middle:])


def _read_file(path: Path) -> Text | None:
    return _read(f"http://docs.test{path.as_posix().replace('#', '%23').replace('?', '%3F')}", path.read_bytes())


def _read_world(spec: WorldSpec) -> list[Text]:
    pages = generate(spec).pages
    host = f"http://{spec.domain}-{spec.seed}.test"
    read = (_read(f"{host}{path}", page.html) for path, page in pages.items() if page.html)
    return [text for text in read if text is not None]


def _read(url: str, body: bytes) -> Text | None:
    try:
        page = read_page(body, url=url, content_type="text/html")
    except FetchError:
        return None
    if page.kind is not PageKind.CONTENT:
        return None
    return _text(page)


def _text(page: Page) -> Text:
    text = main_text(page)[:_MOST_CHARS]
    said = tuple(sentence for sentence in sentences(page) if sentence in text)
    head = words(page.title)
    cut = tuple(" ".join([*head, *words(text[start:stop])]) for start, stop in passages(text))
    return Text(page.url, page.title, text, said, cut)
