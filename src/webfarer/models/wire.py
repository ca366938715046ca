"""OpenAI's chat-completions format: how a request is written, and how replies of many servers are read.

Knows the dialect, sends nothing. Servers differ in what they offer: :func:`missing` names the parameter a refusal is
about, and :func:`request` leaves out what a server is known to lack. Reasoning is kept apart from the text whether it
comes in a field of its own or between `<think>` tags, also when a chat template swallowed the opening tag.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from webfarer.models.base import Message, Reply, Sampling, Tool, ToolCall, Usage
from webfarer.models.dialects._json import clean, lead, mended, opens, values
from webfarer.models.tokens import estimate

_WORDS = {
    "json_schema": r"response_format|json_schema|structured output|guided|grammar",
    "json_object": r"response_format|json_object|json mode",
    "tools": r"tools?|tool[_ ](?:choice|use|calls?)|functions?",
    "seed": r"seed",
    "temperature": r"temperature",
    "top_p": r"top_p",
    "stop": r"stop",
    "max_tokens": r"max_completion_tokens",
}
_OVERFLOW = re.compile(
    r"context[ _](?:length|window|size)|maximum context|prompt is too long|input (?:is|are) too long|too many tokens",
    re.IGNORECASE,
)
_THINK = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE)
_JSON = re.compile(r"(?:^|[>:])[ \t]*(?=[{\[])", re.MULTILINE)  # where a JSON value may begin


def request(
    model: str, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling, lacks: Collection[str] = ()
) -> dict[str, Any]:
    """Return the JSON body of a request, without the parameters in `lacks`."""
    body: dict[str, Any] = {"model": model, "messages": [_message(message) for message in messages]}
    body["max_completion_tokens" if "max_tokens" in lacks else "max_tokens"] = sampling.max_tokens
    options: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p if sampling.top_p != 1 else None,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "tools": [_tool(tool) for tool in tools] or None,
    }
    body |= {name: value for name, value in options.items() if value is not None and name not in lacks}
    if sampling.json_schema is not None:
        if "json_schema" not in lacks:
            schema = {"name": "reply", "schema": sampling.json_schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif "json_object" not in lacks:
            body["response_format"] = {"type": "json_object"}
    return body


def done_without(lacks: Collection[str], tools: Sequence[Tool], sampling: Sampling) -> tuple[str, ...]:
    """Return the parts of `lacks` that this call asked for."""
    asked = {
        "json_schema": sampling.json_schema is not None,
        "json_object": sampling.json_schema is not None,
        "tools": bool(tools),
        "seed": sampling.seed is not None,
        "temperature": True,
        "top_p": sampling.top_p != 1,
        "stop": bool(sampling.stop),
    }
    return tuple(name for name, wanted in asked.items() if wanted and name in lacks)


def missing(body: Mapping[str, Any], message: str, param: str = "") -> str | None:
    """Return the optional parameter of `body` that a refusal is about, or None; `param` is the server's own hint."""
    kind = body.get("response_format", {}).get("type")
    used = [name for name in _WORDS if name in body or name == kind]
    for text in (param, message):
        for name in used:
            if re.search(rf"(?<![a-z])(?:{_WORDS[name]})(?![a-z])", text, re.IGNORECASE):
                return name
    return None


def overflows(message: str, code: str = "") -> bool:
    """Say whether a refusal is about the length of the prompt."""
    return code == "context_length_exceeded" or bool(_OVERFLOW.search(message))


def reply(body: object, prompt_estimate: int) -> Reply:
    """Read a response body.

    Raises:
        ValueError: it is no chat completion.
    """
    try:
        choice = body["choices"][0]  # type: ignore[index]
        message = choice["message"]
        content, calls = _text(message.get("content")), message.get("tool_calls") or ()
        text, thoughts = split_reasoning(content)
        spoken = _text(message.get("reasoning_content") or message.get("reasoning"))
        tool_calls = tuple(_tool_call(number, call) for number, call in enumerate(calls))
        usage = _usage(body.get("usage"), prompt_estimate, content + spoken + json.dumps(calls))  # type: ignore[attr-defined]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"no chat completion: {str(body)[:200]}") from error
    reasoning = "\n".join(part for part in (spoken, thoughts) if part)
    finish = str(choice.get("finish_reason") or "stop")
    return Reply(text=text, reasoning=reasoning, tool_calls=tool_calls, finish=finish, usage=usage)


def split_reasoning(content: str) -> tuple[str, str]:
    """Return the text without `<think>` parts, and these; an unclosed one reaches to the end, an unopened one to it.

    A tag inside a complete JSON value is text: somebody may search for it.
    """
    text: list[str] = []
    thoughts: list[str] = []
    at, thinking = 0, False
    for number, tag in enumerate(_think_tags(content)):
        ends = bool(tag.group(1))
        if ends == thinking or (ends and not number):  # the first one may have lost its opening tag to the template
            (thoughts if ends else text).append(content[at : tag.start()])
            at, thinking = tag.end(), not ends
    (thoughts if thinking else text).append(content[at:])
    return "".join(text).strip(), "\n".join(part.strip() for part in thoughts if part.strip())


def _think_tags(content: str) -> list[re.Match[str]]:
    tags, at = list(_THINK.finditer(content)), 0
    while tags and (match := _JSON.search(content, at)):
        _, end = values(content, match.end())
        if end > match.end():
            tags = [tag for tag in tags if not match.end() <= tag.start() < end]
        at = max(end, match.end() + 1)
    return tags


def _message(message: Message) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": _utf8(message.content)}
    if message.tool_calls:
        wire["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _tool_call(number: int, call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    return ToolCall(
        str(call.get("id") or f"call_{number}"), str(function["name"]), _arguments(function.get("arguments"))
    )


def _arguments(raw: object) -> dict[str, Any]:
    """Return a call's arguments. What is no object goes under a name from which the dialects take it out again; what
    cannot be read becomes none at all, and the dialect tells the model what is missing.
    """
    try:
        found = clean(_value(raw) if isinstance(raw, str) else raw)
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, dict):
        return found
    return {"arguments": found if isinstance(found, str) else json.dumps(found)} if found else {}


def _value(raw: str) -> Any:
    try:
        return json.loads(raw or "{}")
    except ValueError:
        return mended(raw, closed=True) if opens(raw, lead(raw)) else raw


def _usage(reported: object, prompt_estimate: int, said: str) -> Usage:
    if isinstance(reported, dict) and isinstance(reported.get("prompt_tokens"), int) and reported["prompt_tokens"] > 0:
        return Usage(reported["prompt_tokens"], int(reported.get("completion_tokens") or 0))
    return Usage(prompt_estimate, estimate(said), estimated=True)


def _text(content: object) -> str:
    if content is None:
        return ""
    if isinstance(content, str):
        return _utf8(content)
    return "".join(_parts(content)) if isinstance(content, list) else str(content)


def _parts(parts: Iterable[object]) -> Iterable[str]:
    for part in parts:
        if isinstance(part, dict) and part.get("type") == "text":
            yield _utf8(str(part.get("text", "")))


def _utf8(text: str) -> str:
    """Replace lone surrogates (half an emoji where a reply or page was cut): they cannot be sent."""
    return text.encode("utf-8", "replace").decode()
