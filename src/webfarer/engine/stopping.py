"""Where a sequence ends and what text it shows: incremental detokenisation, stop strings, end tokens, limits.

Not the sampler: end tokens that may not come yet are only named here (`banned`). Invariant: the texts returned by
:meth:`Stopper.take` joined are the decoded tokens up to the first completed stop string, no half characters and no part
of a stop string among them. Tokens are decoded behind the prompt's last ones, so leading spaces are what they are in
the whole text.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from webfarer.core.errors import WebfarerError, boundary
from webfarer.engine.sampling import Reason, SamplingParams

_PROMPT_TAIL = 8
"""Prompt tokens kept as context of the first token drawn."""

_PATIENCE = 12
"""Tokens whose text may wait for the rest of a character; a model that draws broken bytes for ever is shown as is."""

_BROKEN = "\ufffd"


class Decodes(Protocol):
    """The part of `tokenizers.Tokenizer` that is used here."""

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        """Return the text of `ids`."""
        ...


class Detokenizer:
    """Turns tokens into text as they come; text that ends in half a character waits for the rest."""

    def __init__(self, tokenizer: Decodes, prompt: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._ids = list(prompt[-_PROMPT_TAIL:])
        self._known = self._decode(self._ids) if self._ids else ""
        self._shown = len(self._ids)

    def add(self, token: int) -> str:
        """Return the text that became certain with `token`."""
        self._ids.append(token)
        text = self._decode(self._ids)
        if text.endswith(_BROKEN) and len(self._ids) - self._shown < _PATIENCE:
            return ""
        return self._show(text)

    def flush(self) -> str:
        """Return what is still waiting: no more tokens come."""
        return self._show(self._decode(self._ids)) if self._shown < len(self._ids) else ""

    def _decode(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=True)

    def _show(self, text: str) -> str:
        new = text[len(self._known) :]
        if new or len(self._ids) - self._shown >= _PATIENCE:
            # the tokens just shown become the context of the next: decoding stays as cheap as a word
            self._ids = self._ids[self._shown :]
            self._known = self._decode(self._ids)
            self._shown = len(self._ids)
        return new


class StopStrings:
    """Looks for the first completed one of several strings in text that comes in pieces."""

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """Return the text that can be shown, and whether a stop string was completed (it is not shown)."""
        if not self._stops:
            return text, False
        text = self._held + text
        found = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self._held = ""
            return text[: min(found)[1]], True
        start = len(text) - max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[start:]
        return text[:start], False

    def flush(self) -> str:
        """Return what was held back; no more text comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Return the length of the longest end of `text` with which `stop` begins, short of all of it."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)


class Taken(NamedTuple):
    """What one token brought: text to show, and why the sequence ends, if it does."""

    text: str
    reason: Reason | None


class Stopper:
    """Follows one sequence token by token.

    Args:
        params: of the sequence.
        ends: the model's own end tokens.
        tokenizer: for text and stop strings, when `params` ask for text; None gives none.
        prompt: ids before the first token drawn.
    """

    def __init__(
        self, params: SamplingParams, ends: Iterable[int], tokenizer: Decodes | None, prompt: Sequence[int]
    ) -> None:
        self._limit, self._least = params.max_tokens, params.min_tokens
        self._ends = frozenset(params.stop_tokens) | (frozenset() if params.ignore_eos else frozenset(ends))
        self._text = Detokenizer(tokenizer, prompt) if tokenizer and params.detokenize else None
        self._strings = StopStrings(params.stop)
        self.count = 0

    def banned(self, ahead: int = 0) -> frozenset[int]:
        """Return ids that may not be drawn when `ahead` more tokens have been: end tokens before `min_tokens`."""
        return self._ends if self.count + ahead < self._least else frozenset()

    def take(self, token: int) -> Taken:
        """Count `token`; return its text and whether it ends the sequence.

        An end token has no text of its own; like the last token there may be, it lets out what was held back.

        Raises:
            WebfarerError: the tokenizer cannot decode the token.
        """
        self.count += 1
        ended: Reason | None = "stop" if token in self._ends else "length" if self.count == self._limit else None
        if self._text is None:
            return Taken("", ended)
        with boundary(WebfarerError, f"decoding token {token}"):
            text = self._text.add(token) if token not in self._ends else ""
            if ended:
                text += self._text.flush()
        if self.count < self._least:
            return Taken(text, ended)
        text, stopped = self._strings.feed(text)
        if stopped:
            return Taken(text, "stop")
        return Taken(text + self._strings.flush() if ended else text, ended)
