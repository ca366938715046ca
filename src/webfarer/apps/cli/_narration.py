"""A trace in words: one line per event, for the live progress and for `webfarer runs show`."""

from collections.abc import Callable, Mapping
from typing import Any

from rich.text import Text

from webfarer.apps.cli._terminal import one_line
from webfarer.core.fare import Fare
from webfarer.core.trace import Event

Data = Mapping[str, Any]


def _call(data: Data) -> str:
    request = data["request"]
    if data["kind"] == "model":
        return f"{request['model']}, {len(request['messages'])} messages"
    if data["kind"] == "search":
        return f"{request['engine']}: {request['query']}"
    return f"{data['kind']} {request.get('url') or request.get('question', '')}"


def _result(data: Data) -> str:
    cost = ", ".join(f"{amount:g} {meter}" for meter, amount in sorted(data["cost"].items()) if amount)
    failed = f"{data['error']['error']}: {data['error']['message']}" if "error" in data else "done"
    return f"{failed} ({cost or 'free'})"


def _page(data: Data) -> str:
    seen = "" if data["new"] else ", read before"
    return f"{data['title'] or data['url']} ({data['links']} links{seen})"


def _start(data: Data) -> str:
    return f"{data['question']} ({data['url']})" if "url" in data else str(data["question"])


def _act(data: Data) -> str:
    calls = "; ".join(f"{call['tool']} {_said(call['arguments'])}" for call in data["calls"])
    return f"{data['thought']} → {calls}" if data["thought"] else calls


def _said(arguments: Data) -> str:
    return ", ".join(" | ".join(value) if isinstance(value, list) else str(value) for value in arguments.values())


def _observed(data: Data) -> str:
    found = [_count(len(data[name]), noun) for name, noun in (("hits", "result"), ("pages", "page")) if data[name]]
    wrong = [f"{problem['what']}: {problem['message']}" for problem in data["problems"]]
    return "; ".join([*found, _count(data["evidence"], "quote") + " so far", *wrong])


# type → how it is called, its style, what to say of it
_LINES: dict[str, tuple[str, str, Callable[[Data], str]]] = {
    "start": ("start", "bold", _start),
    "act": ("act", "", _act),
    "observed": ("observed", "cyan", _observed),
    "clarified": ("asked", "", lambda data: f"{data['question']} {data['answer'] or data['assumption']}"),
    "plan": ("plan", "bold", lambda data: "; ".join(section["title"] for section in data["plan"]["sections"])),
    "section": ("section", "bold", lambda data: f"{data['number']}. {data['title']}: {data['question']}"),
    "malformed": ("trouble", "yellow", lambda data: data["problem"]),
    "evidence_dropped": ("dropped", "yellow", lambda data: f"{data['quote']} ({data['why']})"),
    "call": ("call", "dim", _call),
    "result": ("result", "dim", _result),
    "click": ("click", "", lambda data: data["label"] or data["url"]),
    "back": ("back", "", lambda data: f"to {data['title'] or data['url']}"),
    "page": ("page", "cyan", _page),
    "note": ("note", "green", lambda data: data["note"]["text"]),
    "note_dropped": ("dropped", "yellow", lambda data: f"{data['statement']} ({data['why']})"),
    "nowhere": ("dead end", "yellow", lambda data: data["message"]),
    "degraded": ("trouble", "yellow", lambda data: f"{data['error']}: {data['message']}"),
    "enough": ("enough", "", lambda data: data["thought"]),
    "stop": ("stop", "yellow", lambda data: "stopped on request"),
    "end": ("end", "bold", lambda data: data["answer"]["stop_reason"]),
}
_UNKNOWN: tuple[str, str, Callable[[Data], str]] = ("", "dim", str)


def narrate(event: Event) -> Text:
    """Return the line that tells of `event`."""
    name, style, say = _LINES.get(event.type, _UNKNOWN)
    return Text.assemble((f"{event.t:8.2f}s  {name or event.type:<9}", "dim"), (one_line(say(event.data), 200), style))


def fare_line(fare: Fare) -> str:
    """Return the fare in one line; what a model costs only when one was asked."""
    parts = [_count(fare.pages, "page"), _count(fare.steps, "step"), _bytes(fare.bytes), f"{fare.seconds:.2f} s"]
    if fare.calls:
        parts += [_count(fare.calls, "model call"), f"{fare.tokens:,} tokens", f"${fare.usd:.4f}"]
    else:
        parts.append("no model")
    if fare.turns:
        parts.append(_count(fare.turns, "human turn"))
    return ", ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _bytes(number: int) -> str:
    if number < 1000:
        return f"{number} B"
    return f"{number / 1e3:.1f} kB" if number < 1e6 else f"{number / 1e6:.1f} MB"
