"""A formula is what brute force says it is, and its support is all that it needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.data.formula import (
    Both,
    Count,
    Each,
    Either,
    Entity,
    Every,
    Graph,
    Of,
    Query,
    Term,
    Whose,
    answers,
    constants,
    from_json,
    hops,
    solve,
    support,
    to_json,
)
from webfarer.data.ground import Statement
from webfarer.data.question import Evidence

NAMES = st.sampled_from("abcd")
RELATIONS = st.sampled_from("rs")
TERMS: st.SearchStrategy[Term] = st.recursive(
    st.builds(Entity, NAMES),
    lambda inner: st.one_of(
        st.builds(Of, RELATIONS, inner),
        st.builds(Whose, RELATIONS, inner),
        st.builds(Count, inner),
        st.builds(Both, st.tuples(inner, inner)),
        st.builds(Either, st.tuples(inner, inner)),
    ),
    max_leaves=4,
)
QUERIES: st.SearchStrategy[Query] = st.one_of(
    TERMS, st.builds(Every, TERMS), st.builds(Each, st.lists(TERMS, min_size=1, max_size=3).map(tuple))
)


def stated(subject: str, relation: str, value: str) -> Statement:
    return Statement(subject, relation, value, Evidence(url=f"http://{subject}/", sha256="", text=value, start=0))


GRAPHS = st.lists(st.builds(stated, NAMES, RELATIONS, NAMES), max_size=10).map(Graph)


def denoted(term: Term, graph: Graph) -> set[str]:
    """Evaluate by definition: try every statement."""
    match term:
        case Entity(name):
            return {name}
        case Of(relation, inner):
            known = denoted(inner, graph)
            return {each.value for each in graph.statements if each.relation == relation and each.subject in known}
        case Whose(relation, inner):
            known = denoted(inner, graph)
            return {each.subject for each in graph.statements if each.relation == relation and each.value in known}
        case Both(parts):
            return set.intersection(*(denoted(part, graph) for part in parts))
        case Either(parts):
            return set.union(*(denoted(part, graph) for part in parts))
        case Count(inner):
            return {str(len(denoted(inner, graph)))}


@given(QUERIES)
def test_json_says_all_there_is_to_a_query(query: Query) -> None:
    assert from_json(to_json(query)) == query


@given(TERMS, GRAPHS)
def test_a_term_denotes_what_brute_force_finds(term: Term, graph: Graph) -> None:
    assert solve(term, graph).values == denoted(term, graph)


@given(QUERIES, GRAPHS)
def test_the_support_of_a_query_is_enough_to_answer_it(query: Query, graph: Graph) -> None:
    carrying = support(query, graph)
    assert len(set(carrying)) == len(carrying)
    assert set(carrying) <= set(graph.statements)
    if answers(query, graph):
        assert answers(query, Graph(carrying)) == answers(query, graph)


def test_several_questions_have_one_answer_for_each_combination() -> None:
    graph = Graph([stated("a", "r", "b"), stated("a", "s", "c"), stated("a", "s", "d")])
    both = Each((Of("r", Entity("a")), Of("s", Entity("a"))))
    assert answers(both, graph) == {frozenset("bc"), frozenset("bd")}
    assert answers(Every(Of("s", Entity("a"))), graph) == {frozenset("cd")}
    assert answers(Every(Of("r", Entity("b"))), graph) == frozenset()
    assert answers(Each((Of("r", Entity("a")), Of("r", Entity("b")))), graph) == frozenset()


def test_hops_and_constants_are_read_off_a_query() -> None:
    chain = Of("r", Whose("s", Entity("a")))
    assert (hops(chain), hops(Every(Both((chain, Whose("r", Entity("b")))))), hops(Entity("a"))) == (2, 2, 0)
    assert constants(Each((chain, Count(Whose("r", Entity("b")))))) == ("a", "b")


@pytest.mark.parametrize(
    "value", [None, [], ["of", "r"], ["entity", 3], ["both"], ["of", "r", ["every", ["entity", "a"]]]]
)
def test_what_is_no_formula_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="is no formula"):
        from_json(value)
