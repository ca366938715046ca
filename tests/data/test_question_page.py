"""The page of questions: whole, escaped, drawn by seed, and without anything from outside."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from webfarer.core.fare import Fare
from webfarer.data.factory import Report
from webfarer.data.formula import Both, Count, Each, Either, Entity, Every, Of, Whose, to_json
from webfarer.data.page import in_words, question_page
from webfarer.data.question import Evidence, Question
from webfarer.data.synth import Drop

EVIL = '<script src="https://evil.test/x.js"></script>&"\'><img src=x onerror=alert(1)>'


def question(number, **values):
    url = f"http://a.test/{number}"
    evidence = (Evidence(url=url, sha256="0", text=f"Elm opened on 4 May 193{number}, in MAY 193{number}.", start=0),)
    return Question(
        **{"id": f"q{number}", "question": f"when did {number} open", "answer": f"4 May 193{number}"}
        | {"gold": [url], "paths": [("Sites", "Elm")], "evidence": evidence, "synth": "hand", "ground": "hand"}
        | {"forms": [f"4 May 193{number}", f"May 193{number}"], "cells": {"type": "single"}}
        | values
    )


def report(**values):
    drops = [Drop(check="short", why="too long", question="dropped one", answer="x")] * 5
    facts = {"synth": "hand", "ground": "hand", "seed": 1, "model": "", "wanted": 20, "kept": 9, "grounds": 2}
    facts |= {"drafts": 40, "cells": {"single/easy": 9}, "lacking": {"single/hard": 11}, "dropped": {"short": 5}}
    return Report(**facts | {"examples": drops, "fare": Fare(), "ended": "no more drafts"} | values)


def bad():
    """Return a question in which every text is hostile."""
    evidence = [
        Evidence(url="javascript:alert(1)", sha256="0", text=f"{EVIL} {EVIL}", start=0),
        Evidence(url=f'http://a.test/" onmouseover="alert(1)"{EVIL}', sha256="0", text="", start=0),
        Evidence(url="data:text/html,<script>1</script>", sha256="0", text="x", start=0),
    ]
    gold = [each.url for each in evidence]
    texts = {"id": EVIL, "question": EVIL, "answer": EVIL, "synth": EVIL, "ground": EVIL, "licence": EVIL}
    values = {"cells": {EVIL: EVIL}, "paths": [(EVIL, EVIL)] * 3, "formula": ["of", EVIL, ["entity", EVIL]]}
    return Question(**texts, **values, gold=gold, evidence=evidence, made={"by": EVIL})


@pytest.mark.parametrize("n", [1, 30])
def test_nothing_hostile_is_more_than_text(n):
    drop = Drop(check=EVIL, why=EVIL, question=EVIL, answer=EVIL)
    facts = {"dropped": {EVIL: 1}, "examples": [drop], "cells": {EVIL: 1}, "lacking": {EVIL: 1, "x": 2}}
    html = question_page([bad()] * 3, n, 0, report(synth=EVIL, model=EVIL, ended=EVIL, **facts))
    tree = LexborHTMLParser(html)
    assert not tree.css("script, link, img, iframe, object, form, [src], [onerror], [onmouseover], [onclick]")
    assert "default-src 'none'" in tree.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"]
    assert {a.attributes["href"][:14] for a in tree.css("[href]")} == {"http://a.test/"}
    article = tree.css_first("article")
    assert article.css_first("h2").text() == f"1. {EVIL}"
    assert [mark.text() for mark in article.css("mark")] == [EVIL, EVIL]
    assert "javascript:alert(1)" in article.css_first("blockquote").text()
    assert EVIL in tree.css_first("ul.notes").text()


def test_a_question_is_shown_with_what_stands_behind_it():
    tree = LexborHTMLParser(question_page([question(1, made={"by": "template"})], 5, 0))
    (article,) = tree.css("article")
    assert [mark.text() for mark in article.css("mark")] == ["4 May 1931", "MAY 1931"]
    assert article.css_first("a").attributes["href"] == "http://a.test/1"
    text = article.text()
    for part in (
        "1. when did 1 open",
        "Answer: 4 May 1931",
        "Sites › Elm",
        "type single",
        "worded by template",
        "☐ keep",
    ):
        assert part in text
    assert "The order" not in tree.text()


def test_questions_are_drawn_by_seed_and_stand_in_their_order():
    questions = [question(number) for number in range(50)]
    first = question_page(questions, 10, 1)
    assert first == question_page(questions, 10, 1) != question_page(questions, 10, 2)
    shown = [int(node.text().split()[3]) for node in LexborHTMLParser(first).css("article h2")]
    assert shown == sorted(shown)
    assert len(set(shown)) == 10
    assert len(LexborHTMLParser(question_page(questions, 99, 1)).css("article")) == 50
    assert "0 of 0 made questions" in question_page([], 30, 1)


def test_the_order_tells_what_was_dropped():
    tree = LexborHTMLParser(question_page([question(1)], 1, 0, report()))
    rows = [[cell.text() for cell in row.css("td")] for row in tree.css("tbody tr")]
    assert ["single/easy", "9", "0"] in rows
    assert ["single/hard", "0", "11"] in rows
    assert ["short", "5", "12.5 %"] in rows
    assert rows.count(["dropped one", "x", "too long"]) == 3
    assert "no more drafts" in tree.css_first("ul.notes").text()
    quiet = LexborHTMLParser(question_page([], 1, 0, report(ended="", dropped={}, examples=[])))
    assert [node.text() for node in quiet.css("summary")] == ["How to judge"]
    assert not quiet.css(".notes")


ELM = Of("maker", Entity("Elm"))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (ELM, "maker of “Elm”"),
        (Of("born", Whose("director", Entity("Oak"))), "born of that whose director is “Oak”"),
        (Count(Both((ELM, ELM))), "the number of ((maker of “Elm”) and also (maker of “Elm”))"),
        (Every(Either((ELM, Entity("Oak")))), "all of ((maker of “Elm”) or (“Oak”))"),
        (Each((ELM, ELM)), "(maker of “Elm”); as well as (maker of “Elm”)"),
    ],
)
def test_a_formula_in_words(query, words):
    assert in_words(query) == words
    asked = LexborHTMLParser(question_page([question(1, formula=to_json(query))], 1, 0)).css_first("article").text()
    assert f"Asked: {words}" in asked
