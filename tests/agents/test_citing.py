"""From an answer with marks to claims: every sentence is one, none is lost, and the text keeps no mark."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webfarer.agents.citing import cites, draft_of, plain
from webfarer.core.types import Quote

EVIDENCE = [Quote(page="p", url="http://a.example/", text=f"evidence {n}", start=n) for n in range(1, 6)]
NOTHING = "it cites nothing"


def told(answer: str) -> list[tuple[str, list[int | str]]]:
    """Return each statement with the numbers it cites, or why it is not verified."""
    found: dict[str, list[int | str]] = {}
    for claim in draft_of(answer, EVIDENCE).claims:
        found.setdefault(claim.text, []).append(claim.quote.start if claim.quote else claim.problem)
    return list(found.items())


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ("It opens at 9 [1]. It shuts at 5 [2].", [("It opens at 9.", [1]), ("It shuts at 5.", [2])]),
        ("It opens at 9. [1] It shuts at 5.[2]", [("It opens at 9.", [1]), ("It shuts at 5.", [2])]),
        ("It opens at 9.\n[1]\nIt shuts.", [("It opens at 9.", [1]), ("It shuts.", [NOTHING])]),
        ('He said "yes." [1] Then no (twice.) [2]', [('He said "yes."', [1]), ("Then no (twice.)", [2])]),
        ("One [1][3], and two [2, 3].", [("One, and two.", [1, 3, 2])]),
        ("All [1-3].", [("All.", [1, 2, 3])]),
        ("All [2–4] of it.", [("All of it.", [2, 3, 4])]),
        ("Wide [1-999].", [("Wide.", [1, "there is no evidence [999]"])]),
        ("Back [3-1].", [("Back.", [3, 1])]),
        ("Footnote [^2], source 【3†L1-L9】, link [4](http://a.example/7).", [("Footnote, source, link.", [2, 3, 4])]),
        ("Marks below\n[2]\n\n[3]\nNext.", [("Marks below", [2, 3]), ("Next.", [NOTHING])]),
        ("他是主席。【1】她生于1970年[证据2]。完", [("他是主席。", [1]), ("她生于1970年。", [2]), ("完", [NOTHING])]),
        ("他说：“好。”［3］然后走了【1、2】。", [("他说：“好。”", [3]), ("然后走了。", [1, 2])]),
        ("Version v1.2 costs 3.50 EUR [1].", [("Version v1.2 costs 3.50 EUR.", [1])]),
        ("Dr. A. Lee, U.S. Navy, No. 7 [1]. So.", [("Dr. A. Lee, U.S. Navy, No. 7.", [1]), ("So.", [NOTHING])]),
        ("1. First [1]\n2. Second [2]\n- Third", [("First", [1]), ("Second", [2]), ("Third", [NOTHING])]),
        ("The winners are:\n\n- Ann [1]\n- Bob [2]", [("The winners are:\n\n- Ann", [1]), ("Bob", [2])]),
        ("|Who|When|\n|-|:-:|\n| A. Bell | 5. X [1] |\n| Bob | ? |", [("A. Bell | 5. X", [1]), ("Bob | ?", [NOTHING])]),
        ("# Opening hours\n\nAt nine [1].", [("At nine.", [1])]),
        ("Call `a[1]` [2].", [("Call `a[1]`.", [2])]),
        ("Run [1]:\n```\nx[3]. Y\nz\n```\nDone [2].", [("Run:\n```\nx[3]. Y\nz\n```", [1]), ("Done.", [2])]),
        ("In [2024] a[0].", [("In [2024] a.", ["there is no evidence [0]"])]),
        ("It is so [9].", [("It is so.", ["there is no evidence [9]"])]),
        ("It is so [1][9].", [("It is so.", [1, "there is no evidence [9]"])]),
        ("It is so.", [("It is so.", [NOTHING])]),
        ("[1]", []),
        ("--- … !", []),
    ],
)  # fmt: skip
def test_statements_and_what_they_cite(answer: str, claims: list[tuple[str, list[int | str]]]) -> None:
    assert told(answer) == claims


def test_conflicts_come_last_and_leave_the_text() -> None:
    answer = "It opens at 9 [2], an older page says 8 [1].\nConflict: when it opens [1][2]\n\nAsk first [3]."
    draft = draft_of(answer, EVIDENCE)
    assert draft.text == "It opens at 9, an older page says 8.\n\nAsk first."
    assert [(conflict.about, conflict.claims) for conflict in draft.conflicts] == [("when it opens", (3, 4))]
    assert [draft.claims[n].text for n in (3, 4)] == ["evidence 1", "evidence 2"]


@pytest.mark.parametrize(
    "line", ["Conflict: who knows", "Conflict: it [1]", "矛盾：它 [1][1]", "**Conflict**: it [1][9]"]
)
def test_a_conflict_of_less_than_two_stays_a_statement(line: str) -> None:
    draft = draft_of(line, EVIDENCE)
    assert draft.conflicts == ()
    assert draft.text == plain(line)
    assert draft.claims != ()


@pytest.mark.parametrize(
    "line", ["**Conflict:** when [1][2]", "- 矛盾：何时 [1][2]", "Contradiction: when [1] vs. [2]"]
)
def test_conflict_lines_as_models_write_them(line: str) -> None:
    assert [conflict.claims for conflict in draft_of(line, EVIDENCE).conflicts] == [(0, 1)]


def test_no_image_stays() -> None:
    answer = 'See !![a map](http://evil.test/?q=s) or ![1](http://evil.test/) <<img src="x"> `![x](y)`! [1]'
    assert draft_of(answer, EVIDENCE).text == 'See [a map](http://evil.test/?q=s) or ! img src="x"> `![x](y)`!'


WORDS = st.lists(st.sampled_from(["Ann", "opens", "v1.2", "3.50", "the hall", "主席", "naïve"]), min_size=1, max_size=4)
MARKS = st.lists(st.integers(1, 5), min_size=0, max_size=3, unique=True)
SENTENCES = st.lists(
    st.tuples(WORDS.map(" ".join), MARKS, st.booleans(), st.sampled_from(".!?。")), min_size=1, max_size=6
)


@given(SENTENCES, st.sampled_from(["[{}]", "【{}】", " [{}]", "[^{}]"]), st.sampled_from([" ", "\n", "\n\n"]))
def test_each_sentence_has_its_own_marks(
    sentences: list[tuple[str, list[int], bool, str]], form: str, gap: str
) -> None:
    parts, expected = [], []
    for number, (words, marks, after, stop) in enumerate(sentences):
        text = f"S{number} {words}"
        written = "".join(map(form.format, marks))
        parts.append(f"{text}{stop}{written}" if after else f"{text}{written}{stop}")
        expected.append((f"{text}{stop}", marks or [NOTHING]))
    assert told(gap.join(parts)) == expected


PIECES = st.sampled_from(
    [
        "[1]",
        "【2】",
        "[3-4]",
        "[9]",
        " ",
        ". ",
        "。",
        "\n",
        "|",
        "```",
        "`",
        "# ",
        "- ",
        ":",
        "Conflict: ",
        "Ann ",
        "x",
        "[",
        "]",
    ]
)


@example(". # Ann ")
@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_nothing_is_lost_and_nothing_invented(answer: str) -> None:
    draft = draft_of(answer, EVIDENCE)
    for claim in draft.claims:
        assert (claim.quote in EVIDENCE) != bool(claim.problem)
        assert not claim.verified
    stated = re.sub(r"[^\w]", "", "".join(claim.text for claim in draft.claims))
    heads = [line for line in answer.split("\n") if line.lstrip().startswith(("#", "|"))]
    if "Conflict" not in answer and not heads and "_" not in answer:
        for word in re.findall(r"Ann", draft.text):
            assert word in stated
    for conflict in draft.conflicts:
        assert len(conflict.claims) >= 2
        assert max(conflict.claims) < len(draft.claims)
    assert cites(answer, EVIDENCE) or all(claim.quote is None for claim in draft.claims)


@given(
    st.lists(st.sampled_from(["[1]", "【2】", " [3-4]", "[1, 2]", "[^5]", "a ", "b. ", "。", "\n"]), max_size=20).map(
        "".join
    )
)
def test_the_plain_text_has_no_mark(answer: str) -> None:
    text = plain(answer)
    assert not re.search(r"[\[【]", text)
    assert re.sub(r"\s", "", text) == re.sub(r"\s|\[[^\]]*\]|【\d】", "", answer)
    assert plain(text) == text


@pytest.mark.parametrize(
    "piece",
    ["\n", " ", "[1", ". ", ".)", "`", "[1]", "| a. B", "Conflict: ", "a.\n", ":\n", ".[1] ", "[1,", "![", "<img "],
)
def test_twenty_thousand_characters_of_it_take_no_time(piece: str) -> None:
    draft = draft_of(piece * (20_000 // len(piece)), EVIDENCE)  # the suite's own time limit would fail it
    assert len(draft.text) <= 20_000
