"""The report card as a page: whole, escaped, and without anything from outside."""

import pytest
from card_kit import answer, attempt, failed, folder, item
from selectolax.lexbor import LexborHTMLParser

from webfarer.core.fare import Budget
from webfarer.core.types import StopReason
from webfarer.evals.card import card, tables
from webfarer.evals.page import page
from webfarer.evals.plots import figures, look

EVIL = '<script src="https://evil.test/x.js"></script>&"\''
ITEMS = [item(number, difficulty=("easy", "hard")[number % 2]) for number in range(6)]
ITEMS[0] = ITEMS[0].model_copy(update={"question": EVIL, "cells": {"type": EVIL}})


@pytest.fixture
def made(tmp_path):
    limit = answer("else", StopReason.TURNS)
    folders = []
    for agent in ("walker", "react"):
        for steps in (5, 15):
            tries = [attempt(one, right=at < steps / 3) for at, one in enumerate(ITEMS[:3])]
            tries += [failed(ITEMS[3]), attempt(ITEMS[4], right=False, reached=False, answer=limit)]
            out = tmp_path / f"{agent}{steps}"
            folders.append(folder(out, ITEMS, tries, agent=agent, model=EVIL, budget=Budget(steps=steps)))
    folders.append(folder(tmp_path / "search", ITEMS, [], setting="search", agent="dancer"))
    return card(folders)


def test_nothing_is_loaded_and_nothing_runs(made):
    html = page(made)
    tree = LexborHTMLParser(html)
    assert not tree.css("script, link, img, iframe, object, [src], [href], [onclick]")
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in tree.css_first("meta[http-equiv=Content-Security-Policy]").attributes["content"]


def test_what_came_from_questions_and_models_is_shown_as_text(made):
    tree = LexborHTMLParser(page(made))
    assert EVIL in tree.css_first("details td").text()
    assert any(EVIL in node.text() for node in tree.css("th"))


def test_every_table_note_and_unfinished_attempt_is_there(made):
    tree = LexborHTMLParser(page(made))
    titles = [node.text() for node in tree.css("h2")]
    assert {title for title in tables(made) if title != "Accuracy by budget"} <= set(titles)
    assert [node.text() for node in tree.css("ul.notes li")] == list(made.notes)
    assert "q5 #1" in tree.css("ul")[-1].text()


def test_questions_are_marked_for_every_entry_that_was_asked_them(made):
    tree = LexborHTMLParser(page(made))
    rows = tree.css("details tbody tr")
    assert len(rows) == len(ITEMS)
    marks = [[node.text() for node in row.css("td.mark")] for row in rows]
    assert marks[2] == ["✗", "✓", "✗", "✓", "✗"]  # two budgets of two agents, and one that did nothing


def test_figures_are_well_formed_and_never_mix_settings(made):
    drawn = dict(figures(made))
    assert set(drawn) == {
        "Accuracy, world, setting click",
        "What came of the attempts, world, setting click",
        "Accuracy against cost, world, setting click",
        "Accuracy, world, setting search",
        "What came of the attempts, world, setting search",
        "Accuracy by budget of steps",
    }
    assert "dancer" not in drawn["Accuracy, world, setting click"]
    for svg in drawn.values():
        tree = LexborHTMLParser(svg)
        assert tree.css("svg")
        assert not tree.css("script")
        assert "nan" not in svg


def test_an_agent_keeps_its_color_over_its_budgets(made):
    shown = list(look(made).values())
    assert [number for number, _ in shown] == [1, 2, 3, 4, 5]
    assert shown[0][1] == shown[1][1] != shown[2][1]


def test_a_card_without_items_has_a_page(tmp_path):
    assert "0 questions" in page(card([folder(tmp_path, [], [])]))
