"""A model that says what a script tells it; for tests, demonstrations and the command line without a server.

Not a mock of a server (that is :mod:`webfarer.worlds.endpoint`). A used-up script is an error of the set-up, not of the
model, so nothing mistakes it for an outage. A resumed run starts its script again at the top.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from webfarer.core.errors import ConfigError, WebfarerError, from_dict
from webfarer.core.run import Call
from webfarer.models.base import Message, Reply, Sampling, Tool, Usage
from webfarer.models.tokens import estimate, estimate_prompt

Line = str | Reply | Exception | Callable[[Sequence[Message]], str]

_REPLY = TypeAdapter(Reply)


class Scripted:
    """Answers with the next line of its script.

    Attributes:
        asked: the messages of each call, in order.
        samplings: the sampling of each call.
    """

    def __init__(self, script: Sequence[Line], name: str = "scripted", context: int = 32_768) -> None:
        self.name = name
        self.context = context
        self.asked: list[list[Message]] = []
        self.samplings: list[Sampling] = []
        self._script = list(script)

    @classmethod
    def load(cls, path: Path) -> "Scripted":
        """Read a script: a JSON list of strings, replies (`{"text": …}`), errors (`{"error": …}`) or plain objects.

        A plain object is what the model answers as JSON text.

        Raises:
            ConfigError: no such file, or not a script.
        """
        try:
            lines = json.loads(path.read_text())
            if not isinstance(lines, list):
                raise ValueError("not a list")
            return cls([_line(line) for line in lines])
        except (OSError, ValueError, ValidationError) as error:
            raise ConfigError(f"{path} is no script for a model: {error}") from error

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
        """Return the next line.

        Raises:
            ConfigError: the script is used up.
        """
        if len(self.asked) == len(self._script):
            raise ConfigError(
                f"the script's {len(self._script)} replies are used up; asked now: {messages[-1].content[:200]!r}"
            )
        line = self._script[len(self.asked)]
        self.asked.append(list(messages))
        self.samplings.append(sampling)
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Reply):
            return line
        text = line if isinstance(line, str) else line(messages)
        return Reply(text, usage=Usage(self.count(messages, tools), estimate(text), estimated=True))

    async def close(self) -> None:
        """Do nothing: there are no connections."""


def _line(line: Any) -> Line:
    if isinstance(line, str):
        return line
    if not isinstance(line, dict):
        raise ValueError(f"{line!r} is neither text nor an object")
    if "error" in line:
        error: WebfarerError = from_dict({"message": "scripted", **line})
        return error
    return _REPLY.validate_python(line) if "text" in line else json.dumps(line, ensure_ascii=False)
