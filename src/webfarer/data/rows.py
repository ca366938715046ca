"""From a trajectory to training rows: its model calls, put together to the conversations that they were.

A call carries a conversation on when it was sent all of it, the last reply just as the model wrote it, and something
more. Where a prompt shows that reply differently (thoughts withheld, a call written anew, history folded), a new row
begins: what was sent is context, what was said is the target, and neither is made to look like the other. Invariant:
every usable reply has weight 1 in exactly one row. Source: prime-rl, which splits rollouts where prefixes end.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from webfarer.core.trace import canonical
from webfarer.data.question import Question
from webfarer.data.row import Called, Row, Tokens, Turn
from webfarer.data.schemas import misfit
from webfarer.data.trajectory import Said, Trajectory
from webfarer.models.base import Message, Reply
from webfarer.models.prompts import parse_json

_MENDING = ("That reply cannot be used:", "That cannot be done:")  # so begins a message that refuses a reply
_UNLIKE = -1  # number of a reply that no request shows as it was

_KINDS = {
    "Choice": "act",
    "Findings": "note",
    "Verdict": "judge",
    "LastAnswer": "conclude",
    "Conclusion": "conclude",
    "_Last": "conclude",
    "_Summary": "fold",
}
"""What a prompt is for, by the title of the JSON schema that it asks for; else the title itself says it."""


def rows_of(trajectory: Trajectory, question: Question | None = None) -> list[Row]:
    """Return the rows of a trajectory, in the order in which their conversations began.

    Replies that the agent refused, that are not the JSON asked for, that hold half a character, or that were cut at the
    token limit (they have no end to learn) get weight 0. What follows the last usable reply of a conversation is left
    out.

    Args:
        trajectory: the attempt.
        question: how it was made; for the licence of its pages.
    """
    talks: list[list[_Call]] = []
    for call in _calls(trajectory):
        talk = next((talk for talk in reversed(talks) if call.follows(talk[-1])), None)
        if talk is None:
            talks.append([call])
        else:
            talk.append(call)
    about = _about(trajectory, question)
    rows: list[Row] = []
    for talk in talks:
        while talk and not talk[-1].weight:
            talk.pop()
        if talk:
            rows.append(_row(talk, f"{trajectory.plan.digest}/{trajectory.result.run}/{len(rows) + 1}", about))
    return rows


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that was answered.

    Attributes:
        said: the call; `reply` is its reply.
        kind: what it is for.
        sent: numbers that stand for the messages it was sent; equal messages have equal numbers.
        own: number of the reply as a request would show it unchanged.
        weight: whether the reply could be used.
    """

    said: Said
    reply: Reply
    kind: str
    sent: tuple[int, ...]
    own: int
    weight: Literal[0, 1]

    def follows(self, last: "_Call") -> bool:
        """Say whether this call was sent all that was said with the last one, as messages and as tokens, and more."""
        before = (*last.sent, last.own)
        if (self.kind, self.said.tools) != (last.kind, last.said.tools) or self.sent[: len(before)] != before:
            return False
        drawn = _ids(last.reply)
        return len(self.sent) > len(before) and self.reply.prompt_ids[: len(drawn)] == drawn


def _ids(reply: Reply) -> tuple[int, ...]:
    return (*reply.prompt_ids, *reply.token_ids)


def _calls(trajectory: Trajectory) -> list[_Call]:
    """Return the calls that were answered, in order."""
    numbers: dict[str, int] = {}

    def number(message: Mapping[str, Any]) -> int:
        calls = [{**call, "id": ""} for call in message["tool_calls"]]  # ids are the server's or ours, not the model's
        return numbers.setdefault(canonical({**message, "tool_calls": calls}), len(numbers))

    heard = [(said, said.reply) for said in trajectory.said if said.reply is not None]
    sent = [tuple(map(number, said.messages)) for said, _ in heard]
    mended = {
        shown[:place]
        for (said, _), shown in zip(heard, sent, strict=True)
        for place, after in enumerate(said.messages[1:])
        if after["role"] == "user" and after["content"].startswith(_MENDING)
    }
    calls = []
    for place, (said, reply) in enumerate(heard):
        unusable = said.refused or sent[place] in mended or reply.finish == "length" or not _fits(said, reply)
        weight: Literal[0, 1] = 0 if unusable else 1
        unchanged = Message("assistant", reply.text, reply.tool_calls)
        own = _UNLIKE if reply.reasoning else number(asdict(unchanged))
        calls.append(_Call(said, reply, _kind(said), sent[place], own, weight))
    return calls


def _kind(said: Said) -> str:
    title = str((said.sampling.get("json_schema") or {"title": "Choice"}).get("title", ""))
    return _KINDS.get(title, title.strip("_").lower())


def _fits(said: Said, reply: Reply) -> bool:
    """Say whether a reply can be written down, and is the JSON that was asked for, where JSON was."""
    schema = said.sampling.get("json_schema")
    written = [reply.text, reply.reasoning, [call.arguments for call in reply.tool_calls]]
    try:
        json.dumps(written, ensure_ascii=False).encode()  # half a character, of a cut emoji, has no UTF-8
        return not (schema and misfit(parse_json(reply.text), schema))
    except ValueError:
        return False


def _row(talk: Sequence[_Call], row_id: str, about: Mapping[str, Any]) -> Row:
    first = talk[0].said
    turns: list[Turn] = []
    for call in talk:
        context = [_shown(message) for message in call.said.messages]
        if turns:  # results name calls by the ids that were sent
            turns[-1] = turns[-1].model_copy(update={"tool_calls": context[len(turns) - 1].tool_calls})
        turns += [*context[len(turns) :], _spoken(call)]
    return Row(
        id=row_id,
        kind=talk[0].kind,
        messages=tuple(turns),
        tools=tuple({"type": "function", "function": dict(tool)} for tool in first.tools),
        tokens=_tokens(talk),
        **{**about, "made": {**about["made"], "temperature": first.sampling.get("temperature", 0.0)}},
    )


def _tokens(talk: Sequence[_Call]) -> Tokens | None:
    """Return the conversation's tokens, where they are known of every call."""
    ids: list[int] = []
    mask: list[int] = []
    logprobs: list[float] = []
    for call in talk:
        reply = call.reply
        if not reply.token_ids:
            return None
        ids += _ids(reply)[len(ids) :]
        mask += [0] * (len(reply.prompt_ids) - len(mask)) + [call.weight] * len(reply.token_ids)
        logprobs += reply.logprobs if call.weight else ()
    return Tokens(ids=tuple(ids), mask=tuple(mask), logprobs=tuple(logprobs))


def _shown(message: Mapping[str, Any]) -> Turn:
    """Return a message of a request, as context."""
    calls = tuple(Called.model_validate(call) for call in message.get("tool_calls", ()))
    answers = message.get("tool_call_id", "")
    return Turn(role=message["role"], content=message["content"], tool_calls=calls, tool_call_id=answers)


def _spoken(call: _Call) -> Turn:
    """Return a reply as the model wrote it."""
    reply = call.reply
    return Turn(
        role="assistant",
        content=reply.text,
        reasoning=reply.reasoning,
        tool_calls=tuple(Called(id=each.id, name=each.name, arguments=each.arguments) for each in reply.tool_calls),
        weight=call.weight,
    )


def _about(trajectory: Trajectory, question: Question | None) -> dict[str, Any]:
    """Return what all rows of a trajectory say."""
    plan, item, result = trajectory.plan, trajectory.item, trajectory.result
    return {
        "question": item.id,
        "text": item.question,
        "reward": float(trajectory.right),
        "marks": result.marks,
        "answer": result.answer.text if result.answer else "",
        "reference": item.answer,
        "cells": item.cells,
        "pages": dict(trajectory.hashes or {}),
        "fare": result.answer.fare.model_dump() if result.answer else {},
        "licence": question.licence if question else "",
        "made": {
            "agent": plan.agent,
            "model": plan.model,
            "setting": plan.setting,
            "task": plan.task,
            "run": result.run,
            "seed": plan.seed + result.number - 1,
            "webfarer": plan.webfarer,
        },
    }
