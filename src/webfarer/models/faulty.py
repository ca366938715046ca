"""A chat model that knows the answers and errs on purpose: trajectories whose faults are known, for tests and shows.

"faulty:questions.jsonl" reads a file of made questions, finds their pages with the tools it is offered, cites their
evidence and answers; of each kind of fault it makes one in 4 % of its conversations. It never stands in for a real
model: it looks the answers up, and its name is in every row it made. It speaks the dialect "tags". Invariant: a reply
follows from the file, the messages and the seed; which fault is made, from question and seed alone (:func:`planted`).
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from webfarer.core.errors import ConfigError
from webfarer.core.run import Call
from webfarer.models._faults import KINDS, RATE, Lot, drawn, reply
from webfarer.models._faulty_play import Known, Scene
from webfarer.models._ruled_reading import Prompt
from webfarer.models.base import Message, Reply, Sampling, Tool
from webfarer.models.ruled import Ruled, usage
from webfarer.models.tokens import estimate_prompt

_CONTEXT = 131_072
_SPEC = re.compile(rf"(.+?)(?::([0-8]|{'|'.join(KINDS)}))?")


class Faulty:
    """The model.

    Args:
        spec: a file of made questions; after a colon, per cent of the conversations that get a fault of each kind (0
            to 8), or the one kind that all of them get: "questions.jsonl:0", "questions.jsonl:repetition".

    Raises:
        ConfigError: the file cannot be read.
    """

    context = _CONTEXT

    def __init__(self, spec: str) -> None:
        self.name = f"faulty:{spec}"
        match = _SPEC.fullmatch(spec)
        path, self._how = (match[1], match[2] or str(RATE)) if match else (spec, "")
        try:
            lines = Path(path).read_text(encoding="utf-8").split("\n")
            rows = [Known.of(json.loads(line)) for line in lines if line.strip()]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"faulty:{spec} needs a file of made questions, and {path} is none: {error}") from error
        self._known = {row.question: row for row in rows}
        self._ruled = Ruled("overlap")

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
        """Return the next step of the search, or what a page says of its goal; to all else, what a rule says.

        Raises:
            ConfigError: the dialect is another one, or the question is not in the file.
        """
        schema = sampling.json_schema or {}
        if "evidence" in schema.get("properties", {}):
            text = self._reading(messages)
        elif schema:
            return await self._ruled.complete(messages, tools, sampling, call)
        elif tools or "<tool_call>" not in messages[0].content:
            raise ConfigError(f'{self.name} speaks the dialect "tags": set WEBFARER_ASK__DIALECT=tags, agent dancer')
        else:
            scene = Scene(messages)
            known = self._known.get(scene.question)
            if known is None:
                raise ConfigError(f"{self.name} does not know the question {scene.question[:200]!r}")
            text = reply(known, scene, self._lot(scene.question, sampling.seed or 0))
        return Reply(text, usage=usage(messages, tools, text))

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _lot(self, question: str, seed: int) -> Lot:
        if self._how.isdigit():
            return drawn(question, seed, int(self._how))
        return Lot(self._how, drawn(question, seed).number)

    def _reading(self, messages: Sequence[Message]) -> str:
        """Return what a page says of its goal, which is the question where evidence is looked for."""
        prompt = Prompt(messages, lambda shown: False)
        known = self._known.get(prompt.question)
        found = known.on("\n".join(prompt.parts.get("page", ()))) if known else []
        says = f"It says: {found[0]}" if found else "Nothing here states it."
        return json.dumps({"rational": says, "evidence": found, "summary": says}, ensure_ascii=False)


def planted(question: str, seed: int, rate: int = RATE) -> str:
    """Return the kind of the fault in the conversation about `question` with `seed`; "" for none.

    Args:
        question: as it is asked.
        seed: of the attempt: that of the run, plus its number, less 1.
        rate: per cent of the conversations that get a fault of each kind.
    """
    return drawn(question, seed, rate).kind
