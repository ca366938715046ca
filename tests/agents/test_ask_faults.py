"""Whatever breaks while asking (the model, its endpoint, a search engine, a page), there is an answer and a reason."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web as server
from ask_kit import CITED, ENGINE, ROOM, Actor, Asked, Messages, Place, behind_endpoint, call, place, search, visit
from walk_kit import LIBRARY, QUESTION, TRUTH, contents

from webfarer.core.errors import ModelAuth, ModelUnavailable
from webfarer.core.run import Call
from webfarer.core.types import StopReason
from webfarer.models.base import Message, Reply, Sampling, Tool, Usage
from webfarer.models.endpoint import Endpoint
from webfarer.models.scripted import Scripted
from webfarer.models.tokens import estimate
from webfarer.worlds import endpoint, searchserver
from webfarer.worlds.endpoint import OVERFLOW, serve_endpoint

FOUND = search("reading room")


def opened(there: Place) -> str:
    return visit(there.url(ROOM))


def good(asked: Asked) -> bool:
    """Say whether the question was answered, with evidence, in the ordinary way."""
    answer = asked.answer
    return (answer.text, answer.verified, answer.stop_reason) == (TRUTH, True, StopReason.ANSWERED)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (call("fly_to", place="Mars"), "there is no tool 'fly_to'"),
        ('<tool_call>{"name": "visit", "arguments": {"url": </tool_call>', "visit needs `url`"),
        ('<tool_call>{"name": "visit", "arguments": {"url": ["http://a', "the JSON is not complete"),
        ("<tool_call>" + '{"' * 10_000, "JSON"),
        (call("visit", goal="no url"), "visit needs `url`"),
        (call("visit", url={"a": {"b": 1}, "c": 2}, goal="x"), "`url` of visit must be array of string"),
        ("", "it holds neither a call nor an answer"),
        ("<think>hm</think>", "it holds neither a call nor an answer"),
        ("I know it without looking.", "the answer cites no evidence"),
    ],
)
async def test_a_reply_that_cannot_be_used_is_told_why(tmp_path: Path, bad: str, told: str) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Actor(FOUND, opened(there), bad, CITED))
        assert good(asked)
        assert [told in event["problem"] for event in asked["malformed"]] == [True]
        assert told in asked.prompts[-1]


async def test_five_bad_replies_in_a_row_end_in_the_best_answer_so_far(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Actor(FOUND, opened(there), *["hm, <tool_call>"] * 9))
        assert len(asked["malformed"]) == 5
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)
        assert asked.answer.stop_reason is StopReason.FAILED
        assert "5 times in a row" in asked.answer.stop_detail


async def test_an_answer_that_goes_on_citing_nothing_is_given_and_marked(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Actor(FOUND, opened(there), "It is closed.", "It is closed on Sunday."))
        assert asked.answer.text == "It is closed on Sunday."
        assert [claim.problem for claim in asked.answer.claims] == ["it cites nothing"]
        assert not asked.answer.verified


def native(name: str, arguments: str) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"content": None, "tool_calls": [call], "finish_reason": "tool_calls"}


async def test_calls_and_thoughts_over_a_real_endpoint(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        actor = Actor()
        acts = [
            native("search", '["what does <think> mean", "reading room"]'),
            {"content": f"<think>the plan is secret</think>\n{opened(there)}"},
            {"content": CITED, "reasoning_content": "enough"},
        ]

        def reply(body: dict[str, Any]) -> Any:
            return acts.pop(0) if body.get("tools") else actor.reply(body)

        async with behind_endpoint(reply) as (stub, model):
            asked = await there.ask(model)
        assert good(asked)
        assert there.stub.asked == [(ENGINE, "what does <think> mean"), (ENGINE, "reading room")]
        assert asked["act"][1]["thought"] == "the plan is secret"
        assert not [body for body in stub.requests if "the plan is secret" in str(body)]


async def test_a_server_without_tools_is_spoken_to_with_tags(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        actor = Actor(FOUND, opened(there), f"<answer>{CITED}</answer>")

        def reply(body: dict[str, Any]) -> str:
            told = "<tool_call>" in body["messages"][0]["content"] or len(body["messages"]) > 2
            reads = body["messages"][0]["content"].startswith("You read one page")
            return actor.reply(body) if told or reads else "I would search, but how?"

        async with behind_endpoint(reply, lacks=["tools"]) as (stub, model):
            asked = await there.ask(model)
        assert good(asked)
        assert [(event["part"], event["error"]) for event in asked["degraded"]] == [("tools", "NoTools")]
        assert ["tools" in body for body in stub.requests].count(True) == 1
        assert not [body for body in stub.requests if any(m["role"] == "tool" for m in body["messages"])]


async def test_a_model_that_is_down_leaves_nothing_or_the_evidence(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Scripted([ModelUnavailable("down")] * 9))
        assert (asked.answer.text, asked.answer.stop_reason) == ("", StopReason.FAILED)
        assert "down" in asked.answer.stop_detail
        actor = Actor(FOUND, opened(there))
        asked = await there.ask(Scripted([actor] * 3 + [ModelUnavailable("down")] * 9))
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)
        assert asked.answer.stop_reason is StopReason.FAILED
        assert "ModelUnavailable" in {event["error"] for event in asked["degraded"]}


@pytest.mark.parametrize(
    "fault", [OVERFLOW, endpoint.Fault(503), endpoint.MALFORMED, endpoint.Fault(200, raw="<html>")]
)
async def test_an_endpoint_that_fails_once_at_the_last_step(tmp_path: Path, fault: endpoint.Fault) -> None:
    async with place(tmp_path) as there:
        actor = Actor(FOUND, opened(there), CITED)
        async with behind_endpoint(actor.reply, faults=[None, None, None, fault]) as (_, model):
            asked = await there.ask(model)
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)
        assert asked.answer.stop_reason is StopReason.FAILED
        assert [result["error"]["error"] for result in asked["result"] if "error" in result] != []


async def test_a_refused_key_is_the_users_business(tmp_path: Path) -> None:
    async with place(tmp_path) as there, serve_endpoint(Actor().reply, key="right") as stub:
        refused = Endpoint("stub", base_url=stub.url, api_key="wrong")
        with pytest.raises(ModelAuth):
            await there.ask(refused)
        await refused.close()


class Forgetful(Scripted):
    """A model whose server drops the head of a long prompt without a word."""

    kept = 1200

    def __init__(self, actor: Actor) -> None:
        super().__init__([actor] * 9)
        self.saw: list[str] = []

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling = Sampling(),
        call: Call | None = None,
    ) -> Reply:
        reply = await super().complete(messages, tools, sampling, call)
        left = "\n".join(contents(messages))[-self.kept :]
        self.saw.append(left)
        return Reply(reply.text, usage=Usage(estimate(left), estimate(reply.text)))


async def test_the_question_is_still_at_the_end_where_the_head_was_dropped(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        model = Forgetful(Actor(FOUND, opened(there), CITED))
        asked = await there.ask(model)
        assert good(asked)
        assert all(QUESTION in seen for seen in model.saw[1:])
        assert [event["error"] for event in asked["degraded"]] == ["PromptCut"]


class Forward(Actor):
    """Goes on with its script whatever is left of the conversation."""

    def act(self, messages: Messages) -> str:
        line, *self.acts = (*self.acts, CITED)
        return str(line)


@pytest.mark.parametrize("context", ["keep_all", "keep_last", "fold"])
async def test_a_small_window_still_gets_an_answer(tmp_path: Path, context: str) -> None:
    async with place(tmp_path) as there:
        there.changes["ask"] = {"context": context}
        lines = [FOUND, opened(there), *[search(f"zebra {n} " + "word " * 60) for n in range(6)]]
        model = Forward(*lines).model(context=2600)
        asked = await there.ask(model)
        assert good(asked)
        assert max(model.count(messages) for messages in model.asked) <= 2600
        short = {
            "keep_all": "Earlier steps left out",
            "keep_last": "is no longer shown",
            "fold": "Summary of the earlier",
        }
        assert any(short[context] in prompt for prompt in asked.prompts)
        if context == "fold":  # the calls are part of what is summed up, whatever way the model made them
            summed = [prompt for prompt in asked.prompts if prompt.startswith("You keep the record")]
            assert "visit {" in summed[0]
            assert '"zebra 0 word' in summed[0]


async def _captcha(request: server.BaseRequest) -> server.StreamResponse:
    page = "<html><title>Just a moment...</title><body>Checking your browser before accessing. CAPTCHA</body></html>"
    return server.Response(status=403, text=page, content_type="text/html")


async def _busy(request: server.BaseRequest) -> server.StreamResponse:
    return server.Response(status=429, text="slow down", headers={"Retry-After": "1"})


async def _huge(request: server.BaseRequest) -> server.StreamResponse:
    response = server.StreamResponse(headers={"Content-Type": "text/html"})
    response.content_length = 2_000_000_000
    await response.prepare(request)
    await response.write(b"<html>")
    await asyncio.sleep(0)
    request.transport.close()  # type: ignore[union-attr]
    return response


@pytest.mark.parametrize(
    ("page", "error"), [(None, "HttpStatus"), (_captcha, "HttpStatus"), (_busy, "HttpStatus"), (_huge, "TooLarge")]
)
async def test_a_result_that_cannot_be_opened_is_a_problem_among_others(tmp_path: Path, page: Any, error: str) -> None:
    pages = {**LIBRARY, **({"/bad": page} if page else {})}
    async with place(tmp_path, pages, {"/bad": "reading room", f"/{ROOM}": "reading room"}) as there:
        asked = await there.ask(Actor(FOUND, visit(there.url("bad"), there.url(ROOM)), CITED))
        assert good(asked)
        assert asked.problems == [error]
        assert there.opened().count("/bad") == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (searchserver.CAPTCHA, "SearchUnavailable"),
        (searchserver.JSON_OFF, "SearchBlocked"),
        (searchserver.BUSY, "SearchBlocked"),
        (searchserver.BROKEN, "SearchUnavailable"),
        (searchserver.OVERSIZED, "SearchUnavailable"),
        (searchserver.TRUNCATED, "SearchUnavailable"),
        (searchserver.ERROR_AS_SUCCESS, "SearchUnavailable"),
    ],
)
async def test_a_search_engine_that_fails_is_a_problem_among_others(
    tmp_path: Path, fault: searchserver.Fault, error: str
) -> None:
    async with place(tmp_path, faults=[fault] * 2) as there:
        question = f"{QUESTION} See {there.url(ROOM)}"
        asked = await there.ask(Actor(search("zebra"), FOUND, opened(there), CITED), question=question)
        assert good(asked)
        assert asked.problems[0] == error


async def test_a_search_engine_that_never_answers_leaves_an_honest_nothing(tmp_path: Path) -> None:
    async with place(tmp_path, faults=[searchserver.BUSY] * 99) as there:
        asked = await there.ask(Actor(*[search(f"reading room {n}") for n in range(99)]))
        assert asked.answer.stop_reason is StopReason.LOOP
        assert (asked.answer.text, asked.answer.claims) == ("", ())
        assert set(asked.problems) == {"SearchBlocked"}
