"""Replies that must fit a schema: one repair turn, and verdicts that are never guessed."""

from typing import Literal

import pytest
from pydantic import BaseModel, StrictBool

from webfarer.core.errors import BadReply, ModelTimeout
from webfarer.models.base import Message, Reply
from webfarer.models.scripted import Scripted
from webfarer.models.structured import ask, closed_schema


class Part(BaseModel):
    name: str
    size: int = 1


class Verdict(BaseModel):
    sufficient: StrictBool
    kind: Literal["a", "b"] = "a"
    parts: list[Part] = []


ASKED = [Message("user", "Is it?")]


async def test_a_reply_that_fits():
    model = Scripted(['```json\n{"sufficient": true, "extra": 1}\n```'])
    assert await ask(model, ASKED, Verdict) == Verdict(sufficient=True)
    assert model.samplings[0].json_schema == closed_schema(Verdict)


@pytest.mark.parametrize(
    "bad",
    [
        '{"sufficient": "true"}',
        '{"sufficient": "not true"}',
        '{"sufficient": not true}',
        '{"sufficient": 1}',
        '{"sufficient": null}',
        '{"verdict": true}',
        "It is true.",
        '{"sufficient": true, "kind": "c"}',
        '{"sufficient": false, "parts": [{"size": 2}]}',
        "",
    ],
)
async def test_what_does_not_fit_gets_one_repair_turn_with_the_reason(bad):
    model = Scripted([bad, '{"sufficient": false}'])
    assert (await ask(model, ASKED, Verdict)).sufficient is False
    told = model.asked[1]
    assert told[:1] == ASKED
    assert [message.role for message in told[1:]] == ["assistant", "user"]
    assert told[1].content
    assert "cannot be used" in told[2].content


async def test_the_reason_names_the_field():
    model = Scripted(['{"sufficient": true, "parts": [{"size": 2}]}', '{"sufficient": true}'])
    await ask(model, ASKED, Verdict)
    assert "parts.0.name: Field required" in model.asked[1][-1].content


async def test_a_second_failure_is_a_bad_reply():
    with pytest.raises(BadReply, match="Verdict") as caught:
        await ask(Scripted(["no", "still no", '{"sufficient": true}']), ASKED, Verdict)
    assert caught.value.detail["reply"] == "still no"


async def test_a_reply_cut_at_the_limit_counts_only_when_it_is_whole():
    cut, whole = Reply('{"sufficient": true, "parts": [{"name": "ab', finish="length"), Reply('{"sufficient": true}')
    model = Scripted([cut, whole], context=3000)
    assert await ask(model, ASKED, Verdict) == Verdict(sufficient=True)
    assert "cut off" in model.asked[1][-1].content
    first, second = (sampling.max_tokens for sampling in model.samplings)
    assert first < second <= 3000 - model.count(model.asked[1])
    ended = Scripted([Reply('{"sufficient": true}', finish="length")])
    assert await ask(ended, ASKED, Verdict) == Verdict(sufficient=True)


async def test_the_models_own_errors_pass():
    with pytest.raises(ModelTimeout):
        await ask(Scripted([ModelTimeout("late")]), ASKED, Verdict)


def test_the_schema_is_closed_all_the_way_down():
    schema = closed_schema(Verdict)
    for node in (schema, schema["$defs"]["Part"]):
        assert node["additionalProperties"] is False
        assert node["required"] == list(node["properties"])
    assert "default" not in schema["properties"]["kind"]
