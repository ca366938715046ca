"""Thought, Action, Action Input and Observation as plain text: for models that know neither tools nor tags.

Source: Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models", ICLR 2023; the labels are those that
prompts for it have in common.
"""

import re
from collections.abc import Sequence
from typing import ClassVar

from webfarer.models.base import Message, Reply, Tool, ToolCall
from webfarer.models.dialects import _tagged
from webfarer.models.dialects._json import mended, values
from webfarer.models.dialects._schema import signature
from webfarer.models.dialects._turns import ONE_OR_THE_OTHER, Found, mend, named, prose, read, shown, thought, written
from webfarer.models.dialogue import Turn

_FORM = "Write `Action:` and `Action Input:` lines to call a tool, or a `Final Answer:` line."
_LABEL = re.compile(
    r"^[ \t>*#_-]*(thought|action input|action|observation|final answer)[ \t*_]*([:：])[ \t*_]*",
    re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(r"</?think(?:ing)?>", re.IGNORECASE)
_THOUGHT_END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_BRACKETED = re.compile(r"([\w.]+)\s*[\[(](.*)[\])]", re.DOTALL)  # search[words], as the first prompts had it
_QUOTES = "`*\"' \t\r\n"


class React:
    """The dialect of Thought/Action text."""

    native: ClassVar[bool] = False
    stop: ClassVar[tuple[str, ...]] = ("\nObservation:",)

    def rules(self, tools: Sequence[Tool]) -> str:
        """Return the tools and the form of a reply."""
        lines = "\n".join(f"- {signature(tool)}: {tool.description}" for tool in tools)
        return (
            f"You can call these tools (arguments with ? may be left out):\n{lines}\n\n"
            "Reply in this form, labels at the start of a line:\n"
            "Thought: what you know and what you need\n"
            "Action: the tool\n"
            'Action Input: its arguments as one JSON object on one line, such as {"argument": "value"}\n'
            "You may write several Action and Action Input pairs. Then stop: the results come back after "
            "`Observation:`. When you know the answer, reply in this form instead:\n"
            f"Thought: why this is enough\nFinal Answer: the answer\n{ONE_OR_THE_OTHER}"
        )

    def read(self, reply: Reply, tools: Sequence[Tool]) -> Turn:
        """Read a reply. Never raises; what follows an observation of its own invention is not read."""
        return read(reply, tools, _scan, _FORM)

    def said(self, reply: Reply, turn: Turn, *, thoughts: bool = False) -> Message:
        """Return the thought that was part of the text, and the actions or the answer written out properly."""
        if turn.problem:
            return Message("assistant", shown(reply))
        kept = [thought(reply, turn, _scan)] if thoughts else []
        why = [part for part in (*kept, *prose(reply, turn, _scan)) if part]
        lines = ["Thought: " + "\n".join(why)] if why else []
        lines += [f"Action: {call.name}\nAction Input: {written(call)}" for call in turn.calls]
        lines += [] if turn.answer is None else [f"Final Answer: {turn.answer}"]
        return Message("assistant", "\n".join(lines))

    def observed(self, results: Sequence[tuple[ToolCall, str]]) -> list[Message]:
        """Return one user message with all results, in which no line but ours begins with a label."""
        blocks = [f"Observation: {_LABEL.sub(_defused, text)}" for _, text in results]
        return [Message("user", "\n\n".join(blocks))] if blocks else []

    def mend(self, problem: str) -> list[Message]:
        """Return the message that asks for another reply."""
        return mend(problem)


def _defused(label: re.Match[str]) -> str:
    colon = label.start(2) - label.start()
    return f"{label.group()[:colon]}∶{label.group()[colon + 1 :]}"


def _scan(text: str, tools: Sequence[Tool]) -> Found:
    labels = list(_LABEL.finditer(text))
    ended = _THOUGHT_END.search(text)
    opened = text.lstrip()[:6].lower() == "<think"
    start = ended.end() if ended and labels and (opened or ended.start() < labels[0].start()) else 0
    labels = [label for label in labels if label.start() >= start]
    if not labels:
        return _tagged.scan(text, tools)
    found = Found(thoughts=[_TAG.sub("", text[:start])])
    before = _TAG.sub("", text[start : labels[0].start()]).strip()
    (found.thoughts if opened and not start else found.prose).append(before)
    action, at = "", 0
    for label, following in zip(labels, [*labels[1:], None], strict=True):
        if label.start() < at:
            continue  # inside the arguments just read
        kind, part = label.group(1).lower(), text[label.end() : following.start() if following else None].strip()
        if kind == "observation" and found.calls:
            break
        if kind == "thought":
            found.prose.append(part)
        elif kind == "action":
            action = part
        elif kind == "action input" and action:
            at = _input(text, label.end(), (action.strip(_QUOTES), part, following is not None), found)
            action = ""
        elif kind == "final answer" and found.answer is None:
            found.answer, found.sure = text[label.end() :].strip(), False
    if action and not found.calls and found.answer is None:
        _inline(action, found, tools)
    return found


def _input(text: str, at: int, section: tuple[str, str, bool], found: Found) -> int:
    """Read the arguments at `at`; `section` is the tool, the text up to the next label, and whether there is one."""
    name, part, closed = section
    objects, end = values(text, at)
    if objects:
        found.calls.append(("", name, objects[0]))
        return end
    found.sure = False
    try:
        arguments = mended(part, closed=closed) if part.strip("`").startswith(("{", "[")) else part.strip(_QUOTES)
    except ValueError as problem:
        found.problem = f"in `Action Input:`, {problem}. Write one JSON object on one line."
    else:
        found.calls.append(("", name, arguments))
    return at


def _inline(action: str, found: Found, tools: Sequence[Tool]) -> None:
    """Read an action that holds its own arguments: a JSON object, or `search[words]`."""
    objects, _ = values(action)
    if objects:
        try:
            found.calls += named(objects[0], tools)
        except ValueError as problem:
            found.problem = f"in `Action:`, {problem}."
    elif bracketed := _BRACKETED.match(action):
        found.calls.append(("", bracketed.group(1), bracketed.group(2).strip(_QUOTES)))
    else:
        found.problem = f"there is an `Action:` without an `Action Input:`. {_FORM}"


dialect = React()
