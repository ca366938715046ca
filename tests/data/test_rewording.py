"""A chat model's words are taken only where every name is kept and nothing is told."""

import json
from dataclasses import replace

import pytest
from observatories_kit import observatories

from webfarer.core.errors import ModelError
from webfarer.data.formula import Entity, Of, Whose
from webfarer.data.question import Question
from webfarer.data.rewording import reworded
from webfarer.data.synths._drafting import Draft, draft, draft_of
from webfarer.models.scripted import Scripted

SKY = observatories()


def question() -> Question:
    made = draft_of(SKY, Draft("e2hqa", "easy_to_hard", formula=Of("director", Whose("opened", Entity("4 May 1931")))))
    assert made is not None
    assert made.answer == "Ada Fell"
    return made


def saying(*texts: str) -> Scripted:
    return Scripted([json.dumps({"question": text}) for text in texts], name="small")


async def test_a_good_wording_is_taken_and_nothing_else_changes() -> None:
    old = question()
    new = await reworded(saying(" Who runs the observatory that opened its doors on 4 MAY 1931? "), old, SKY)
    assert new.question == "Who runs the observatory that opened its doors on 4 MAY 1931?"
    assert new.made == {"by": "small"}
    assert new.model_copy(update={"question": old.question, "made": old.made}) == old


@pytest.mark.parametrize(
    "text",
    [
        "Who runs the observatory that opened in May 1931?",
        "Who, if not Ada Fell, runs the observatory that opened on 4 May 1931?",
        "4 May 1931开放的天文台由谁领导？",
        "Who runs it?\nIt opened on 4 May 1931.",
        f"Who runs the observatory that opened on 4 May 1931{', as everybody knows,' * 20}?",
        "",
    ],
)
async def test_a_bad_wording_leaves_the_template(text: str) -> None:
    assert await reworded(saying(text), question(), SKY) == question()


async def test_nonsense_twice_leaves_the_template() -> None:
    model = Scripted(["no", "no"])
    assert await reworded(model, question(), SKY) == question()
    assert len(model.asked) == 2


async def test_a_model_that_fails_is_told_of() -> None:
    with pytest.raises(ModelError, match="down"):
        await reworded(Scripted([ModelError("down")]), question(), SKY)


async def test_what_has_no_formula_is_not_asked_about() -> None:
    plain = draft(SKY, Draft("masked", "masked", text="[mask 1] is red", parts=("Mars",)))
    assert await reworded(Scripted([]), plain, SKY) is plain


async def test_names_from_pages_are_fenced_and_the_language_is_the_ground_s() -> None:
    model = saying("…")
    await reworded(model, question(), replace(SKY, language="zh"))
    system, user = model.asked[0]
    assert "Use Chinese" in system.content
    assert "<untrusted-" in user.content.split("4 May 1931")[0]
    assert user.content.count("4 May 1931") == 2
