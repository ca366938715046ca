"""Queries in words: English and Chinese, near and far, one and many."""

from dataclasses import replace

import pytest
from observatories_kit import observatories

from webfarer.data.formula import Both, Count, Each, Either, Entity, Every, Of, Query, Whose
from webfarer.data.ground import Ground, Relation
from webfarer.data.wording import noun_of, question_of, refilled, stands_in

ELM, HAMLIN, ZETA = Entity("Elm Ridge"), Entity("Hamlin"), Entity("Zeta Works")
ADA = Whose("born", HAMLIN)
RIDGE = Whose("director", ADA)
THERE = Whose("site", ELM)
MADE = Whose("maker", ZETA)

CHINESE = {
    "site": Relation("{x}安装在哪座天文台", "安装{x}的天文台", "安装在{x}的仪器", "安装在{x}的仪器"),
    "maker": Relation("{x}由谁制造", "{x}的制造者", "由{x}制造的仪器", "由{x}制造的仪器"),
    "founded": Relation("{x}是哪一天成立的", "{x}的成立日期", "于{x}成立的研究所"),
    "operator": Relation("{x}由谁运营", "运营{x}的机构", "由{x}运营的天文台", "由{x}运营的天文台"),
}

ENGLISH_CASES: list[tuple[Query, str]] = [
    (Of("director", ELM), "Who is the director of Elm Ridge?"),
    (
        Of("opened", RIDGE),
        "Find the astronomer born in Hamlin. When was the observatory directed by this astronomer opened?",
    ),
    (
        Of("director", Whose("opened", Entity("4 May 1931"))),
        "Who is the director of the observatory that opened on 4 May 1931?",
    ),
    (Of("mentor", Of("director", ELM)), "Who taught the director of Elm Ridge?"),
    (RIDGE, "What is the name of the observatory directed by the astronomer born in Hamlin?"),
    (Both((MADE, THERE)), "What is the name of the instrument at Elm Ridge whose maker is Zeta Works?"),
    (Count(THERE), "How many instruments are there at Elm Ridge?"),
    (Count(MADE), "How many instruments are there whose maker is Zeta Works?"),
    (Count(Both((MADE, THERE))), "How many instruments are there at Elm Ridge whose maker is Zeta Works?"),
    (Count(Whose("directed", Entity("Ada Fell"))), "How many observatories directed by Ada Fell are there?"),
    (Count(Whose("of", ELM)), "What is the number of instruments of Elm Ridge?"),
    (Every(THERE), "List the instruments at Elm Ridge."),
    (Every(Of("aperture", THERE)), "List the aperture of each of the instruments at Elm Ridge."),
    (
        Every(Either((THERE, Of("aperture", THERE)))),
        "List the instruments at Elm Ridge together with the aperture of each.",
    ),
    (Every(Either((THERE, MADE))), "List the instruments at Elm Ridge and the instruments whose maker is Zeta Works."),
    (
        Every(Whose("site", RIDGE)),
        "Find the astronomer born in Hamlin. List the instruments at the observatory directed by this astronomer.",
    ),
    (
        Each((Of("director", ELM), Of("born", Entity("Bo Lund")))),
        "Who is the director of Elm Ridge, and where was Bo Lund born?",
    ),
]

CHINESE_CASES: list[tuple[Query, str]] = [
    (Of("maker", Entity("甲")), "甲由谁制造？"),
    (Both((Whose("site", Entity("乙")), Whose("maker", Entity("丙")))), "安装在乙的、由丙制造的仪器叫什么名字？"),
    (Count(Whose("site", Entity("乙"))), "安装在乙的仪器一共有多少个？"),
    (Every(Of("maker", Whose("site", Entity("乙")))), "请列出安装在乙的仪器各自的制造者。"),
    (
        Whose("operator", Whose("founded", Entity("1931年"))),
        "先找到于1931年成立的研究所。由该研究所运营的天文台叫什么名字？",
    ),
    (
        Of("site", Whose("maker", Of("operator", Whose("founded", Entity("1931年"))))),
        "先找到于1931年成立的研究所。再找到运营该研究所的机构。由该机构制造的仪器安装在哪座天文台？",
    ),
]


@pytest.fixture
def english() -> Ground:
    more = {
        "director": Relation("who is the director of {x}", "the director of {x}", "the observatory directed by {x}"),
        "directed": Relation("who directed {x}", those="the observatories directed by {x}"),
        "quoted": Relation("which line says “{x}”"),
        "of": Relation("where is {x}", those="the instruments of {x}"),
    }
    ground = observatories()
    return replace(ground, relations={**ground.relations, **more})


@pytest.mark.parametrize(("query", "text"), ENGLISH_CASES)
def test_english(english: Ground, query: Query, text: str) -> None:
    assert question_of(query, english) == text


@pytest.mark.parametrize(("query", "text"), CHINESE_CASES)
def test_chinese(english: Ground, query: Query, text: str) -> None:
    assert question_of(query, replace(english, language="zh", relations=CHINESE)) == text


@pytest.mark.parametrize(
    "query",
    [
        ELM,
        Whose("aperture", Whose("of", ELM)),  # no singular
        Count(Whose("born", HAMLIN)),  # no plural
        Both((THERE, Of("director", ELM))),
        Of("quoted", Of("director", ELM)),
        Both((THERE, ADA)),  # an instrument and an astronomer
        Of("director", Count(THERE)),
        Every(Count(THERE)),
    ],
)
def test_what_the_relations_cannot_say_is_no_question(english: Ground, query: Query) -> None:
    assert question_of(query, english) is None


def test_one_thing_has_a_noun_phrase(english: Ground) -> None:
    assert noun_of(RIDGE, english) == "the observatory directed by the astronomer born in Hamlin"
    assert noun_of(Of("country", RIDGE), english) is None
    assert noun_of(Count(THERE), english) is None


def test_a_term_takes_the_place_of_a_name_in_any_sentence(english: Ground) -> None:
    text = "Name the town where {x} lies."
    assert refilled(text, ELM, english) == "Name the town where Elm Ridge lies."
    assert (
        refilled(text, Whose("opened", Entity("1931")), english)
        == "Name the town where the observatory that opened on 1931 lies."
    )
    assert (
        refilled(text, RIDGE, english)
        == "Find the astronomer born in Hamlin. Name the town where the observatory directed by this astronomer lies."
    )
    assert refilled(text, Count(THERE), english) is None


def test_of_two_prepositions_in_a_row_chinese_has_one(english: Ground) -> None:
    chinese = replace(english, language="zh", relations=CHINESE)
    assert refilled("甲由{x}运营吗？", Whose("founded", Entity("1931年")), chinese) == "甲由1931年成立的研究所运营吗？"
    assert refilled("甲由{x}运营吗？", Entity("于谦"), chinese) == "甲由于谦运营吗？"


def test_a_name_is_shown_as_the_ground_shows_it_but_quoted_as_it_is(english: Ground) -> None:
    ground = replace(english, shown={"Elm Ridge": "the page “Elm Ridge”"})
    assert question_of(Of("director", ELM), ground) == "Who is the director of the page “Elm Ridge”?"
    assert question_of(Of("quoted", ELM), ground) == "Which line says “Elm Ridge”?"


def test_a_long_phrase_is_found_first(english: Ground) -> None:
    long = Entity(f"the {'very ' * 20}old lens")
    text = question_of(Of("born", Of("director", long)), english)
    assert text == f"Find the director of {long.name}. Where was this director born?"


def test_a_name_with_braces_is_left_alone(english: Ground) -> None:
    assert question_of(Of("director", Entity("{x} {y}")), english) == "Who is the director of {x} {y}?"


def test_a_part_stands_in_a_text_as_whole_words() -> None:
    assert stands_in("Elm ridge", "the ELM  Ridge dome")
    assert not stands_in("Elm", "the Elmwood dome")
    assert stands_in("->", "a -> b")
    assert not stands_in("->", "a b")
