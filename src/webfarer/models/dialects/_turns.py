"""From what a reply was found to hold to a :class:`Turn`: which tools are meant, whether the calls can be made.

The same for every dialect. An answer beside calls is dropped: the model wrote it before it saw the results. A reply
that was cut at the token limit is used only as far as it is certainly complete.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from webfarer.models.base import Message, Reply, Tool, ToolCall
from webfarer.models.dialects._json import clean, values
from webfarer.models.dialects._schema import fit, fold, signature
from webfarer.models.dialogue import Turn

ONE_OR_THE_OTHER = "A reply holds either calls or the final answer: an answer beside calls is ignored."

_LONGEST = 200_000
_SHOWN = 2000
_CUT = "it was cut off at the token limit. Think less and write a shorter reply."
_TOO_LONG = f"it is longer than {_LONGEST} characters. Write a shorter reply."
_NAMES = ("name", "tool", "tool_name", "function", "function_name", "action")
_ARGUMENTS = ("arguments", "args", "parameters", "params", "input", "action_input", "kwargs")
_TOOLS = {
    "search": "google google_search web_search search_web bing_search internet_search search_engine wiki_search",
    "visit": (
        "browse browser open open_page open_url fetch fetch_page visit_page visit_url visit_webpage read_page read_url "
        "scrape scrape_and_extract_info get_page click web_visit"
    ),
    "walk": "explore explore_site walk_site crawl navigate",
    "find": "find_in_page find_text find_on_page grep ctrl_f",
    "answer": "final_answer finish submit submit_answer",
}
_MEANT = {fold(alias): name for name, aliases in _TOOLS.items() for alias in aliases.split()}
_ANSWER = Tool(
    "answer", "", {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
)  # may be called where it is not offered


@dataclass(slots=True)
class Found:
    """What a reply holds.

    Attributes:
        thoughts: reasoning between tags or behind a label.
        prose: text beside the structure, shown to people and sent back.
        calls: id ("" for none), tool and arguments of each call, as written.
        answer: the final answer.
        problem: what could not be read.
        sure: all of it was written out to the end.
        guessed: characters of broken JSON that were put right.
    """

    thoughts: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    answer: str | None = None
    problem: str = ""
    sure: bool = True
    guessed: int = 0


Scan = Callable[[str, Sequence[Tool]], Found]


def read(reply: Reply, tools: Sequence[Tool], scan: Scan, form: str) -> Turn:
    """Return the turn that a reply is.

    Args:
        reply: what the model said.
        tools: what it may call.
        scan: reads the text of a reply.
        form: what a reply has to hold, for the model that wrote nothing of the kind.
    """
    if len(reply.text) + len(reply.reasoning) > _LONGEST:
        return Turn(problem=_TOO_LONG)
    reasoning = reply.reasoning
    if reply.text or reply.tool_calls:
        found = scan(reply.text, tools)
    else:  # the end of the thoughts was not marked, and the server took the calls for a part of them
        found, reasoning = scan(f"<think>{reasoning}", tools), ""
    if reply.tool_calls:
        found.calls = [(call.id, call.name, call.arguments) for call in reply.tool_calls]
        found.problem, found.sure = "", reply.finish != "length"
    thought = _joined([reasoning, *found.thoughts, *found.prose])
    if reply.finish == "length" and not (found.sure and (found.calls or found.answer)):
        return Turn(thought, problem=_CUT)
    if found.problem:
        return Turn(thought, problem=found.problem)
    try:
        calls, answers = _split(found, tools)
    except ValueError as problem:
        return Turn(thought, problem=f"{problem}.")
    if calls:
        return Turn(thought, calls=tuple(calls))
    if answers:
        return Turn(thought, answer=answers[-1])
    return Turn(thought, problem=f"it holds neither a call nor an answer. {form}")


def named(value: Any, tools: Sequence[Tool]) -> Iterator[tuple[str, str, Any]]:
    """Yield the calls that a JSON value stands for: one object or an array of them.

    Raises:
        ValueError: it is no call.
    """
    for item in value if isinstance(value, list) else [value]:
        call = item["function"] if isinstance(item, dict) and isinstance(item.get("function"), dict) else item
        if not isinstance(call, dict):
            raise ValueError("a call must be a JSON object with `name` and `arguments`")
        name = next((call[key] for key in _NAMES if isinstance(call.get(key), str)), "")
        if name:
            rest = {key: inner for key, inner in call.items() if key not in _NAMES}
            yield "", name, next((call[key] for key in _ARGUMENTS if key in call), rest)
        elif len(call) == 1 and meant(key := str(next(iter(call))), tools):
            yield "", key, call[key]
        else:
            raise ValueError("the call has no `name`")


def bare(text: str, tools: Sequence[Tool]) -> list[tuple[str, str, Any]]:
    """Return the calls of a reply that is nothing but JSON and names offered tools; else []."""
    found, end = values(text)
    if text[end:].strip("` \n"):
        return []
    try:
        calls = [call for value in found for call in named(value, tools)]
    except ValueError:
        return []
    return calls if all(meant(name, tools) for _, name, _ in calls) else []


def meant(name: str, tools: Sequence[Tool]) -> Tool | None:
    """Return the offered tool that `name` stands for; one named `answer` is always offered."""
    offered = {"answer": _ANSWER} | {fold(tool.name): tool for tool in tools}
    short = fold(name.rsplit(".", 1)[-1])
    return offered.get(short) or offered.get(_MEANT.get(short, ""))


def written(call: ToolCall) -> str:
    """Return the arguments of a call as JSON."""
    return json.dumps(call.arguments, ensure_ascii=False)


def shown(reply: Reply) -> str:
    """Return a reply that cannot be used as it enters the conversation."""
    calls = "\n".join(f"{call.name} {written(call)}" for call in reply.tool_calls)
    return _joined([reply.text, calls])[:_SHOWN] or "(no text)"


def prose(reply: Reply, turn: Turn, scan: Scan) -> list[str]:
    """Return the text that stands beside the calls or the answer of a reply."""
    called = [Tool(name, "", {}) for name in {call.name for call in turn.calls}]
    return [part for part in scan(reply.text, called).prose if part]


def thought(reply: Reply, turn: Turn, scan: Scan) -> str:
    """Return what was thought in a reply, without the text that stands beside its calls or answer."""
    called = [Tool(name, "", {}) for name in {call.name for call in turn.calls}]
    if reply.text or reply.tool_calls:
        return _joined([reply.reasoning, *scan(reply.text, called).thoughts])
    return _joined(scan(f"<think>{reply.reasoning}", called).thoughts)


def mend(problem: str) -> list[Message]:
    """Return the message that asks for another reply."""
    return [Message("user", f"That reply cannot be used: {problem}")]


def _split(found: Found, tools: Sequence[Tool]) -> tuple[list[ToolCall], list[str]]:
    """Return the calls that can be made and the final answers."""
    calls: dict[str, ToolCall] = {}
    answers = [found.answer.strip()] if found.answer and found.answer.strip() else []
    for number, (call_id, name, arguments) in enumerate(found.calls, 1):
        tool = meant(name, tools)
        if tool is None:
            known = "; ".join(map(signature, tools))
            raise ValueError(f"there is no tool {name[:60]!r}. The tools are: {known}")
        fitted = fit(clean(arguments), tool)
        if tool.name == "answer":
            answers.append(str(fitted["text"]).strip())
            continue
        ids = chain([call_id], (f"call_{free}" for free in count(number)))
        own = next(name for name in ids if name and name not in calls)
        calls[own] = ToolCall(own, tool.name, fitted)
    return list(calls.values()), answers


def _joined(parts: Sequence[str]) -> str:
    return "\n".join(part.strip() for part in parts if part.strip())
