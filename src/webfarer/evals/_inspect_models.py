"""Models between inspect_ai and us, both ways: inspect's as chat models of ours, ours that play by rule as inspect's.

Not a task: those are in :mod:`webfarer.evals.inspecting`. Invariant: `ruled/overlap` under inspect says what
`ruled:overlap` says here, so a task can be compared reply by reply.
"""

from collections.abc import Sequence
from typing import Any

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    ResponseSchema,
    modelapi,
)
from inspect_ai.tool import ToolCall as InspectToolCall
from inspect_ai.tool import ToolChoice, ToolInfo, ToolParams
from inspect_ai.util import JSONSchema

from webfarer.core.errors import BadReply, ModelError, boundary
from webfarer.core.run import Call
from webfarer.models.base import Message, Reply, Sampling, Tool, ToolCall, Usage
from webfarer.models.ruled import Ruled
from webfarer.models.tokens import estimate_prompt

_CONTEXT = 32_768


class Inspected:
    """A model of inspect's as one of ours; its errors are ours, its usage is charged to the run."""

    def __init__(self, model: Model, context: int = _CONTEXT) -> None:
        self.name, self.context = str(model), context
        self._model = model

    def count(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        """Return the estimated number of prompt tokens."""
        return estimate_prompt(messages, tools)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling = Sampling(),
        call: Call | None = None,
    ) -> Reply:
        """Return the model's reply.

        Raises:
            ModelError: the model failed.
        """
        offered = [ToolInfo(name=t.name, description=t.description, parameters=_parameters(t)) for t in tools]
        with boundary(ModelError, f"asking {self.name}"):
            output = await self._model.generate([_sent(m) for m in messages], offered, config=_config(sampling))
        if output.error or not output.choices:
            raise BadReply(f"{self.name} gave no reply: {output.error or 'no choice'}")
        return _reply(output, self.count(messages, tools))

    async def close(self) -> None:
        """Do nothing: inspect closes its models."""


def _config(sampling: Sampling) -> GenerateConfig:
    schema = sampling.json_schema
    wanted = ResponseSchema(name=schema.get("title", "reply"), json_schema=_schema(schema)) if schema else None
    return GenerateConfig(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        max_tokens=sampling.max_tokens,
        seed=sampling.seed,
        stop_seqs=list(sampling.stop) or None,
        response_schema=wanted,
    )


def _schema(schema: dict[str, Any]) -> JSONSchema:
    """Return a JSON schema as inspect has them: without references."""
    kinds = schema.get("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return inlined(kinds[part["$ref"].rpartition("/")[2]])
        return {name: inlined(value) for name, value in part.items() if name != "$defs"}

    return JSONSchema.model_validate(inlined(schema))


def _parameters(tool: Tool) -> ToolParams:
    return ToolParams.model_validate({name: tool.parameters[name] for name in ("properties", "required")})


def _sent(message: Message) -> ChatMessage:
    if message.role == "system":
        return ChatMessageSystem(content=message.content)
    if message.role == "user":
        return ChatMessageUser(content=message.content)
    if message.role == "tool":
        return ChatMessageTool(content=message.content, tool_call_id=message.tool_call_id)
    calls = [InspectToolCall(id=c.id, function=c.name, arguments=c.arguments) for c in message.tool_calls]
    return ChatMessageAssistant(content=message.content, tool_calls=calls or None)


def _reply(output: ModelOutput, prompt: int) -> Reply:
    told, usage = output.message, output.usage
    calls = tuple(ToolCall(call.id, call.function, call.arguments) for call in told.tool_calls or ())
    spent = Usage(usage.input_tokens, usage.output_tokens) if usage else Usage(prompt, 0, estimated=True)
    return Reply(told.text, tool_calls=calls, finish=str(output.stop_reason), usage=spent)


class _Rules(ModelAPI):
    """Our model that plays by rule, as a provider of inspect's."""

    async def generate(
        self, input: list[ChatMessage], tools: list[ToolInfo], tool_choice: ToolChoice, config: GenerateConfig
    ) -> ModelOutput:
        """Return what the rule says."""
        offered = [Tool(t.name, t.description, t.parameters.model_dump(exclude_none=True)) for t in tools]
        asked = config.response_schema
        schema = {**asked.json_schema.model_dump(exclude_none=True), "title": asked.name} if asked else None
        sampling = Sampling(seed=config.seed, stop=tuple(config.stop_seqs or ()), json_schema=schema)
        reply = await Ruled(self.model_name).complete([_received(message) for message in input], offered, sampling)
        output = ModelOutput.from_content(self.model_name, reply.text)
        output.message.tool_calls = [
            InspectToolCall(id=call.id, function=call.name, arguments=call.arguments) for call in reply.tool_calls
        ] or None
        spent = reply.usage
        output.usage = ModelUsage(
            input_tokens=spent.tokens_in,
            output_tokens=spent.tokens_out,
            total_tokens=spent.tokens_in + spent.tokens_out,
        )
        return output


def _received(message: ChatMessage) -> Message:
    if isinstance(message, ChatMessageAssistant):
        calls = tuple(ToolCall(call.id, call.function, call.arguments) for call in message.tool_calls or ())
        return Message("assistant", message.text, calls)
    if isinstance(message, ChatMessageTool):
        return Message("tool", message.text, tool_call_id=message.tool_call_id or "")
    return Message("system" if message.role == "system" else "user", message.text)


@modelapi(name="ruled")
def rules() -> type[ModelAPI]:
    """Return the provider of `ruled/overlap`."""
    return _Rules
