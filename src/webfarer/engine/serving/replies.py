"""What the server says: OpenAI's answers, pieces of streams, log-probabilities, usage and errors.

Writes, decides nothing. An answer and its stream are made of the same pieces: a :class:`Choice` follows one sequence
and gives a delta for every event. Invariant: the deltas of a stream joined are the message of the answer.
"""

import json
import time
from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from webfarer.engine.calls import Call, Piece, ReplyReader
from webfarer.engine.chat import Chat
from webfarer.engine.sampling import Finished, Token

Delta = dict[str, Any]
"""What is new in one choice, as it stands in a chunk."""


class ChatChoice:
    """One answer of a conversation, as it grows.

    Args:
        index: its number.
        chat: of the model.
        reader: tells reasoning, text and calls apart.
        logprobs: report them.
    """

    def __init__(self, index: int, chat: Chat, reader: ReplyReader, *, logprobs: bool) -> None:
        self.index = index
        self.finished: Finished | None = None
        self._chat, self._reader, self._logprobs = chat, reader, logprobs
        self._content, self._reasoning = "", ""
        self._calls: list[dict[str, Any]] = []
        self._entries: list[dict[str, Any]] = []

    def opening(self) -> Delta:
        """Return the first delta."""
        return self._delta({"role": "assistant", "content": ""})

    def take(self, event: Token | Finished) -> Delta | None:
        """Take an event; return what it brought, if anything."""
        if isinstance(event, Finished):
            self.finished = event
            return self._said(self._reader.end(), [])
        entries = [_chat_entry(self._chat, event)] if self._logprobs else []
        self._entries += entries
        return self._said(self._reader.feed(self._chat.heard(event)), entries)

    def closing(self) -> Delta:
        """Return the last delta, which says why it ended."""
        return self._delta({}, finish=self._finish)

    def whole(self) -> dict[str, Any]:
        """Return the choice as it stands in an answer that is no stream."""
        message: dict[str, Any] = {"role": "assistant", "content": self._content, "refusal": None}
        if self._reasoning:
            message["reasoning_content"] = self._reasoning
        if self._calls:
            message |= {"tool_calls": self._calls, "content": self._content or None}
        logprobs = {"content": self._entries, "refusal": None} if self._logprobs else None
        return {"index": self.index, "message": message, "logprobs": logprobs, "finish_reason": self._finish}

    @property
    def _finish(self) -> str:
        reason = self.finished.reason if self.finished else "stop"
        return "tool_calls" if self._calls and reason == "stop" else reason

    def _said(self, piece: Piece, entries: list[dict[str, Any]]) -> Delta | None:
        self._content += piece.content
        self._reasoning += piece.reasoning
        calls = [_call(call) for call in piece.calls]
        self._calls += calls
        delta: dict[str, Any] = {}
        if piece.reasoning:
            delta["reasoning_content"] = piece.reasoning
        if piece.content:
            delta["content"] = piece.content
        if calls:
            delta["tool_calls"] = [{"index": number, **call} for number, call in enumerate(calls)]
        return self._delta(delta, entries) if delta or entries else None

    def _delta(self, delta: Delta, entries: list[dict[str, Any]] | None = None, finish: str | None = None) -> Delta:
        logprobs = {"content": entries, "refusal": None} if entries else None
        return {"index": self.index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}


class TextChoice:
    """One continuation of a text, as it grows; the arguments are those of :class:`ChatChoice`."""

    def __init__(self, index: int, chat: Chat, *, logprobs: bool) -> None:
        self.index = index
        self.finished: Finished | None = None
        self._chat, self._logprobs = chat, logprobs
        self._text = ""
        self._tokens: list[tuple[Token, int]] = []  # with the offset at which each stands

    def opening(self) -> None:
        """There is nothing before the first token."""

    def take(self, event: Token | Finished) -> Delta | None:
        """Take an event; return what it brought, if anything."""
        if isinstance(event, Finished):
            self.finished = event
            return None
        new = [(event, len(self._text))] if self._logprobs else []
        self._tokens += new
        self._text += event.text
        return self._delta(event.text, new) if event.text or new else None

    def closing(self) -> Delta:
        """Return the last delta, which says why it ended."""
        return self._delta("", [], self._finish)

    def whole(self) -> dict[str, Any]:
        """Return the choice as it stands in an answer that is no stream."""
        return self._delta(self._text, self._tokens, self._finish)

    @property
    def _finish(self) -> str:
        return self.finished.reason if self.finished else "stop"

    def _delta(self, text: str, tokens: list[tuple[Token, int]], finish: str | None = None) -> Delta:
        logprobs = None
        if self._logprobs and tokens:
            name = self._chat.written
            logprobs = {
                "tokens": [name(token.id) for token, _ in tokens],
                "token_logprobs": [token.logprob for token, _ in tokens],
                "top_logprobs": [{name(number): value for number, value in token.top} for token, _ in tokens],
                "text_offset": [offset for _, offset in tokens],
            }
        return {"index": self.index, "text": text, "logprobs": logprobs, "finish_reason": finish}


Choice = ChatChoice | TextChoice


class Envelope:
    """What surrounds the choices of one answer.

    Args:
        kind: "chat.completion" or "text_completion".
        model: as the client named it.
        prompt_tokens: of all prompts together.
        n: choices of each prompt, which stand together.
    """

    def __init__(self, kind: str, model: str, prompt_tokens: int, n: int = 1) -> None:
        chat = kind == "chat.completion"
        self._kind, self._chunk = kind, f"{kind}.chunk" if chat else kind
        self._head = {"id": f"{'chatcmpl' if chat else 'cmpl'}-{token_hex(12)}", "created": int(time.time())}
        self._model, self._prompt_tokens, self._n = model, prompt_tokens, n

    def answer(self, choices: Sequence[Choice]) -> dict[str, Any]:
        """Return a whole answer."""
        whole = [choice.whole() for choice in choices]
        return {**self._frame(self._kind), "choices": whole, "usage": self.usage(choices)}

    def chunk(self, deltas: list[Delta]) -> dict[str, Any]:
        """Return a piece of a stream."""
        return {**self._frame(self._chunk), "choices": deltas}

    def usage(self, choices: Sequence[Choice]) -> dict[str, Any]:
        """Return what all choices consumed; a prompt with several choices counts once, as OpenAI has it."""
        used = [choice.finished.usage for choice in choices if choice.finished]
        drawn = sum(usage.completion_tokens for usage in used)
        groups = [choices[first : first + self._n] for first in range(0, len(choices), self._n)]
        # the first choice of a prompt reads it and the others find it there: only what all of them found was cached
        cached = [min((c.finished.usage.cached_tokens for c in group if c.finished), default=0) for group in groups]
        return {
            "prompt_tokens": self._prompt_tokens,
            "completion_tokens": drawn,
            "total_tokens": self._prompt_tokens + drawn,
            "prompt_tokens_details": {"cached_tokens": sum(cached)},
            "completion_tokens_details": {
                "accepted_prediction_tokens": sum(usage.accepted for usage in used),
                "rejected_prediction_tokens": sum(usage.drafted - usage.accepted for usage in used),
            },
            "webfarer": {
                name: sum(getattr(usage, name) for usage in used)
                for name in ("stored_slots", "read_slots", "cache_bytes", "evictions")
            },
        }

    def _frame(self, kind: str) -> dict[str, Any]:
        return {**self._head, "object": kind, "model": self._model}


def problem(message: str, status: int, *, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """Return an error as OpenAI writes it."""

    return {
        "error": {
            "message": message,
            "type": "server_error" if status >= 500 else "invalid_request_error",
            "param": param,
            "code": code,
        }
    }


def sse(data: dict[str, Any]) -> bytes:
    """Return one server-sent event, in ASCII: half a character that a model wrote has no other form."""
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def _call(call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": f"call_{token_hex(12)}", "type": "function", "function": function}


def _chat_entry(chat: Chat, token: Token) -> dict[str, Any]:
    top = [_named(chat, number, value) for number, value in token.top]
    return {**_named(chat, token.id, token.logprob), "top_logprobs": top}


def _named(chat: Chat, number: int, logprob: float | None) -> dict[str, Any]:
    """Return a token's name with its bytes; those of a part of a character are not known here."""
    text = chat.spelled(number)
    return {"token": chat.written(number), "logprob": logprob, "bytes": list(text) if text else None}
