"""A small site read from its HTML, four clicks deep, with statements; and the checks, made in their order."""

import hashlib
from collections import deque
from dataclasses import replace

from webfarer.data.check import CHECKS, Desk
from webfarer.data.ground import Ground, Relation, Statement
from webfarer.data.question import Evidence
from webfarer.web.extract import read_page

ROOT = "http://lights.test/"
RELATIONS = {
    "lit": Relation("on which day was {x} lit", "the first night of {x}"),
    "height": Relation("how tall is {x}", "the height of {x}"),
    "keeper": Relation("who keeps {x}", "the keeper of {x}", "the lighthouse kept by {x}"),
    "born": Relation("where was {x} born", "the birthplace of {x}"),
    "lodge": Relation("which code does the lodge of {x} have", "the lodge code of {x}"),
}
FACTS = [
    ("fir", "Fir Point", "lit", "4 May 1861"),
    ("fir", "Fir Point", "height", "31 metres"),
    ("fir", "Fir Point", "keeper", "Ada Fell"),
    ("gull", "Gull Rock", "lit", "9 June 1904"),
    ("gull", "Gull Rock", "height", "18.5 metres"),
    ("gull", "Gull Rock", "keeper", "Bo Lund"),
    ("ada", "Ada Fell", "born", "Hamlin"),
    ("bo", "Bo Lund", "born", "Torvik"),
    ("ada/lodge", "Ada Fell", "lodge", "LD-204"),
    ("bo/lodge", "Bo Lund", "lodge", "LD-377"),
]
PAGES = {
    "": ("Lights", "<p>All the lights that are still kept.</p>", {"Coasts": "coasts"}),
    "coasts": ("Coasts", "<p>Every coast has its own lights.</p>", {"Fir Point": "fir", "Gull Rock": "gull"}),
    "fir": (
        "Fir Point",
        "<table><tr><th>Light</th><th>Lit</th><th>Height</th><th>Keeper</th></tr>"
        "<tr><td>Fir Point</td><td>4 May 1861</td><td>31 metres</td><td><a href='/ada'>Ada Fell</a></td></tr></table>",
        {},
    ),
    "gull": (
        "Gull Rock",
        "<p>The light was lit on 9 June 1904 by two brothers of the village. Its tower of granite is 18.5 metres tall."
        "</p><p>The keeper of this light is <a href='/bo'>Bo Lund</a>, who also looks after the `foghorn` there.</p>",
        {},
    ),
    "ada": (
        "Ada Fell",
        "<p>She was born in Hamlin and came here as a child with her uncle.</p>",
        {"Lodge": "ada/lodge"},
    ),
    "bo": ("Bo Lund", "<p>He was born in Torvik and worked as a carpenter before that.</p>", {"Lodge": "bo/lodge"}),
    "ada/lodge": ("Lodge of Ada Fell", "<ul><li>Code: LD-204</li></ul>", {}),
    "bo/lodge": ("Lodge of Bo Lund", "<ul><li>Code: LD-377</li></ul>", {}),
}


def lighthouses(**more: str) -> Ground:
    """Return the ground; `more` is HTML that is added to pages, by name."""
    pages = {}
    for name, (title, body, links) in PAGES.items():
        anchors = "".join(f"<p><a href='/{path}'>{label}</a></p>" for label, path in links.items())
        html = f"<title>{title}</title><main><h1>{title}</h1>{body}{more.get(name, '')}{anchors}</main>".encode()
        sha = hashlib.sha256(html).hexdigest()
        pages[ROOT + name] = read_page(html, url=ROOT + name, content_type="text/html", page_id=sha)
    ways, queue = {ROOT: ()}, deque([ROOT])
    while queue:
        here = queue.popleft()
        for link in pages[here].links:
            if link.url not in ways:
                ways[link.url] = (*ways[here], link.label)
                queue.append(link.url)
    ground = Ground("hand", ROOT, "en", pages, ways, (), RELATIONS, "CC0-1.0", {"domain": "lights"})
    return replace(ground, statements=tuple(stated(ground, *fact) for fact in FACTS))


def stated(ground: Ground, name: str, subject: str, relation: str, value: str) -> Statement:
    """Return a statement whose evidence is the line of the page that holds the value."""
    page = ground.pages[ROOT + name]
    line = next(line for line in page.markdown.split("\n") if value in line)
    place = Evidence(url=page.url, sha256=page.id, text=line, start=page.markdown.index(line))
    return Statement(subject, relation, value, place)


def checks(desk: Desk = Desk()):
    """Return every check that asks no model, or all where the desk has one, in order."""
    kinds = {name: CHECKS.load(name) for name in CHECKS.ids()}
    ordered = sorted(kinds, key=lambda name: kinds[name].order)
    return {name: kinds[name](desk) for name in ordered if desk.model is not None or not kinds[name].asks}


async def dropped_by(question, ground, ready=None) -> str:
    """Return the first check that speaks against a question; "" when none does."""
    for name, check in (checks() if ready is None else ready).items():
        if await check.problem(question, ground):
            return name
    return ""
