"""A chat model that plays by rule: it answers this program's own prompts by the words that question and text share.

For tables and tests that run offline: "ruled:overlap", or "ruled:overlap-20", which overlooks what a fifth of its
prompts show, drawn by the seed. It never stands in for a real model: it knows nothing, and its name is in every row it
made. Invariant: a reply follows from messages and sampling alone, so concurrent and resumed runs get the same one.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from webfarer.core.errors import ConfigError
from webfarer.core.run import Call
from webfarer.core.text import words
from webfarer.models._ruled_reading import Prompt
from webfarer.models.base import Message, Reply, Sampling, Tool, ToolCall, Usage
from webfarer.models.tokens import estimate, estimate_prompt

_CONTEXT = 32_768
_VISITS = 3
_SPEC = re.compile(r"overlap(?:-(\d{1,2}))?")
_LINK = re.compile(r"^(\d+)\. ([^|\n]*)(.*)$", re.MULTILINE)
_RESULT = re.compile(r"^\d+\. .* — (https?://\S+)", re.MULTILINE)
_NAMED = re.compile(r"^The user names this address: (\S+)$", re.MULTILINE)
# marks and ports: what a run is charged must not depend on its id or on where pages are served
_CHANGING = re.compile(r"(?<=untrusted-)[0-9a-f]{16}|(?<=://127\.0\.0\.1:)\d+")
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


class Ruled:
    """The model.

    Args:
        rule: "overlap", or with a share of careless replies in per cent, "overlap-20".

    Raises:
        ConfigError: there is no such rule.
    """

    context = _CONTEXT

    def __init__(self, rule: str) -> None:
        match = _SPEC.fullmatch(rule)
        if match is None:
            raise ConfigError(f"no rule {rule!r}: write ruled:overlap, or ruled:overlap-20 for 20 % careless replies")
        self.name = f"ruled:{rule}"
        self._careless = int(match[1] or 0)

    def count(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        """Return the estimated number of prompt tokens."""
        return estimate_prompt(messages, tools)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling = Sampling(),
        call: Call | None = None,
    ) -> Reply:
        """Return what the rule says: the JSON that is asked for, calls where there are tools, else ReAct's text."""
        schema = sampling.json_schema or {}

        def careless(shown: str) -> bool:
            drawn = hashlib.sha256(f"{sampling.seed}\n{schema.get('title')}\n{shown}".encode("utf-8", "replace"))
            return int.from_bytes(drawn.digest()[:4]) % 100 < self._careless

        prompt = Prompt(messages, careless)
        calls: tuple[ToolCall, ...] = ()
        if schema:
            text = json.dumps(_object(schema, prompt), ensure_ascii=False)
        elif tools:
            calls = _calls(prompt, {tool.name for tool in tools})
            text = "" if calls else _cited(prompt) or "Nothing was found."
        else:
            text = _reaction(prompt)
        said = text + "".join(json.dumps(each.arguments) for each in calls)
        finish = "tool_calls" if calls else "stop"
        return Reply(text, tool_calls=calls, finish=finish, usage=usage(messages, tools, said))

    async def close(self) -> None:
        """Do nothing: there are no connections."""


def usage(messages: Sequence[Message], tools: Sequence[Tool], said: str) -> Usage:
    """Return the estimated tokens of a call, the same whatever a run's id and ports are."""
    steady = [replace(message, content=_CHANGING.sub("0", message.content)) for message in messages]
    return Usage(estimate_prompt(steady, tools), estimate(said), estimated=True)


def _object(schema: Mapping[str, Any], prompt: Prompt) -> dict[str, Any]:
    """Return the object that a schema asks for; a property that no rule is made for is left empty."""
    return {
        name: _PROPERTIES[name](prompt) if name in _PROPERTIES else _EMPTY.get(kind.get("type"))
        for name, kind in schema["properties"].items()
    }


def _link(prompt: Prompt) -> int | None:
    """Return the number of the link whose line shares most words with the question, its label counting twice."""
    links = _LINK.findall("\n".join(prompt.last.get("links", ())))
    if not links:
        return None

    def fit(link: tuple[str, str, str]) -> int:
        label, rest = set(words(link[1])), set(words(link[2]))
        return 2 * len(prompt.asked & label) + len(prompt.asked & rest)

    return int(max(links, key=fit)[0])  # of equals the first: they come ranked


def _action(prompt: Prompt) -> str:
    return "enough" if _link(prompt) is None else "click"


def _used(prompt: Prompt) -> list[int]:
    return [statement.number for statement in prompt.fitting if statement.number]


def _facts(prompt: Prompt) -> list[dict[str, str]]:
    """Return the fitting statements, each with the words that are to be found on its page."""
    return [{"statement": f"{fact.below}: {fact.plain}", "quote": fact.text} for fact in prompt.fitting]


def _answer(prompt: Prompt) -> str:
    return _cited(prompt) if "evidence" in prompt.parts else prompt.answer


def _cited(prompt: Prompt) -> str:
    """Return the fitting statements with the numbers of the evidence that they are."""
    return " ".join(f"{fact.plain.rstrip('.')} [{fact.number}]." for fact in prompt.fitting if fact.number)


def _supported(prompt: Prompt) -> bool:
    quotes = "\n".join(prompt.parts.get("attempt", ())).partition("Quotes:\n")[2]
    return 2 * len(prompt.asked & set(words(quotes))) >= len(prompt.asked)


def _verdict(prompt: Prompt) -> str:
    """Return a judge's verdict: every part of the reference, or one of its forms, is named in the answer."""
    answer, reference = (_named("".join(prompt.parts.get(part, ()))) for part in ("answer", "reference"))
    lines = "".join(prompt.parts.get("reference", ())).split("\n")
    if not answer.strip():
        return "not_attempted"
    if len(lines) > 1 and lines[0].startswith("All of these"):
        return "correct" if all(_named(line) in answer for line in lines[1:]) else "incorrect"
    forms = [_named(line.removeprefix("or: ")) for line in lines] if len(lines) > 1 else [reference]
    return "correct" if any(form.strip() and form in answer for form in forms) else "incorrect"


def _named(text: str) -> str:
    return f" {' '.join(_TOKEN.findall(text.casefold()))} "


_EMPTY: dict[str | None, Any] = {"string": "", "boolean": False, "array": [], "integer": 0, "number": 0, "object": {}}
_PROPERTIES: dict[str, Callable[[Prompt], Any]] = {
    "action": _action,
    "link": _link,
    "useful": lambda prompt: bool(prompt.fitting),
    "known": lambda prompt: bool(prompt.fitting),
    "sufficient": lambda prompt: prompt.enough,
    "notes": _facts,
    "used": _used,
    "answer": _answer,
    "evidence": lambda prompt: [fact.text for fact in prompt.fitting],
    "summary": lambda prompt: prompt.answer,
    "supported": _supported,
    "verdict": _verdict,
}


def _reaction(prompt: Prompt) -> str:
    """Return a reply in ReAct's form: an answer when it is time, else a click on the likeliest link."""
    link = _link(prompt)
    if prompt.enough or link is None:
        quotes = "".join(f"\nQuote: {fact.text}" for fact in prompt.fitting)
        return f"Thought: by rule\nFinal Answer: {prompt.answer or 'none'}{quotes}"
    return f'Thought: by rule\nAction: click\nAction Input: {{"link": {link}}}'


def _calls(prompt: Prompt, tools: set[str]) -> tuple[ToolCall, ...]:
    """Return what to call next: a search, the results in their order, a walk; () when it is time to answer."""
    made = [call for message in prompt.messages for call in message.tool_calls]
    names = {call.name for call in made}
    if prompt.enough:
        return ()
    if "search" in tools - names:
        return (ToolCall("", "search", {"query": [prompt.question]}),)
    seen = {url for call in made if call.name == "visit" for url in call.arguments["url"]}
    found = dict.fromkeys(url for text in prompt.parts.get("results", ()) for url in _RESULT.findall(text))
    urls = [url for url in found if url not in seen][:_VISITS]
    if "visit" in tools and urls:
        return (ToolCall("", "visit", {"url": urls, "goal": prompt.question}),)
    start = [*_NAMED.findall(prompt.ours), *found]
    if "walk" in tools - names and start:
        return (ToolCall("", "walk", {"url": start[0], "goal": prompt.question}),)
    return ()
