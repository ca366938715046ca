"""What joins the phrases of a ground to sentences: English and Chinese.

Templates are those of :class:`webfarer.data.ground.Relation`: noun phrases with `{x}` for another one. Not a parser:
an English phrase is cut before its first relative word, a Chinese one after its last 的. "" means that it cannot be
said.
"""

from collections.abc import Sequence
from itertools import takewhile

_CLAUSES = frozenset("whose that which who where".split())
_PHRASES = frozenset("of in at by from on with for to under over into through between near during".split())
_PARTICIPLES = frozenset("born built found held known led made run taught written".split())
_DOUBLED = frozenset(("由由", "由于", "于于", "在于"))


class English:
    """English."""

    name = "what is the name of {x}"
    every = "list {x}"
    find = ("Find {x}.", "Find {x}.")
    this = "this {x}"
    also = ", and "
    ends = ("?", ".")
    space = " "
    long = 90

    def nested(self, template: str, noun: str) -> str:
        """Put a noun phrase, not a name, into a template."""
        return template.replace("{x}", noun)

    def head(self, template: str) -> str:
        """Return what kind of thing a template is about: "lens" of "the lens whose maker is {x}"."""
        the, *words = template.split("{x}")[0].split() or [""]
        return " ".join(_head(words)) if the == "the" else ""

    def count(self, several: str) -> str:
        """Ask how many things a noun phrase in the plural denotes."""
        several = several.removeprefix("the ")
        head = " ".join(_head(several.split()))
        tail = several.removeprefix(head).strip()
        if tail.startswith("of "):
            return f"what is the number of {several}"
        if not tail or _participle(tail.split()[0]):
            return f"how many {several} are there"
        return f"how many {head} are there {tail}"

    def either(self, several: Sequence[str]) -> str:
        """Join noun phrases in the plural."""
        return " and ".join(several)

    def both(self, templates: Sequence[str], nouns: Sequence[str]) -> str:
        """Join "the lens of {x}" and "the lens whose maker is {x}" to "the lens of A whose maker is B"."""
        the, *words = _shared([template.split("{x}")[0].split() for template in templates]) or [""]
        head = [the, *_head(words)]
        if the != "the" or head == ["the"]:
            return ""
        kinds: tuple[list[str], ...] = ([], [], [])  # "at A", "made by B", "whose maker is C": read best in this order
        for template, noun in zip(templates, nouns, strict=True):
            tail = template.split()[len(head) :]
            kind = 2 if _CLAUSES & {*tail[:2]} else int(_participle(tail[0]))
            kinds[kind].append(" ".join(tail).replace("{x}", noun))
        phrases, clauses = kinds[0], kinds[1] + kinds[2]
        return " ".join([*head, *filter(None, (" and ".join(phrases), " and ".join(clauses)))])

    def each(self, template: str, several: str) -> str:
        """Return a phrase for what a template says of each of several things."""
        return template.replace("{x}", f"each of {several}")

    def beside(self, template: str, several: str) -> str:
        """Return a phrase for several things, with what a template says of each."""
        return f"{several} together with {template.replace('{x}', 'each')}"


class Chinese:
    """Chinese."""

    name = "{x}叫什么名字"
    every = "请列出{x}"
    find = ("先找到{x}。", "再找到{x}。")
    this = "该{x}"
    also = "；另外，"
    ends = ("？", "。")
    space = ""
    long = 45

    def nested(self, template: str, noun: str) -> str:
        """Put a noun phrase, not a name, into a template; of two prepositions in a row the second is left out."""
        before, _, _ = template.partition("{x}")
        return template.replace("{x}", noun[1:] if before[-1:] + noun[:1] in _DOUBLED else noun)

    def head(self, template: str) -> str:
        """Return what kind of thing a template is about: "镜头" of "由{x}制造的镜头"."""
        head = template.rpartition("的")[2]
        return "" if "{x}" in head else head

    def count(self, several: str) -> str:
        """Ask how many things a noun phrase denotes."""
        return f"{several}一共有多少个"

    def either(self, several: Sequence[str]) -> str:
        """Join noun phrases."""
        return "和".join(several)

    def both(self, templates: Sequence[str], nouns: Sequence[str]) -> str:
        """Join "{x}的镜头" and "由{x}制造的镜头" to "甲的、由乙制造的镜头"."""
        ends = _shared([template.split("{x}")[-1][::-1] for template in templates])
        head = "".join(ends)[::-1].partition("的")[2]
        if not head:
            return ""
        pairs = zip(templates, nouns, strict=True)
        return "、".join(template.removesuffix(head).replace("{x}", noun) for template, noun in pairs) + head

    def each(self, template: str, several: str) -> str:
        """Return a phrase for what a template says of each of several things."""
        return template.replace("{x}", f"{several}各自") if template.startswith("{x}") else ""

    def beside(self, template: str, several: str) -> str:
        """Return a phrase for several things, with what a template says of each."""
        return f"{several}，以及{template.replace('{x}', '各自')}" if template.startswith("{x}") else ""


Tongue = English | Chinese
TONGUES: dict[str, Tongue] = {"en": English(), "zh": Chinese()}


def _head(words: Sequence[str]) -> list[str]:
    """Return the words before what tells one thing from another; "the armed guard" begins with no participle."""
    first = [word for word in words[:1] if word not in _CLAUSES | _PHRASES]
    rest = takewhile(lambda word: word not in _CLAUSES | _PHRASES and not _participle(word), words[1:])
    return [*first, *rest] if first else []


def _participle(word: str) -> bool:
    return word in _PARTICIPLES or word.endswith("ed")


def _shared(sequences: Sequence[Sequence[str]]) -> list[str]:
    """Return what all sequences begin with."""
    return [column[0] for column in takewhile(lambda column: len(set(column)) == 1, zip(*sequences, strict=False))]
