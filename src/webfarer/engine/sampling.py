"""What goes into the engine and what comes out: sampling parameters, requests, events, completions.

Plain data without torch, so that the floors above can name it cheaply. Not the sampler: that is
:mod:`webfarer.engine.sampler`. Invariant: parameters that cannot work never come to exist (`ConfigError`), and each
request is answered by any number of `Token` events and then exactly one `Finished`.
"""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from webfarer.core.errors import ConfigError

COLDEST = 1e-3
"""Below this temperature a row is greedy: dividing by less overflows and changes nothing else."""

MOST_LOGPROBS = 20
"""How many alternatives per token may be asked for."""

Reason = Literal["stop", "length", "cancelled", "error"]


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How one sequence is drawn and where it ends.

    Attributes:
        max_tokens: exact upper bound of the tokens drawn.
        temperature: 0 (or anything below 0.001) for greedy.
        top_p: keep the likeliest tokens until their probabilities sum to this; 1 for all.
        top_k: keep so many of the likeliest tokens; 0 for all.
        min_p: drop tokens less likely than this share of the likeliest one; 0 for none.
        repetition_penalty: divides (when negative, multiplies) the logits of ids in prompt or output; 1 for none.
        seed: the same seed draws the same tokens, whatever else the engine does meanwhile; None for a fresh one.
        stop: strings that end the text; they are not part of it.
        stop_tokens: ids that end the sequence besides the model's own.
        logprobs: report log-probabilities, with so many alternatives per token; None for no report.
        ignore_eos: the model's own end tokens do not end the sequence.
        min_tokens: so many tokens come before any end token is drawn; strings of `stop` are looked for only in the text
            that begins with the last of them.
        detokenize: give text; without it there are ids alone, sooner.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stop_tokens: tuple[int, ...] = ()
    logprobs: int | None = None
    ignore_eos: bool = False
    min_tokens: int = 0
    detokenize: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        rules = {
            "max_tokens must be at least 1": self.max_tokens >= 1,
            "temperature must lie between 0 and 100": 0 <= self.temperature <= 100,
            "top_p must lie between 0 and 1": 0 <= self.top_p <= 1,
            "top_k must be 0 (off) or more": self.top_k >= 0,
            "min_p must lie between 0 and 1": 0 <= self.min_p <= 1,
            "repetition_penalty must lie between 0.01 and 100": 0.01 <= self.repetition_penalty <= 100,
            "stop must hold no empty string": all(self.stop),
            "stop needs detokenize": self.detokenize or not self.stop,
            f"logprobs must lie between 0 and {MOST_LOGPROBS}": 0 <= (self.logprobs or 0) <= MOST_LOGPROBS,
            "min_tokens must lie between 0 and max_tokens": 0 <= self.min_tokens <= self.max_tokens,
        }
        broken = [rule for rule, kept in rules.items() if not kept]
        if broken:
            raise ConfigError("sampling parameters: " + "; ".join(broken))

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken instead of drawing one."""
        return self.temperature < COLDEST


@dataclass(frozen=True, slots=True)
class Request:
    """One sequence to be continued; `adapter` names one of the engine's LoRA adapters."""

    tokens: tuple[int, ...]
    params: SamplingParams = SamplingParams()
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a sequence consumed.

    Attributes:
        prompt_tokens: length of the prompt.
        completion_tokens: tokens drawn, with the one that ended the sequence (an end token, or the token that completed
            a stop string), whose text is not shown.
        cached_tokens: prompt tokens whose keys and values were there already.
        stored_slots: key-value slots held at the end, over all layers and KV heads.
        read_slots: slots that decode steps attended to, all together.
        cache_bytes: bytes of the stored slots.
        evictions: slots given up on the way.
        drafted, accepted: tokens that were guessed for it and checked, and those of them that stood.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    stored_slots: int = 0
    read_slots: int = 0
    cache_bytes: int = 0
    evictions: int = 0
    drafted: int = 0
    accepted: int = 0


class Token(NamedTuple):
    """One token was drawn.

    Attributes:
        index: 0 for the first one drawn.
        id: its id.
        text: text that became certain with it; may be "" (half a character, what may become a stop string) or hold what
            earlier tokens had left open.
        logprob: its log-probability before any warping, or None when not asked for.
        top: the likeliest (id, log-probability) pairs, best first.
    """

    index: int  # type: ignore[assignment]  # a tuple has a method of that name, which nobody needs here
    id: int
    text: str
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The sequence ended; `error` says why when the reason is "error"."""

    reason: Reason
    usage: Usage
    error: str | None = None


Event = Token | Finished


@dataclass(slots=True)
class Completion:
    """A whole sequence, gathered from its events."""

    tokens: list[Token] = field(default_factory=list)
    finished: Finished | None = None

    def __call__(self, event: Event) -> None:
        """Take the next event; a completion is its sequence's listener."""
        if isinstance(event, Token):
            self.tokens.append(event)
        else:
            self.finished = event

    @property
    def text(self) -> str:
        """The text drawn."""
        return "".join(token.text for token in self.tokens)

    @property
    def ids(self) -> list[int]:
        """The ids drawn, with the one that ended the sequence."""
        return [token.id for token in self.tokens]
