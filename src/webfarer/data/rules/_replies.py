"""What a model wrote when it decided, as it wrote it: tags, labels and calls before anything was mended.

The dialects read tolerantly, so that a run goes on; rules read strictly, so that nobody is trained on what had to be
put right. Invariant: nothing here guesses; what cannot be read strictly is left out or said to be a problem.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from webfarer.data.trajectory import Said, Trajectory
from webfarer.models.base import Reply, Tool
from webfarer.models.dialects._json import values

_TAG = re.compile(r"<(/?)([A-Za-z_][\w-]*)\s*>")
_KNOWN = ("think", "tool_call", "answer")
_CALL = re.compile(r"<tool_call>.*?(?:</tool_call>|\Z)", re.DOTALL)
_MARK = re.compile(r"</?(?:think|answer)>|^(?:Thought|Final Answer):", re.MULTILINE)
_LABEL = re.compile(r"^(Thought|Action|Action Input|Observation|Final Answer):[ \t]*", re.MULTILINE)
_LABELS = re.compile(r"(?:Thought )?(?:(?:Action Action Input )+|Final Answer )")
_TOOLS = re.compile(r"^<tools>\n(.*?)\n</tools>$", re.DOTALL | re.MULTILINE)
_SIGNATURE = re.compile(r"^- (\w+)\((.*?)\): ", re.MULTILINE)

Kind = Literal["native", "tags", "react"]


@dataclass(frozen=True, slots=True)
class Decision:
    """A reply in which the model decided what to do; `kind` is how it was told to call tools."""

    said: Said
    reply: Reply
    kind: Kind

    @property
    def tools(self) -> dict[str, Tool]:
        """What it could call, by name."""
        if self.kind == "native":
            return {tool["name"]: Tool(**tool) for tool in self.said.tools}
        rules = _system(self.said)
        if self.kind == "react":
            return {name: Tool(name, "", _schema(arguments)) for name, arguments in _SIGNATURE.findall(rules)}
        lines = [line for block in _TOOLS.findall(rules) for line in block.split("\n")]
        return {tool.name: tool for tool in (Tool(**json.loads(line)) for line in lines)}

    @property
    def thought(self) -> str:
        """What it thought aloud and answered: all but its calls."""
        text = _CALL.sub(" ", self.reply.text)
        if self.kind == "react":
            text = re.sub(r"^Action(?: Input)?:.*$", "", text, flags=re.MULTILINE)
        return f"{self.reply.reasoning}\n{_MARK.sub(' ', text)}".strip()


def decisions(trajectory: Trajectory) -> Iterator[Decision]:
    """Yield the replies of the deciding conversation; those asked for by a schema (readings, verdicts) are none."""
    for said in trajectory.said:
        if said.reply is not None and not said.sampling.get("json_schema"):
            yield Decision(said, said.reply, _kind(said))


def thoughts(trajectory: Trajectory) -> list[str]:
    """Return what was thought and answered, reply by reply; where decisions are asked for by a schema, why each was."""
    return [each.thought for each in decisions(trajectory)] or [action.thought for action in trajectory.actions]


def _kind(said: Said) -> Kind:
    if said.tools:
        return "native"
    rules = _system(said)
    return "tags" if "<tool_call>" in rules else "react" if "Action Input:" in rules else "native"


def _system(said: Said) -> str:
    return "\n".join(str(message["content"]) for message in said.messages if message["role"] == "system")


def ill_formed(decision: Decision) -> str:
    """Return what is wrong with the tags or labels of a reply; "" for nothing."""
    if decision.kind == "tags":
        return _blocks(decision.reply.text)[1]
    if decision.kind == "react":
        labels = _LABEL.findall(decision.reply.text)
        if not _LABELS.fullmatch("".join(f"{label} " for label in labels)):
            return f"its labels are {labels or 'missing'}"
    return ""


def written(decision: Decision) -> list[tuple[str, str]]:
    """Return the calls as they were written: the tool where that stands beside them, and the JSON."""
    text = decision.reply.text
    if decision.kind == "tags":
        return [("", content) for kind, content in _blocks(text)[0] if kind == "tool_call"]
    if decision.kind == "native":
        return []
    labels = [*_LABEL.finditer(text)]
    ends = [*(label.start() for label in labels[1:]), len(text)]
    parts = [(label[1], text[label.end() : end].strip()) for label, end in zip(labels, ends, strict=True)]
    return [(name, given) for (one, name), (two, given) in pairwise(parts) if (one, two) == ("Action", "Action Input")]


def strict(text: str) -> Any:
    """Return the JSON value that a text is.

    Raises:
        ValueError: it is none, one only Python understands (NaN), or one of too many levels.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("JSON of too many levels") from None


def called(decision: Decision) -> Iterator[tuple[str, Any]]:
    """Yield tool and arguments of every call that can be read strictly."""
    yield from ((call.name, call.arguments) for call in decision.reply.tool_calls)
    for name, text in written(decision):
        try:
            value = strict(text)
        except ValueError:
            continue
        if name:
            yield name, value
        elif isinstance(value, dict) and isinstance(value.get("name"), str):
            yield value["name"], value.get("arguments")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def _blocks(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return the tagged parts of a reply and what is wrong with its tags; a tag inside a part is text."""
    found: list[tuple[str, str]] = []
    at = 0
    while tag := _TAG.search(text, at):
        closing, name = tag.groups()
        if name not in _KNOWN:
            return found, f"the tag {tag[0]} is unknown"
        if closing:
            return found, f"{tag[0]} closes nothing"
        start = tag.end()
        read = values(text, start)[1] if name == "tool_call" else start  # a tag inside a JSON string is text, too
        end = text.find(f"</{name}>", read)
        again = text.find(f"<{name}>", read)
        if end < 0 or (name != "think" and 0 <= again < end):
            return [*found, (name, text[start : again if again >= 0 else None].strip())], f"{tag[0]} is not closed"
        found.append((name, text[start:end].strip()))
        at = end + len(name) + 3
    kinds = [kind for kind, _ in found]
    acted = kinds[1:] if kinds[:1] == ["think"] else kinds
    if acted != ["answer"] and (not acted or set(acted) != {"tool_call"}):
        return found, f"its tags are {kinds or 'missing'}: not calls or one answer, after one thought"
    return found, "the answer is empty" if found[-1] == ("answer", "") else ""


def _schema(arguments: str) -> dict[str, Any]:
    """Return the schema that a signature of the ReAct prompt stands for: "link: integer, note?: string or number"."""
    properties: dict[str, Any] = {}
    required = []
    for name, _, kinds in (pair.partition(": ") for pair in arguments.split(", ") if pair):
        properties[name.rstrip("?")] = {"anyOf": [_of_kind(kind) for kind in kinds.split(" or ")]}
        required += [] if name.endswith("?") else [name]
    return {"type": "object", "properties": properties, "required": required}


def _of_kind(kind: str) -> dict[str, Any]:
    inner = kind.removeprefix("array of ")
    if inner != kind:
        return {"type": "array", "items": _of_kind(inner)}
    return {} if kind == "any" else {"type": kind}
