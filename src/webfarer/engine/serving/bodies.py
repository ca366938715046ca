"""What a client may ask of the server: OpenAI's request bodies, strictly read.

A field that cannot be honoured is refused by name instead of ignored; only fields that change nothing of the answer
(`user`, `metadata`, `store`, …) are let through. `top_k`, `min_p`, `repetition_penalty`, `min_tokens`, `ignore_eos` and
`stop_token_ids` go beyond OpenAI, under the names other servers have for them. Invariant: a body that was read gives
sampling parameters that work.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from webfarer.core.errors import WebfarerError
from webfarer.engine.sampling import MOST_LOGPROBS, SamplingParams

_MOST_CHOICES = 128
_MOST_PROMPTS = 128
_FORCED = "a call cannot be forced (the engine does not constrain what is drawn); use 'auto' or 'none'"
_NO_TEXT = "only text is read: a string, or parts of the form {'type': 'text', 'text': …}"

B = TypeVar("B", bound="Body")
Stop = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Zero = Annotated[float, Field(ge=0, le=0)]


class Fault(WebfarerError):
    """A request that is answered with an error.

    Args:
        message: what is wrong and what to do.
        status: of the HTTP answer.
        code: for programs ("context_length_exceeded"), or None.
        param: the field it is about, or None.
    """

    def __init__(self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _Echoed(BaseModel):
    """What clients send back as it came to them, with the fields of whichever server wrote it."""

    model_config = ConfigDict(strict=True, extra="ignore")


class StreamOptions(_Strict):
    """How a stream is written; obfuscation, a padding that some clients switch off, is never there."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Body(_Strict):
    """What both endpoints take."""

    model: str
    n: int = Field(1, ge=1, le=_MOST_CHOICES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: int | None = Field(None, ge=-1)
    min_p: float | None = Field(None, ge=0, le=1)
    repetition_penalty: float | None = Field(None, ge=0.01, le=100)
    seed: int | None = None
    stop: list[Stop] | None = Field(None, max_length=16)
    stop_token_ids: list[int] | None = Field(None, max_length=64)
    min_tokens: int | None = Field(None, ge=0)
    ignore_eos: bool | None = None
    # taken only where they ask for nothing
    presence_penalty: Zero | None = None
    frequency_penalty: Zero | None = None
    logit_bias: dict[str, float] | None = Field(None, max_length=0)
    # change nothing of the answer
    user: str | None = None
    metadata: dict[str, Any] | None = None
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None

    @field_validator("n", mode="before")
    @classmethod
    def _one_choice(cls, n: Any) -> Any:
        return 1 if n is None else n

    @field_validator("stream_options")
    @classmethod
    def _of_a_stream(cls, options: StreamOptions | None, info: ValidationInfo) -> StreamOptions | None:
        if options is not None and not info.data.get("stream"):
            raise ValueError("needs `stream`: true")
        return options

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop(cls, stop: Any) -> Any:
        return [stop] if isinstance(stop, str) else stop

    def limit(self, room: int) -> int:
        """Return how many tokens may be drawn behind a prompt that leaves `room` of them."""
        return min(16, room) if self.max_tokens is None else self.max_tokens

    def alternatives(self) -> int | None:
        """Return how many alternatives are reported with each token; None for no report."""
        return None

    def params(self, choice: int, limit: int) -> SamplingParams:
        """Return the sampling parameters of one choice."""
        return SamplingParams(
            max_tokens=limit,
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            top_k=max(0, self.top_k or 0),
            min_p=self.min_p or 0.0,
            repetition_penalty=self.repetition_penalty or 1.0,
            seed=None if self.seed is None else self.seed + choice,  # with one seed all choices were the same
            stop=tuple(self.stop or ()),
            stop_tokens=tuple(self.stop_token_ids or ()),
            logprobs=self.alternatives(),
            ignore_eos=bool(self.ignore_eos),
            min_tokens=self.min_tokens or 0,
        )


class CompletionBody(Body):
    """A text, or several, to be continued; token ids will do instead of text."""

    prompt: list[str] | list[list[int]] = Field(min_length=1, max_length=_MOST_PROMPTS)
    logprobs: int | None = Field(None, ge=0, le=MOST_LOGPROBS)
    echo: Literal[False] | None = None
    best_of: Literal[1] | None = None
    suffix: None = None

    @field_validator("prompt", mode="before")
    @classmethod
    def _several(cls, prompt: Any) -> Any:
        ids = isinstance(prompt, list) and bool(prompt) and all(isinstance(item, int) for item in prompt)
        return [prompt] if ids or isinstance(prompt, str) else prompt

    def alternatives(self) -> int | None:
        """Return how many alternatives are reported with each token; None for no report."""
        return self.logprobs


class Function(_Echoed):
    """The function of a call."""

    name: str
    arguments: str


class ToolCall(_Echoed):
    """A call the model made before."""

    id: str
    type: Literal["function"] = "function"
    function: Function


class Message(_Echoed):
    """One message of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _joined(cls, content: Any) -> Any:
        if not isinstance(content, list):
            return content
        parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
        texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
        if len(texts) < len(content):
            raise ValueError(_NO_TEXT)
        return "\n".join(texts)

    @model_validator(mode="after")
    def _complete(self) -> "Message":
        if self.content is None and self.role != "assistant":
            raise ValueError(f"a message of the {self.role} needs `content`")
        if self.role == "tool" and not self.tool_call_id:
            raise ValueError("a tool's message needs `tool_call_id`")
        return self


class ToolFunction(_Strict):
    """A function that is offered; `strict` would need constrained decoding."""

    name: str = Field(min_length=1, max_length=64)
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: Literal[False] | None = None


class Tool(_Strict):
    """A tool that is offered."""

    type: Literal["function"]
    function: ToolFunction


class TextFormat(_Strict):
    """The only format of a reply; the others would need constrained decoding."""

    type: Literal["text"]


class ChatBody(Body):
    """A conversation to be answered."""

    messages: list[Message] = Field(min_length=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    tools: list[Tool] | None = Field(None, max_length=128)
    tool_choice: Literal["auto", "none"] | None = None
    parallel_tool_calls: Literal[True] | None = None
    response_format: TextFormat | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=MOST_LOGPROBS)

    @field_validator("tool_choice", mode="before")
    @classmethod
    def _free(cls, choice: Any) -> Any:
        if choice not in (None, "auto", "none"):
            raise ValueError(_FORCED)
        return choice

    @model_validator(mode="after")
    def _consistent(self) -> "ChatBody":
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("`top_logprobs` needs `logprobs`: true")
        return self

    def limit(self, room: int) -> int:
        """Return how many tokens may be drawn behind a prompt that leaves `room` of them: all, unless told."""
        return self.max_completion_tokens or self.max_tokens or room

    def alternatives(self) -> int | None:
        """Return how many alternatives are reported with each token; None for no report."""
        return (self.top_logprobs or 0) if self.logprobs else None

    def offered(self) -> list[dict[str, Any]]:
        """Return the tools that the model may call."""
        return [] if self.tool_choice == "none" else [tool.model_dump(exclude_none=True) for tool in self.tools or ()]


def read_body(raw: bytes, kind: type[B]) -> B:
    """Read a request's body.

    Raises:
        Fault: it is no JSON, or a field is wrong; names the field.
    """
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        param = ".".join(map(str, first["loc"])) or None
        said = first["msg"].removeprefix("Value error, ")
        raise Fault(f"{param}: {said}" if param else said, param=param) from error
