"""What the generator of a site says about a question's answer: no ground, no graph and no synth is asked.

Formulas are evaluated by brute force over the planted facts; texts are looked for in the HTML that was written. Of a
masked passage only this is told: that it stands there once with the answer filled in.
"""

import html
import re
from functools import lru_cache
from itertools import product
from urllib.parse import urlsplit

from webfarer.evals.scoring import normalise
from webfarer.evals.tasks.world import spec_of
from webfarer.worlds.catalogue import generate_catalogue
from webfarer.worlds.catalogue_types import HOST, CatalogueSpec
from webfarer.worlds.world import generate


def is_true(question) -> bool:
    """Say whether the generated site gives the question's answer, and no other."""
    facts, pages = _site(urlsplit(question.root).netloc)
    if question.formula is not None:
        return _answers(question.formula, facts) == {question.wanted}
    if "sentence" in question.recipe:
        return _stating(question.recipe["sentence"], pages, question.root) == [question.answer]
    filled = question.recipe["text"]
    for number, part in enumerate(question.parts or (question.answer,), 1):
        filled = filled.replace(f"[mask {number}]", part)
    return _stating(filled, pages, question.root) == list(question.gold)


@lru_cache(maxsize=8)
def _site(host):
    if HOST.fullmatch(host):
        site = generate_catalogue(CatalogueSpec.at(host))
        facts = [(fact.subject, fact.relation, fact.value) for fact in site.facts]
    else:
        site = generate(spec_of(host))
        facts = [(fact.entity, clause.relation, fact.value) for fact, clause in site.clauses.items()]
    words = {path: _words(page.html.decode()) for path, page in site.pages.items() if path in site.ways and page.html}
    return facts, words


def _words(page):
    return normalise(html.unescape(re.sub(r"<[^>]*>", " ", page.partition("</title>")[2])))


def _stating(text, pages, root):
    return [root + path.removeprefix("/") for path, words in pages.items() if normalise(text) in words]


def _answers(formula, facts):
    kind, *parts = formula
    if kind == "every":
        return {frozenset(_denoted(parts[0], facts))}
    if kind == "each":
        return {frozenset(values) for values in product(*(_denoted(part, facts) for part in parts))}
    return {frozenset((value,)) for value in _denoted(formula, facts)}


def _denoted(term, facts):
    match term:
        case ["entity", name]:
            return {name}
        case ["of", relation, inner]:
            return {value for subject, said, value in facts if said == relation and subject in _denoted(inner, facts)}
        case ["whose", relation, inner]:
            return {subject for subject, said, value in facts if said == relation and value in _denoted(inner, facts)}
        case ["both", *parts]:
            return set.intersection(*(_denoted(part, facts) for part in parts))
        case ["either", *parts]:
            return set.union(*(_denoted(part, facts) for part in parts))
        case ["count", inner]:
            return {str(len(_denoted(inner, facts)))}
    raise AssertionError(term)
