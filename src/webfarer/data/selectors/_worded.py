"""Criteria of quality in words: a chat model proposes them from pairs of rows, and rates every row by them.

After each round it is told how often its criteria agreed with the pairs, and proposes others. Rows hold page text, so
they enter a prompt fenced; what the agent read is left out, so no criterion can be about that. Invariant: every row has
a rating for each criterion. Source: the manager and the workers of CritiQ Flow (Guo et al., arXiv 2502.19279).
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, Field, create_model

from webfarer.data.row import Row
from webfarer.data.selectors._vectors import substance
from webfarer.models.base import ChatModel, Message
from webfarer.models.prompts import FENCE_RULE, defuse, fence, nonce
from webfarer.models.structured import ask

_SHOWN_PAIRS = 4
_BEGIN, _END = 3000, 1500  # characters of a row that a model reads
_LONGEST = 200  # characters of a criterion
_AT_ONCE = 8
_MOST = 5

_PROPOSE = f"""You find out what makes one record of a web research agent better than another. You see pairs of records;
a person found the first one of each pair better. Say what such a person may look for: up to {_MOST} criteria, each one
thing that can be seen in a single record, put as a yes-or-no question that "yes" answers in favour of the record.
{FENCE_RULE}
Reply with one JSON object: {{"criteria": ["…?", "…?"]}}"""
_RATE = f"""You rate the record of a web research agent by criteria. For each criterion give a whole number from 0
(not at all) to 10 (entirely), in their order.
{FENCE_RULE}
Reply with one JSON object: {{"ratings": [0, 10]}}"""

Rating = Annotated[int, Field(ge=0, le=10)]


class _Proposal(BaseModel):
    criteria: list[str]


async def propose(model: ChatModel, pairs: Sequence[tuple[Row, Row]], tried: Mapping[str, float]) -> list[str]:
    """Return criteria that were not tried before.

    Args:
        model: proposes.
        pairs: the better row and the worse one; the first few are shown.
        tried: criteria of earlier rounds, and the share of pairs that agreed with each.
    """
    shown = [f"{_fenced(better, 'better')}\n{_fenced(worse, 'worse')}" for better, worse in pairs[:_SHOWN_PAIRS]]
    record = [f"- {share:.0%} of the pairs agree: {name}" for name, share in tried.items()]
    told = ["Criteria tried so far; propose others that agree with more pairs:", *record] if record else []
    said = await ask(model, [Message("system", _PROPOSE), Message("user", "\n\n".join([*shown, *told]))], _Proposal)
    fresh = dict.fromkeys(defuse(" ".join(name.split()))[:_LONGEST] for name in said.criteria)
    return [name for name in fresh if name and name not in tried][:_MOST]


async def rate(model: ChatModel, rows: Sequence[Row], criteria: Sequence[str]) -> dict[str, list[float]]:
    """Return the ratings of all rows, by criterion; each row is one call, or none where there is no criterion.

    Raises:
        BadReply: a reply has no rating for each.
    """
    if not criteria:
        return {}
    room = asyncio.Semaphore(_AT_ONCE)
    count = len(criteria)
    schema = create_model("Ratings", ratings=(Annotated[list[Rating], Field(min_length=count, max_length=count)], ...))
    listed = "\n".join(f"{n}. {name}" for n, name in enumerate(criteria, 1))

    async def rated(row: Row) -> list[int]:
        async with room:
            prompt = f"{_fenced(row, 'record')}\n\nCriteria:\n{listed}"
            said = await ask(model, [Message("system", _RATE), Message("user", prompt)], schema)
        return dict(said)["ratings"]  # type: ignore[no-any-return]

    ratings = await asyncio.gather(*map(rated, rows))
    return {name: [float(row[at]) for row in ratings] for at, name in enumerate(criteria)}


def _fenced(row: Row, source: str) -> str:
    text = substance(row)
    if len(text) > _BEGIN + _END:
        text = f"{text[:_BEGIN]}\n[…]\n{text[-_END:]}"
    return fence(text, nonce=nonce(row.id, text), source=source)
