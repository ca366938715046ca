"""What grammar finds on hand-made pages: one rule at a time, and what the whole site takes back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.types import Link, Page, Span
from webfarer.data.grammar import read, sifted
from webfarer.data.ground import Statement
from webfarer.data.question import Evidence
from webfarer.evals.scoring import normalise

SITE = " — Lamp 3.1 documentation"


def page(name: str, markdown: str, links: tuple[Link, ...] = (), language: str = "en", title: str = "") -> Page:
    url = f"http://lamp.test/{name}.html"
    spans = (("main", Span(0, len(markdown))),)
    return Page(f"hash of {name}", url, title or f"{name}{SITE}", markdown, links, language=language, spans=spans)


def asked(*pages: Page, language: str = "en") -> dict[str, str]:
    """Return the questions of all statements, with their answers."""
    reading = read({each.url: each for each in pages}, language)
    return {
        reading.relations[each.relation].ask.replace("{x}", reading.shown.get(each.subject, each.subject)): each.value
        for each in reading.statements
    }


FUNCTION = """\
# lamp

lamp.dim(level, step=5, *, curve='linear', wait=None)
: Lower the brightness by the given level and return what remains.

  New in version 2.4.

  Changed in version 3.0: The curve parameter was added to the signature.

class lamp.Bulb(socket)
: A source of light that can be screwed into a holder.

  watts
  : The power that is drawn from the socket. The default is 60.

    Deprecated since version 2.9.

  blink(times=3)
  : Switch on and off again, as often as was asked for.

    New in version 2.8: The number of times can be given.

    Deprecated since version 3.1, will be removed in version 4.0: More than nine times wear out the bulb.
"""


def test_entries_of_a_programming_interface():
    about = "is described on the page “lamp” with the words"
    assert asked(page("lamp", FUNCTION)) == {
        "what is the default value of the parameter “step” in the signature of lamp.dim": "5",
        "what is the default value of the parameter “curve” in the signature of lamp.dim": "linear",
        "what is the default value of the parameter “times” in the signature of lamp.Bulb.blink": "3",
        f"which function {about} “Lower the brightness by the given level and return what remains.”": "lamp.dim",
        f"which class {about} “A source of light that can be screwed into a holder.”": "lamp.Bulb",
        f"which method {about} “Switch on and off again, as often as was asked for.”": "blink",
        f"which attribute {about} “The power that is drawn from the socket.”": "watts",
        "in which version was lamp.dim added": "2.4",
        "for which version is this change of lamp.dim documented: "
        "“The curve parameter was added to the signature.”": "3.0",
        "what is the documented default of lamp.Bulb.watts": "60",
        "since which version has lamp.Bulb.watts been deprecated": "2.9",
        "for which version is this change of lamp.Bulb.blink documented: “The number of times can be given.”": "2.8",
        "since which version is this deprecation documented for lamp.Bulb.blink: "
        "“More than nine times wear out the bulb.”": "3.1",
    }


OPTIONS = """\
# lamp-glow(1)

## NAME

lamp-glow - Keep a lamp burning

## OPTIONS

-q

--quiet
: Do not tell anybody that the filament is broken.

--[no-]colour=<name>
: Paint the bulb before it is switched on. The default is `amber`.

--dusk

--dawn
: Wait for the sun before anything is done at all.

1
: A footnote that describes nothing whatever here.
"""


def test_options_of_a_manual():
    about = "is described on the page “lamp-glow(1)” with the words"
    assert asked(page("glow", OPTIONS, title="lamp-glow(1)")) == {
        "how does the documentation describe the page “lamp-glow(1)” in one line": "Keep a lamp burning",
        f"which long option {about} “Do not tell anybody that the filament is broken.”": "--quiet",
        f"which option {about} “Paint the bulb before it is switched on.”": "--[no-]colour",
        "what is the documented default of the option “--[no-]colour” on the page “lamp-glow(1)”": "amber",
    }


TABLES = """\
# Sockets

Holders in common use

| Socket | Diameter | Use |
| --- | --- | --- |
| E14 | 14 mm | Small bulbs in chandeliers and on night tables |
| E27 | 27 mm | Nearly all household lamps on the continent |
| B22 | 22 mm | [1] |

## Layout

| ![Note] | Note |
| --- | --- |
|  | This is no table of data. |

| reset() | Resets it. |
| --- | --- |
| read_one() | Reads one of them. |
| read_two() | Reads two of them. |
| read_all() | Reads all of them. |
"""


def test_tables_name_their_rows():
    table = "the table “Holders in common use” on the page “Sockets”"
    found = asked(page("Sockets", TABLES))
    assert {question: answer for question, answer in found.items() if "Diameter" in question} == {
        f"what does {table} give as “Diameter” for “{row}”": f"{size} mm"
        for row, size in (("E14", 14), ("E27", 27), ("B22", 22))
    }
    small = "Small bulbs in chandeliers and on night tables"
    assert found[f"what does {table} give as “Use” for “E14”"] == small
    assert found[f"for which “Socket” does {table} give this as “Use”: “{small}”"] == "E14"
    assert found["under which title is “B22” listed in a table on the page “Sockets”"] == "Holders in common use"
    assert not any("[1]" in answer or "reset" in question for question, answer in found.items())


def test_rows_of_one_name_are_told_apart_by_their_table():
    tables = "\n\n".join(
        f"## {title}\n\n| Size | Weight |\n| --- | --- |\n| small | {a} g |\n| large | {b} g |\n| huge | {c} g |"
        for title, a, b, c in (("Bulbs", 20, 30, 40), ("Tubes", 50, 60, 70))
    )
    found = asked(page("Weights", tables))
    assert len(found) == 6
    assert found["what does the table under “Tubes” on the page “Weights” give as “Weight” for “large”"] == "60 g"


@pytest.mark.parametrize("others", [("Blue", "red"), ("blue, red", "red"), ("blue (dark)", "red")])
def test_a_column_in_which_spelling_decides_is_no_set(others: tuple[str, str]):
    rows = "".join(f"| bulb {n} | {colour} |\n" for n, colour in enumerate(("blue", "blue", *others)))
    bulbs = page("Bulbs", f"# Bulbs\n\nColours\n\n| Bulb | Colour |\n| --- | --- |\n{rows}")
    reading = read({bulbs.url: bulbs}, "en")
    column = next(relation for key, relation in reading.relations.items() if key.startswith("column"))
    assert (column.whose, column.those) == ("", "")
    assert column.of


def test_a_piece_of_a_longer_code_is_no_value():
    text = (
        "Pass the flag LAMP_OPEN_* whenever the lamp has to be opened for work. "
        "Every lamp of the house has run under Lamp 2.7.x since the last fire. "
        "The maximum length of a cable is 3.8.x, whatever the lamp."
    )
    assert asked(page("Facts", f"# Facts\n\n{text}")) == {}


SECTIONS = "# {}\n\n## 1. Introduction\n\nText.\n\n### Inner\n\nText.\n\n## Use\n\nText.\n\n## {}\n\nText."


def test_pages_are_asked_for_the_sections_that_no_other_page_has():
    found = asked(page("lamp", SECTIONS.format("lamp", "Broken bulbs")), page("cord", SECTIONS.format("cord", "Knots")))
    assert found == {
        "with which section does the page “lamp” end": "Broken bulbs",
        "with which section does the page “cord” end": "Knots",
    }


def test_what_a_model_reads_is_sifted_by_the_whole_site():
    pages = {each.url: each for each in (page("a", "Dora keeps the lamp.\nDora is 30."), page("b", "Dora is 30."))}

    def said(name: str, relation: str, value: str, text: str) -> Statement:
        url = f"http://lamp.test/{name}.html"
        place = Evidence(url=url, sha256=pages[url].id, text=text, start=pages[url].markdown.index(text))
        return Statement("Dora", relation, value, place)

    kept, aged = said("a", "keeps", "the lamp", "Dora keeps the lamp."), said("a", "age", "30", "Dora is 30.")
    assert sifted([kept, aged], pages) == [kept]  # another page gives her age as well
    other = said("b", "keeps", "30", "Dora is 30.")
    assert sifted([kept, other], pages) == []  # two answers


def test_relations_that_quote_are_marked():
    lamp = page("lamp", FUNCTION)
    relations = read({lamp.url: lamp}, "en").relations
    quoting = {key.partition(":")[0] for key, relation in relations.items() if relation.quotes}
    assert quoting == {"described", "changed", "retired"}


def test_a_set_is_asked_for_only_while_it_is_whole():
    def sets(*more: Page) -> set[str]:
        pages = {each.url: each for each in (page("Sockets", TABLES), *more)}
        reading = read(pages, "en")
        return {key.partition(":")[0] for key, relation in reading.relations.items() if relation.those}

    assert sets() == {"column", "listed"}
    assert sets(page("Shop", "Holders in common use are B22 and no others that we sell.")) == {"column"}


def test_sentences_give_measures_dates_and_gaps():
    text = (
        "The maximum length of a cable is 150 metres, whatever the lamp. "
        "Support for coloured bulbs was added in Lamp 2.7 after long talks. "
        "The workshop was moved to the harbour on 2011-05-03 by three people. "
        "Every lamp of the house has to be checked within 90 days of delivery. "
        "The name of the holder is kept in the `socket_name` field of the record. "
        "It has been sold to more than 300 towns since then. "
        "Between 20 and 30 lamps fit into one box of the usual size."
    )
    where = "on the page “Facts”: "
    assert asked(page("Facts", f"# Facts\n\n{text}")) == {
        "what is the maximum length of a cable, according to the page “Facts”": "150 metres",
        "in which version was support for coloured bulbs added, according to the page “Facts”": "2.7",
        f"which date is missing from this sentence {where}"
        "“The workshop was moved to the harbour on ___ by three people.”": "2011-05-03",
        f"which number is missing from this sentence {where}"
        "“Every lamp of the house has to be checked within ___ of delivery.”": "90 days",
        f"which name or piece of code is missing from this sentence {where}"
        "“The name of the holder is kept in the ___ field of the record.”": "socket_name",
    }


def test_links_lead_from_page_to_page():
    text = "Lamps that stand outside are described in the chapter on garden lights in full."
    nav = "garden lights — Lamps for the lawn"
    markdown = f"# street\n\n{text}\n\n{nav}"
    target = "http://lamp.test/garden.html"
    links = (
        Link(1, target, "garden lights", at=markdown.index("garden lights")),
        Link(2, target, nav, heading="Next topic", region="nav", at=markdown.index(nav)),
    )
    garden = page("garden", "# garden lights — Lamps for the lawn", title=f"garden lights — Lamps for the lawn{SITE}")
    reading = read({each.url: each for each in (page("street", markdown, links), garden)}, "en")
    assert [(each.subject, each.relation.partition(":")[0], each.value) for each in reading.statements] == [
        ("street", "link", "garden lights"),
        ("street", "next", "garden lights"),
    ]
    link = reading.relations[reading.statements[0].relation]
    assert link.of == (
        "the page that is linked to in place of the gap in the sentence "
        "“Lamps that stand outside are described in the chapter on ___ in full.” on {x}"
    )


def test_a_chinese_page_is_asked_about_in_chinese():
    table = "表 1. 各地的灯塔\n\n| 灯塔 | 高度 |\n| --- | --- |\n| 北角 | 42 米 |\n| 南湾 | 38 米 |\n| 东岛 | 17 米 |"
    markdown = f"# 灯塔\n\n{table}\n\n守塔人每隔 35 天轮换一次，由港务局负责安排。"
    found = asked(page("灯塔", markdown, language="zh"), language="zh")
    assert found["页面“灯塔”上表格“表 1. 各地的灯塔”中“北角”的“高度”是什么"] == "42 米"
    assert found["页面“灯塔”上的这句话缺了哪个数字：“守塔人每隔 ___轮换一次，由港务局负责安排。”"] == "35 天"


def test_what_another_page_states_as_well_is_left_out():
    history = page("History", "# History\n\nThe function lamp.dim came in version 2.4 of the program.")
    alone, both = (asked(page("lamp", FUNCTION), *more) for more in ((), (history,)))
    assert alone["in which version was lamp.dim added"] == "2.4"
    assert "in which version was lamp.dim added" not in both


@pytest.mark.parametrize(
    "text",
    [
        "The bulb has 25 years of guarantee from a maker.\n\nThe bulb has 30 years of guarantee from a maker.",
        "See the other part for the 25 years of guarantee that the maker gives.",
        "In 1925 there were 25 makers of bulbs between the river and the sea.",
        "> The bulb has 25 years of guarantee from a maker in Sweden.",
        "```\nThe bulb has 25 years of guarantee from a maker in Sweden.\n```",
    ],
    ids=["two answers", "leans on its context", "several numbers", "quoted", "code"],
)
def test_sentences_that_cannot_be_asked_about(text):
    assert asked(page("Bulb", f"# Bulb\n\n{text}")) == {}


def test_a_name_that_means_two_things_is_no_subject():
    twice = page("lamp", FUNCTION), page("old lamp", FUNCTION.replace("2.4", "1.4"))
    assert not any("added" in question and "lamp.dim" in question for question in asked(*twice))


def test_pages_of_one_title_have_no_name():
    text = "Every lamp of the house has to be checked within {} days of delivery."
    pages = [page(name, text.format(number), title="Lamps") for name, number in (("a", 20), ("b", 40))]
    assert asked(*pages) == {}


LINES = st.lists(
    st.sampled_from(
        (
            *FUNCTION.split("\n"),
            *OPTIONS.split("\n"),
            *TABLES.split("\n"),
            "- The lamp costs 250 euros in every shop of the town.",
            "| a | b |",
            "```",
            "  : ",
            "# ",
            "｜“{x}”",
        )
    ),
    max_size=40,
)


@given(st.lists(LINES, min_size=1, max_size=3))
def test_evidence_is_exact_and_no_question_holds_its_answer(texts):
    pages = {each.url: each for each in (page(f"p{n}", "\n".join(lines)) for n, lines in enumerate(texts))}
    reading = read(pages, "en")
    assert reading == read(pages, "en")
    for each in reading.statements:
        evidence = each.evidence
        markdown = pages[evidence.url].markdown
        assert markdown[evidence.start :].startswith(evidence.text)
        assert evidence.sha256 == pages[evidence.url].id
        assert each.value in evidence.text
        relation = reading.relations[each.relation]
        asks = relation.ask.replace("{x}", reading.shown.get(each.subject, each.subject))
        assert normalise(each.value) not in normalise(asks)
        phrases = (relation.ask, relation.of, relation.whose, relation.those)
        assert all(phrase.count("{x}") == 1 for phrase in phrases if phrase)
        assert not re.search(r"\{(?!x\})\w+\}", relation.ask)
