"""A reply that fits a pydantic model, or :class:`BadReply`.

The schema is sent where the server offers that; the reply is parsed tolerantly and validated strictly; one that does
not fit gets one repair turn with the reason, and more room when it was cut. A verdict is true only if the JSON says
`true`: text is never searched for the word.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from webfarer.core.errors import BadReply
from webfarer.models.base import ChatModel, Message, Reply, Sampling
from webfarer.models.prompts import parse_json

T = TypeVar("T", bound=BaseModel)

_SHOWN = 2000
_LONGER = 4


async def ask(model: ChatModel, messages: Sequence[Message], schema: type[T], sampling: Sampling = Sampling()) -> T:
    """Ask `model` and return its reply as a `schema`. The messages must say what JSON is wanted.

    Raises:
        BadReply: malformed, also after the repair turn.
        ModelError: what the model raised.
    """
    sampling = replace(sampling, json_schema=closed_schema(schema))
    reply = await model.complete(messages, sampling=sampling)
    try:
        return _read(reply, schema)
    except ValueError as problem:
        repair = (
            Message("assistant", reply.text[:_SHOWN] or "(no text)"),
            Message("user", f"That reply cannot be used: {_reason(problem)}\nReply again with the JSON object only."),
        )
    again = [*messages, *repair]
    if reply.finish == "length":  # a reasoning model may have spent all of it on thoughts
        room = model.context - model.count(again)
        sampling = replace(sampling, max_tokens=max(sampling.max_tokens, min(_LONGER * sampling.max_tokens, room)))
    reply = await model.complete(again, sampling=sampling)
    try:
        return _read(reply, schema)
    except ValueError as problem:
        raise BadReply(
            f"{model.name} gave no usable {schema.__name__}: {_reason(problem)}", reply=reply.text[:_SHOWN]
        ) from problem


@lru_cache(maxsize=64)
def closed_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema with every object closed and every property required, as strict servers want it."""
    return _close(schema.model_json_schema())  # type: ignore[no-any-return]


def _close(node: Any) -> Any:
    if isinstance(node, list):
        return [_close(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _close(value) for key, value in node.items() if key != "default"}
    if isinstance(closed.get("properties"), dict):
        closed |= {"additionalProperties": False, "required": list(closed["properties"])}
    return closed


def _read(reply: Reply, schema: type[T]) -> T:
    if reply.finish == "length":  # a half, closed by guesswork, is not what the model meant to say
        try:
            return schema.model_validate_json(reply.text)
        except ValidationError:
            raise ValueError("it was cut off at the token limit; be shorter") from None
    return schema.model_validate(parse_json(reply.text))


def _reason(problem: ValueError) -> str:
    if not isinstance(problem, ValidationError):
        return str(problem)
    faults = problem.errors(include_input=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'reply'}: {fault['msg']}" for fault in faults)
