"""What a question asks, as a term over statements: a projection along a relation, forward or back; both; either; count.

`Of("director", Whose("opened", Entity("1931")))` is the director of whatever opened in 1931. Evaluated over a graph of
statements it says what the answer is, which statements carry it, and whether it is the only one. Not language
(:mod:`webfarer.data.wording`). Source: "Knowledge Projections" of WebShaper (arXiv 2507.15061).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from webfarer.core.errors import ConfigError
from webfarer.data.ground import Statement


@dataclass(frozen=True, slots=True)
class Entity:
    """A name or a value that the question itself gives."""

    name: str


@dataclass(frozen=True, slots=True)
class Of:
    """What `relation` says of `inner`: values of its statements."""

    relation: str
    inner: "Term"


@dataclass(frozen=True, slots=True)
class Whose:
    """That of which `relation` says `inner`: subjects of its statements."""

    relation: str
    inner: "Term"


@dataclass(frozen=True, slots=True)
class Both:
    """What all parts denote."""

    parts: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """What any part denotes."""

    parts: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Count:
    """How many `inner` denotes, in digits."""

    inner: "Term"


@dataclass(frozen=True, slots=True)
class Every:
    """All that `inner` denotes, as one answer of several parts."""

    inner: "Term"


@dataclass(frozen=True, slots=True)
class Each:
    """Several questions in one; the answer has one part for each."""

    parts: tuple["Term", ...]


Term = Entity | Of | Whose | Both | Either | Count
Query = Term | Every | Each
"""What a whole question asks. A term asks for the one thing that it denotes."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What a term denotes, and the statements that say so: those on the way to `values`, none twice."""

    values: frozenset[str]
    support: tuple[Statement, ...]


class Graph:
    """Statements, found by subject and by value."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self.statements = tuple(statements)
        self._said: dict[tuple[str, str], list[Statement]] = {}
        self._of_which: dict[tuple[str, str], list[Statement]] = {}
        for each in self.statements:
            self._said.setdefault((each.relation, each.subject), []).append(each)
            self._of_which.setdefault((each.relation, each.value), []).append(each)

    def of(self, relation: str, subject: str) -> Sequence[Statement]:
        """Return what `relation` says of `subject`; a thing may be said on several pages."""
        return self._said.get((relation, subject), ())

    def whose(self, relation: str, value: str) -> Sequence[Statement]:
        """Return the statements in which `relation` says `value`."""
        return self._of_which.get((relation, value), ())


def solve(term: Term, graph: Graph) -> Solution:
    """Evaluate a term, without any index but the graph's two."""
    found = _ways(term, graph)
    used = (statement for way in found.values() for statement in way)
    return Solution(frozenset(found), tuple(dict.fromkeys(used)))


def answers(query: Query, graph: Graph) -> frozenset[frozenset[str]]:
    """Return every answer, each as its parts; a question is unique when there is one."""
    match query:
        case Every(inner):
            values = solve(inner, graph).values
            return frozenset((values,)) if values else frozenset()
        case Each(parts):
            return frozenset(map(frozenset, product(*(solve(part, graph).values for part in parts))))
    return frozenset(frozenset((value,)) for value in solve(query, graph).values)


def support(query: Query, graph: Graph) -> tuple[Statement, ...]:
    """Return the statements that carry the answers, in the order in which they are needed, none twice."""
    terms = query.parts if isinstance(query, Each) else (query.inner if isinstance(query, Every) else query,)
    return tuple(dict.fromkeys(statement for term in terms for statement in solve(term, graph).support))


def _ways(term: Term, graph: Graph) -> dict[str, tuple[Statement, ...]]:
    """Return every value that a term denotes, with the statements that lead to it."""
    found: dict[str, tuple[Statement, ...]] = {}
    match term:
        case Entity(name):
            found[name] = ()
        case Of(relation, inner) | Whose(relation, inner):
            forward = isinstance(term, Of)
            for name, way in _ways(inner, graph).items():
                for said in graph.of(relation, name) if forward else graph.whose(relation, name):
                    value = said.value if forward else said.subject
                    found[value] = (*found.get(value, ()), *way, said)
        case Both(parts):
            ways = [_ways(part, graph) for part in parts]
            for value in ways[0]:
                if all(value in each for each in ways):
                    found[value] = tuple(said for each in ways for said in each[value])
        case Either(parts):
            for each in (_ways(part, graph) for part in parts):
                for value, way in each.items():
                    found[value] = (*found.get(value, ()), *way)
        case Count(inner):
            counted = _ways(inner, graph)
            found[str(len(counted))] = tuple(said for way in counted.values() for said in way)
    return found


def hops(term: Query) -> int:
    """Return how many statements have to be followed one after the other."""
    match term:
        case Entity():
            return 0
        case Of(_, inner) | Whose(_, inner):
            return 1 + hops(inner)
        case Count(inner) | Every(inner):
            return hops(inner)
        case Both(parts) | Either(parts) | Each(parts):
            return max(map(hops, parts))


def bridged(query: Query) -> frozenset[str]:
    """Return the relations along which something is asked of what the question does not name."""
    match query:
        case Entity():
            return frozenset()
        case Of(relation, inner):
            return bridged(inner) | (frozenset() if isinstance(inner, Entity) else {relation})
        case Whose(_, inner) | Count(inner) | Every(inner):
            return bridged(inner)
        case Both(parts) | Either(parts) | Each(parts):
            return frozenset().union(*map(bridged, parts))


def constants(term: Query) -> tuple[str, ...]:
    """Return the names and values that the question gives."""
    match term:
        case Entity(name):
            return (name,)
        case Of(_, inner) | Whose(_, inner) | Count(inner) | Every(inner):
            return constants(inner)
        case Both(parts) | Either(parts) | Each(parts):
            return tuple(name for part in parts for name in constants(part))


def to_json(query: Query) -> list[Any]:
    """Return a query as nested lists: ["of", "director", ["entity", "…"]]."""
    kind = type(query).__name__.lower()
    match query:
        case Entity(name):
            return [kind, name]
        case Of(relation, inner) | Whose(relation, inner):
            return [kind, relation, to_json(inner)]
        case Count(inner) | Every(inner):
            return [kind, to_json(inner)]
        case Both(parts) | Either(parts) | Each(parts):
            return [kind, *map(to_json, parts)]


def from_json(value: Any) -> Query:
    """Return the query that nested lists write.

    Raises:
        ConfigError: they write none.
    """
    match value:
        case ["every", inner]:
            return Every(_term(inner))
        case ["each", *parts] if parts:
            return Each(tuple(map(_term, parts)))
    return _term(value)


def _term(value: Any) -> Term:
    match value:
        case ["entity", str(name)]:
            return Entity(name)
        case ["of", str(relation), inner]:
            return Of(relation, _term(inner))
        case ["whose", str(relation), inner]:
            return Whose(relation, _term(inner))
        case ["count", inner]:
            return Count(_term(inner))
        case ["both", *parts] if parts:
            return Both(tuple(map(_term, parts)))
        case ["either", *parts] if parts:
            return Either(tuple(map(_term, parts)))
    raise ConfigError(f"{str(value)[:200]} is no formula")
