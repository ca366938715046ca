"""Token ids of a conversation, and which of them the model wrote: the observation mask.

A prompt is encoded as our engine encodes it before it answers; what the model wrote is encoded behind it, apart, so
that no token reaches across the boundary. A later prompt carries an example on when its ids begin with all of the
example's; where a chat template shows the past differently (drops reasoning, trims, merges tokens), a new example
begins there. Invariant: decoded, the marked ids are what the model wrote, to the end-of-turn token, and nothing else.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webfarer.core.errors import ConfigError, boundary
from webfarer.data.row import Turn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""Label of an id that no loss is taken of, as torch and every trainer have it."""

_ASKED = {"role": "user", "content": "?"}
_TEXT, _THOUGHT = "\ufdd1", "\ufdd2"  # no characters: stand for text and reasoning while the template is at work
_REASONING = ("reasoning_content", "reasoning", "thinking")  # names that templates have for it
_OPEN, _CLOSE = "<think>\n", "\n</think>\n\n"
_EMPTY = re.compile(r"\A\s*<think>\s*</think>\s*")


@dataclass(frozen=True, slots=True)
class Encoded:
    """An example: token ids, and 1 for those that the model wrote."""

    ids: tuple[int, ...]
    mask: tuple[int, ...]

    @property
    def labels(self) -> list[int]:
        """The ids, without those that are not learnt."""
        return [number if own else IGNORED for number, own in zip(self.ids, self.mask, strict=True)]


class Encoder:
    """Encodes conversations in the language of one model.

    The text of a call is the template's, since models are trained on that, and calls have the numbers that our engine
    gives them; reasoning that a template has no place for stands between <think> tags. Special tokens within a message
    stay plain text: an observation cannot end a turn.

    Args:
        tokenizer: with a chat template.

    Raises:
        ConfigError: it has none, or writes no token at the end of the model's turn.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        with boundary(ConfigError, "chat templates need the extra: pip install 'webfarer[engine]'"):
            from webfarer.engine.chat import Chat
        self._tokenizer, self._chat = tokenizer, Chat(tokenizer)
        if not self._chat.template:
            raise ConfigError("the tokenizer has no chat template; take the one of the instruct or chat version")
        special = sorted((t.content for t in tokenizer.added_tokens_decoder.values() if t.special), key=len)
        self._special = re.compile("|".join(map(re.escape, reversed(special))) or "(?!)")
        self._before = self._template([_ASKED], ended=False)
        self._end = ""
        self._end = self._frame({"role": "assistant"}, text=True, thought=False).partition(_TEXT)[2]

    @classmethod
    def load(cls, folder: Path) -> "Encoder":
        """Read the tokenizer of a model's folder.

        Raises:
            ConfigError: there is none that can be read.
        """
        with boundary(ConfigError, f"reading the tokenizer of {folder}; it needs pip install 'webfarer[engine]'"):
            from transformers import AutoTokenizer

            return cls(AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True))

    @cached_property
    def identity(self) -> str:
        """A hash of vocabulary and template: equal where ids and masks mean the same."""
        parts = (self._tokenizer.backend_tokenizer.to_str(), str(self._tokenizer.chat_template))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def encode(self, messages: Sequence[Turn], tools: Sequence[Mapping[str, Any]] = ()) -> list[Encoded]:
        """Return examples in which every turn of weight 1 is marked once; mostly a single one.

        Raises:
            ConfigError: the template cannot write the conversation, or the tokenizer cannot write it as it is.
        """
        numbers: dict[str, str] = {}
        sent = [wire(turn, lambda call: numbers.setdefault(call, f"call{len(numbers):05d}")) for turn in messages]
        examples: list[tuple[list[int], list[int]]] = []
        for place, turn in enumerate(messages):
            if not turn.weight:
                continue
            prompt = list(self._chat.prompt(sent[:place], tools).tokens)
            own = self._written(sent[place])
            if not examples or prompt[: len(examples[-1][0])] != examples[-1][0]:
                examples.append(([], []))
            ids, mask = examples[-1]
            ids += prompt[len(ids) :]
            mask += [0] * (len(ids) - len(mask))
            ids += own
            mask += [1] * len(own)
        return [Encoded(tuple(ids), tuple(mask)) for ids, mask in examples]

    def said(self, message: Mapping[str, Any]) -> str:
        """Return what the model wrote to say this, with marks inside that keep special tokens of its text apart.

        The template writes it round stand-ins for text, reasoning and the tools' names, so whatever it does with those
        (trims them, looks into them for tags, takes one call alone) does not change them, or is seen.
        """
        calls = message.get("tool_calls", ())
        names = {f"call{place}of{len(calls)}": call["function"]["name"] for place, call in enumerate(calls)}
        if calls:
            named = [
                {**call, "function": {**call["function"], "name": name}}
                for name, call in zip(names, calls, strict=True)
            ]
            message = {**message, "tool_calls": named}
        given = {"content": message["content"], "reasoning_content": message.get("reasoning_content", "")}
        frame = self._frame(message, bool(given["content"]), bool(given["reasoning_content"]))
        if frame.count(_TEXT) != bool(given["content"]) or frame.count(_THOUGHT) != bool(given["reasoning_content"]):
            raise ConfigError("the model's chat template has no place for the text beside a call, or repeats it")
        if any(frame.count(name) != 1 for name in names):
            raise ConfigError("the model's chat template leaves out a call, or repeats it")
        guarded = self._chat.spoken({"role": "assistant", **given, "names": names})
        parts = {_TEXT: guarded["content"], _THOUGHT: guarded["reasoning_content"], **guarded["names"]}
        return re.sub("|".join(parts), lambda found: parts[found[0]], frame)

    def _written(self, message: Mapping[str, Any]) -> list[int]:
        """Return the ids of what the model wrote; behind the end of a turn, where no tokenizer takes it for a text."""
        said = self.said(message)
        from webfarer.engine.chat import BREAK

        before = list(self._chat.rendered(self._end))
        ids = list(self._chat.rendered(self._end + said))
        plain = said.replace(BREAK, "")
        written = self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        if ids[: len(before)] != before or written != self._end + plain:
            raise ConfigError(f"the tokenizer cannot write this as it is: {plain[:80]!r}")
        return ids[len(before) :]

    def _frame(self, message: Mapping[str, Any], text: bool, thought: bool) -> str:
        """Return what the model writes, stand-ins for its text and reasoning, up to and with the end of its turn."""
        spoken = {
            **message,
            "content": _TEXT if text else "",
            **(dict.fromkeys(_REASONING, _THOUGHT) if thought else {}),
        }
        whole = self._template([_ASKED, self._chat.spoken(spoken)], ended=True)
        opened = self._before.rstrip().endswith("<think>")
        start = self._before
        if opened and not whole.startswith(start):  # it drops the reasoning that it asks for (DeepSeek-R1)
            start = start.rstrip().removesuffix("<think>")
        if not whole.startswith(start):
            raise ConfigError("the model's chat template begins an answer otherwise than it asks for one")
        body = self._turn(whole[len(start) :])
        if thought and _THOUGHT not in body:
            return f"{'' if opened else _OPEN}{_THOUGHT}{_CLOSE}{body}"
        if not thought and not opened:
            return _EMPTY.sub("", body)  # Qwen3's, which the model did not write
        return body if thought or "</think>" in body.partition(_TEXT)[0] else _CLOSE + body

    def _turn(self, body: str) -> str:
        """Cut off what the template writes behind the end of the model's turn."""
        ends: list[re.Match[str]] = []
        for mark in reversed(list(self._special.finditer(body))):
            if body[mark.end() : ends[-1].start() if ends else None].strip():
                break
            ends.append(mark)
        if not ends:
            raise ConfigError("the model's chat template writes no token at the end of the model's turn")
        text = len(body[: ends[-1].start()].rstrip())
        own = body.find(self._end, text) if self._end else -1
        if own >= 0:
            return body[: own + len(self._end)]
        end = ends.pop().end()
        while ends and ends[-1].start() == end:
            end = ends.pop().end()
        return body[:end]

    def _template(self, messages: Sequence[Mapping[str, Any]], *, ended: bool) -> str:
        with boundary(ConfigError, "the model's chat template cannot write a turn of the model"):
            return str(
                self._tokenizer.apply_chat_template(
                    [dict(message) for message in messages], tokenize=False, add_generation_prompt=not ended
                )
            )


def wire(turn: Turn, number: Callable[[str], str] = str) -> dict[str, Any]:
    """Return a turn as chat completions write it, arguments as objects; what it does not have is no key.

    Args:
        turn: the turn.
        number: gives calls other ids.
    """
    message: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.reasoning:
        message["reasoning_content"] = turn.reasoning
    if turn.tool_calls:
        message["tool_calls"] = [
            {"id": number(call.id), "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in turn.tool_calls
        ]
    if turn.tool_call_id:
        message["tool_call_id"] = number(turn.tool_call_id)
    return message
