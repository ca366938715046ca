"""What a generated web is: several sites that speak of each other, what is true there, and what can be asked.

Not how one is made (:mod:`webfarer.worlds.web`). A web is a value: addresses in it are of the reserved domain `.test`
and become real ones only while it is served. Questions chain facts over sites as WebDancer's do (Wu et al., 2025).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from webfarer.worlds.types import Language, PageSpec

PORTAL = "portal.test"


def address(host: str, path: str = "/") -> str:
    """Return the URL of a page as the web's own text has it."""
    return f"http://{host}{path}"


@dataclass(frozen=True, slots=True)
class PlantedFact:
    """A statement that was put on a page.

    Attributes:
        url: the page's.
        depth: clicks to it from its site's home page.
        subject: what it is about, as it stands within a sentence.
        attribute: name of what is stated, as on the page.
        value: what is stated; another site's name, or a value that stands on no other page of the web.
        statement: the piece of the page that states it, from the attribute's name to the value.
        date: the page's own date, ISO 8601.
        current: false on an out-of-date page; the page that replaces it has a later date and another value.
        target: host of the site that `value` names, or "".
        linked: the page links to that site.
    """

    url: str
    depth: int
    subject: str
    attribute: str
    value: str
    statement: str
    date: str
    current: bool
    target: str = ""
    linked: bool = False


@dataclass(frozen=True, slots=True)
class WebQuestion:
    """A question whose answer is at the end of a chain of facts, each on another page, from hop to hop on another site.

    Attributes:
        id: unique within the web.
        text: names the first subject and its site; every further one is only described.
        answers: forms of the answer that are accepted; the first is that of the page.
        wrong: what the web says of other subjects, or said in former years, when asked the same.
        chain: the facts needed, first to last; the last holds the answer.
    """

    id: str
    text: str
    answers: tuple[str, ...]
    wrong: tuple[str, ...]
    language: Language
    chain: tuple[PlantedFact, ...]

    @property
    def hops(self) -> int:
        """How many pages have to be read."""
        return len(self.chain)

    @property
    def gold(self) -> tuple[str, ...]:
        """URLs of the pages that state the facts of the chain."""
        return tuple(fact.url for fact in self.chain)


@dataclass(frozen=True, slots=True)
class WebSite:
    """One site.

    Attributes:
        host: its name in the web's own text.
        name: what it calls itself.
        domain: id of the domain it was made of.
        pages: by path; "/" is the home page.
        depths: clicks from the home page, for every page that links lead to.
    """

    host: str
    name: str
    domain: str
    pages: Mapping[str, PageSpec]
    depths: Mapping[str, int]

    @property
    def url(self) -> str:
        """Its home page."""
        return address(self.host)


@dataclass(frozen=True, slots=True)
class WorldWeb:
    """Several sites, what was planted on them, and what can be asked.

    Attributes:
        portal: a page outside of the sites that links to every home page.
    """

    seed: int
    language: Language
    sites: tuple[WebSite, ...]
    portal: bytes
    facts: tuple[PlantedFact, ...]
    questions: tuple[WebQuestion, ...]

    def pages(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield URL, depth and HTML of every page that links lead to, portal and redirects left out."""
        for site in self.sites:
            for path, depth in site.depths.items():
                yield address(site.host, path), depth, site.pages[path].html
