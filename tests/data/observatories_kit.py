"""A small ground made by hand: observatories, their instruments and people; every statement is one line of a page."""

import hashlib

from webfarer.core.types import Page
from webfarer.data.ground import Ground, Relation, Statement
from webfarer.data.question import Evidence

ROOT = "http://sky.test/"

RELATIONS = {
    "director": Relation(
        "who is the director of {x}", "the director of {x}", "the observatory whose director is {x}", ""
    ),
    "opened": Relation("when was {x} opened", "the opening date of {x}", "the observatory that opened on {x}", ""),
    "country": Relation(
        "in which country is {x}",
        "the country of {x}",
        "the observatory in {x}",
        "the observatories in {x}",
    ),
    "site": Relation(
        "at which observatory is {x}",
        "the observatory that houses {x}",
        "the instrument at {x}",
        "the instruments at {x}",
    ),
    "maker": Relation(
        "who made {x}", "the maker of {x}", "the instrument whose maker is {x}", "the instruments whose maker is {x}"
    ),
    "aperture": Relation("what is the aperture of {x}", "the aperture of {x}", "the instrument that measures {x}", ""),
    "born": Relation("where was {x} born", "the birthplace of {x}", "the astronomer born in {x}", ""),
    "mentor": Relation("who taught {x}", "the teacher of {x}", "the astronomer taught by {x}", ""),
}

FACTS = {
    "elm": [
        ("Elm Ridge", "director", "Ada Fell"),
        ("Elm Ridge", "opened", "4 May 1931"),
        ("Elm Ridge", "country", "Norland"),
    ],
    "oak": [
        ("Oak Peak", "director", "Bo Lund"),
        ("Oak Peak", "opened", "9 June 1954"),
        ("Oak Peak", "country", "Norland"),
    ],
    "ash": [
        ("Ash Hill", "director", "Cy Moor"),
        ("Ash Hill", "opened", "1 April 1960"),
        ("Ash Hill", "country", "Sundia"),
    ],
    "sites": [
        ("Argus", "site", "Elm Ridge"),
        ("Borea", "site", "Elm Ridge"),
        ("Corvus", "site", "Elm Ridge"),
        ("Dorado", "site", "Oak Peak"),
        ("Eridan", "site", "Oak Peak"),
        ("Fornax", "site", "Oak Peak"),
        ("Gruis", "site", "Ash Hill"),
    ],
    "makers": [
        ("Argus", "maker", "Zeta Works"),
        ("Borea", "maker", "Kappa Glass"),
        ("Dorado", "maker", "Zeta Works"),
        ("Eridan", "maker", "Kappa Glass"),
        ("Gruis", "maker", "Zeta Works"),
    ],
    "apertures": [
        ("Argus", "aperture", "1.1 m"),
        ("Borea", "aperture", "2.2 m"),
        ("Corvus", "aperture", "3.3 m"),
        ("Dorado", "aperture", "4.4 m"),
        ("Eridan", "aperture", "5.5 m"),
        ("Fornax", "aperture", "6.6 m"),
    ],
    "people": [
        ("Ada Fell", "born", "Hamlin"),
        ("Bo Lund", "born", "Torvik"),
        ("Cy Moor", "born", "Quay"),
        ("Ada Fell", "mentor", "Ivo Stern"),
        ("Bo Lund", "mentor", "Una Reed"),
        ("Ivo Stern", "born", "Brack"),
        ("Una Reed", "born", "Dunmore"),
    ],
}


def observatories() -> Ground:
    """Return the ground."""
    pages, ways, statements = {ROOT: Page("", ROOT, "Sky", "# Sky")}, {ROOT: ()}, []
    for name, facts in FACTS.items():
        url = f"{ROOT}{name}"
        lines = [f"- {subject}: {relation} {value}" for subject, relation, value in facts]
        markdown = "\n".join([f"# {name}", "", *lines])
        sha = hashlib.sha256(markdown.encode()).hexdigest()
        pages[url], ways[url] = Page(sha, url, name, markdown), (name,)
        for line, (subject, relation, value) in zip(lines, facts, strict=True):
            evidence = Evidence(url=url, sha256=sha, text=line, start=markdown.index(line))
            statements.append(Statement(subject, relation, value, evidence))
    return Ground("hand", ROOT, "en", pages, ways, tuple(statements), RELATIONS, cells={"domain": "sky"})
