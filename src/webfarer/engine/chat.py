"""A model's chat template: messages and tools in, the prompt's token ids out, and a reader for what the model answers.

The template is the model's own and runs in transformers' sandbox. What it cannot say (tools, results, turns in that
order) is refused, never left out; only a system message is put before the first user's where a template has no place
for it. Invariant: special tokens written inside messages or tools stay plain text, they cannot end a turn; nor can
others that models are marked up with (`<tool_call>`), save in what the assistant itself said, which templates read.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from webfarer.core.errors import ConfigError, boundary
from webfarer.engine.calls import OPENING, SILENT, Piece, ReplyReader
from webfarer.engine.sampling import Token

Wire = Mapping[str, Any]
"""A message or a tool as OpenAI's chat completions write it."""

BREAK = "\ufdd0"
"""No character: splits a special token in two before it is encoded."""

_REMEMBERED = 1 << 17
"""Characters of the longest text whose tokens are kept."""
_USER = {"role": "user", "content": "wf-question"}
_SYSTEM = {"role": "system", "content": "wf-system"}
_TOOL = {"name": "wf_tool", "description": "", "parameters": {"type": "object", "properties": {}}}
_TOOLS = [{"type": "function", "function": _TOOL}]
_CALLED = {"id": "call", "type": "function", "function": {"name": "wf_tool", "arguments": {}}}
_USED: list[Wire] = [
    _USER,
    {"role": "assistant", "content": "", "tool_calls": [_CALLED]},
    {"role": "tool", "content": "wf-result", "tool_call_id": "call"},
]


class Prompt(NamedTuple):
    """A conversation as token ids; `thinking`: it ends inside the model's thoughts."""

    tokens: tuple[int, ...]
    thinking: bool = False


class Chat:
    """The language of one model: its tokenizer and its chat template.

    Args:
        tokenizer: with or without a template.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._ids: Tokenizer = tokenizer.backend_tokenizer
        added = tokenizer.added_tokens_decoder.items()
        self._special = _any(token.content for _, token in added if token.special)
        # words and runs of blanks may be added too (Gemma): to split those would only make a text longer
        self._marks = _any(t.content for _, t in added if t.special or re.search(r"[^\w\s\u2581]", t.content))
        self._silent = {number: token.content for number, token in added if token.special and token.content in SILENT}
        self._encoded = lru_cache(maxsize=32)(
            self.rendered
        )  # a conversation is counted several times before it is sent

    @classmethod
    def load(cls, source: str | Path) -> "Chat":
        """Read the tokenizer of a model folder.

        Raises:
            ConfigError: there is none that can be read.
        """
        with boundary(ConfigError, f"reading the tokenizer of {source}"):
            local = Path(source).exists()
            return cls(AutoTokenizer.from_pretrained(source, trust_remote_code=False, local_files_only=local))

    @property
    def template(self) -> bool:
        """Whether the model has a chat template; one without can only continue text."""
        return bool(self._tokenizer.chat_template)

    @cached_property
    def tools(self) -> bool:
        """Whether the template can offer tools and write down calls and results."""
        return self._says([_USER], _TOOLS, "wf_tool") and self._says(_USED, _TOOLS, "wf_tool", "wf-result")

    @cached_property
    def _system(self) -> bool:
        return self._says([_SYSTEM, _USER], (), "wf-system", "wf-question")

    def prompt(self, messages: Sequence[Wire], tools: Sequence[Wire] = ()) -> Prompt:
        """Write a conversation up to where the model is to answer.

        Raises:
            ConfigError: the template cannot say it.
        """
        if not self.template:
            raise ConfigError("the model has no chat template: it continues text (/v1/completions) and cannot chat")
        if not self.tools and (tools or any(m["role"] == "tool" or m.get("tool_calls") for m in messages)):
            raise ConfigError("the model's chat template has no place for tools and their results")
        prepared = _numbered([{**message, "content": message.get("content") or ""} for message in messages])
        text = self._render(prepared if self._system else _folded(prepared), tools)
        encode = self._encoded if len(text) <= _REMEMBERED else self.rendered
        return Prompt(encode(text), text.rstrip().endswith(OPENING))

    def encode(self, text: str) -> tuple[int, ...]:
        """Return the ids of plain text, behind the model's start token where it has one."""
        with boundary(ConfigError, "reading the text as tokens"):
            return tuple(self._ids.encode(text).ids)

    def spelled(self, number: int) -> bytes | None:
        """Return the text of one token, special ones included; None for a part of a character."""
        text = self._ids.decode([number], skip_special_tokens=False)
        return None if "\ufffd" in text or not text else text.encode()

    def written(self, number: int) -> str:
        """Return what one token is called: its text, else the tokenizer's own name for it."""
        text = self.spelled(number)
        return text.decode() if text else self._ids.id_to_token(number) or f"<{number}>"

    def heard(self, token: Token) -> str:
        """Return the text of a drawn token, with the name of a special one that readers look for."""
        return self._silent.get(token.id, "") + token.text

    def reader(self, prompt: Prompt, tools: Collection[str] = ()) -> ReplyReader:
        """Return a reader for the answer to `prompt`; `tools` are the names of those that were offered."""
        return ReplyReader(thinking=prompt.thinking, tools=tools)

    def read(self, text: str, prompt: Prompt, tools: Collection[str] = ()) -> Piece:
        """Read a whole answer."""
        reader = self.reader(prompt, tools)
        first, last = reader.feed(text), reader.end()
        return Piece(first.content + last.content, first.reasoning + last.reasoning, last.calls)

    def _says(self, messages: Sequence[Wire], tools: Sequence[Wire], *words: str) -> bool:
        """Say whether the template writes all of `words` into the prompt."""
        try:
            text = self._render(_numbered(messages), tools)
        except ConfigError:
            return False
        return all(word in text for word in words)

    def _render(self, messages: Sequence[Wire], tools: Sequence[Wire]) -> str:
        with boundary(ConfigError, "the model's chat template cannot write this conversation"):
            text = self._tokenizer.apply_chat_template(
                [self.spoken(message) for message in messages],
                tools=self._broken(tools, self._marks) or None,
                tokenize=False,
                add_generation_prompt=True,
            )
        return str(text)

    def spoken(self, message: Wire) -> dict[str, Any]:
        """Return a message in which no text can be taken for markup."""
        own = {"content", "reasoning_content"} if message["role"] == "assistant" else ()
        return {
            key: self._broken(value, self._special if key in own else self._marks) for key, value in message.items()
        }

    def _broken(self, value: Any, tokens: re.Pattern[str]) -> Any:
        """Return `value` with a mark inside every one of `tokens` that its strings hold."""
        if isinstance(value, str):
            return tokens.sub(lambda found: f"{found[0][:1]}{BREAK}{found[0][1:]}", value.replace(BREAK, ""))
        if isinstance(value, Mapping):
            return {self._broken(key, tokens): self._broken(inner, tokens) for key, inner in value.items()}
        return [self._broken(inner, tokens) for inner in value] if isinstance(value, Sequence) else value

    def rendered(self, text: str) -> tuple[int, ...]:
        """Return the ids of what the template wrote; where :meth:`spoken` broke markup it stays text."""
        with boundary(ConfigError, "reading the conversation as tokens"):
            pieces = [self._ids.encode(piece, add_special_tokens=False).ids for piece in text.split(BREAK)]
        return tuple(number for piece in pieces for number in piece)


def _any(texts: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that finds any of the texts, the longest first."""
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)")


def _numbered(messages: Sequence[Wire]) -> list[dict[str, Any]]:
    """Return messages as templates want them: arguments as objects, call ids of nine letters and digits (Mistral)."""
    ids: dict[str, str] = {}
    written = []
    for message in messages:
        copy = dict(message)
        if message["role"] == "developer":
            copy["role"] = "system"
        if calls := message.get("tool_calls"):
            copy["tool_calls"] = [
                {
                    "id": ids.setdefault(str(call.get("id")), f"call{len(ids):05d}"),
                    "type": "function",
                    "function": {**call["function"], "arguments": _object(call["function"]["arguments"])},
                }
                for call in calls
            ]
        if called := message.get("tool_call_id"):
            copy["tool_call_id"] = ids.setdefault(str(called), f"call{len(ids):05d}")
        written.append(copy)
    return written


def _object(arguments: Any) -> dict[str, Any]:
    """Return the arguments of a call as an object.

    Raises:
        ConfigError: they are none.
    """
    with boundary(ConfigError, "reading the arguments of a call"):
        found = json.loads(arguments or "{}") if isinstance(arguments, str) else arguments
    if not isinstance(found, dict):
        raise ConfigError(f"the arguments of a call are no JSON object: {arguments!r:.80}")
    return found


def _folded(messages: Sequence[Wire]) -> list[dict[str, Any]]:
    """Return messages without system ones, whose text goes before the first user's."""
    system = [message["content"] for message in messages if message["role"] == "system"]
    others = [dict(message) for message in messages if message["role"] != "system"]
    first = next((message for message in others if message["role"] == "user"), None)
    if first is None and system:
        raise ConfigError("the model's chat template has no place for a system message without a user's")
    if first is not None:
        first["content"] = "\n\n".join([*system, first["content"]])
    return others
